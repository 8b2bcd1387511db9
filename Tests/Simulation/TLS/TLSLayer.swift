import Reactor
package import TLS

/// TLS for a simulated peer: the project's own engine in memory, its records being bytes of the simulated socket.
///
/// A seed reproduces the schedule although keys and nonces are truly random: nothing that the simulation counts depends
/// on them. Records have the same lengths in every run, because the certificates are Ed25519's, whose signatures have
/// one length (ECDSA's vary by a few bytes). What is not reproducible is the ciphertext itself.
package final class TLSLayer: PeerLayer {
    private var engine: TLSEngine
    private var session: TLSSession
    private var plaintext = ByteBuffer()
    private var outgoing = ByteBuffer()

    /// The client's end, for a server whose certificate must be for `serverName`.
    package init(
        client context: TLSClientContext, serverName: String = SimulatedCertificate.name,
        resuming ticket: TLSTicket? = nil
    ) throws(TLSError) {
        var engine = try TLSEngine()
        session = try engine.connect(context, serverName: serverName, resuming: ticket)
        self.engine = engine
    }

    package init(server context: TLSContext) throws(TLSError) {
        var engine = try TLSEngine()
        session = try engine.accept(context)
        self.engine = engine
    }

    package var isReady: Bool { session.isEstablished }
    package var applicationProtocol: ApplicationProtocol { session.applicationProtocol }
    package var wasResumed: Bool { session.wasResumed }
    /// What resumes TLS with the same server; nil if it sent none.
    package var ticket: TLSTicket? { session.ticket }

    package func begin() -> [UInt8] { read([]).outgoing }

    package func write(_ bytes: [UInt8]) -> [UInt8] {
        _ = engine.send(&session, bytes.span, outgoing: &outgoing)
        return outgoing.takeFirst(outgoing.count)
    }

    package func read(_ bytes: [UInt8]) -> LayerReading {
        let progress = engine.receive(&session, bytes.span, plaintext: &plaintext, outgoing: &outgoing)
        var reading = LayerReading()
        reading.plaintext = plaintext.takeFirst(plaintext.count)
        reading.outgoing = outgoing.takeFirst(outgoing.count)
        reading.hasEnded = progress == .closed
        reading.hasFailed = progress == .failed
        return reading
    }

    package func finish() -> [UInt8] {
        engine.appendCloseNotify(&session, outgoing: &outgoing)
        return outgoing.takeFirst(outgoing.count)
    }
}
