import Kernel
import Reactor
import TLS

/// The transport of one connection: reads and writes its socket, with or without TLS. Never waits.
struct DemoTransport: ~Copyable {
    private struct Secure: ~Copyable {
        var engine: TLSEngine
        var session: TLSSession

        mutating func receive(
            _ bytes: borrowing ByteBuffer, plaintext: inout ByteBuffer, outgoing: inout ByteBuffer
        ) -> TLSProgress {
            engine.receive(&session, bytes.span, plaintext: &plaintext, outgoing: &outgoing)
        }

        mutating func send(_ bytes: [UInt8], outgoing: inout ByteBuffer) -> Bool {
            engine.send(&session, bytes.span, outgoing: &outgoing)
        }

        mutating func failure() -> String { engine.lastFailure.description }

        mutating func finish(outgoing: inout ByteBuffer) { engine.appendCloseNotify(&session, outgoing: &outgoing) }
    }

    /// Plaintext received and not yet consumed by the caller.
    var received = ByteBuffer()
    private(set) var progress: TLSProgress
    private let descriptor: Descriptor
    private var secure: Secure?
    /// Bytes to be written to the socket.
    private var outgoing = ByteBuffer()
    private var scratch = ByteBuffer(capacity: 16_384)

    init(_ descriptor: Descriptor, _ target: DemoTarget) throws(TLSError) {
        self.descriptor = descriptor
        guard let context = target.context else {
            secure = nil
            progress = .established
            return
        }
        var engine = try TLSEngine()
        let session = try engine.connect(context, serverName: target.serverName)
        secure = Secure(engine: engine, session: session)
        progress = .handshaking
        decrypt()
    }

    var hasUnsent: Bool { !outgoing.isEmpty }

    /// The reason if `progress` is `failed`.
    mutating func failure() -> String { secure?.failure() ?? "the connection failed" }

    /// Reads once and appends the decrypted bytes to `received`.
    mutating func receive(_ world: inout Linux) -> Transfer {
        let descriptor = descriptor
        scratch.reserve(16_384)
        var space = scratch.space
        let transfer = world.receive(descriptor, into: &space)
        if case .moved(let count) = transfer {
            scratch.commit(count)
            decrypt()
        }
        return transfer
    }

    /// Writes once.
    mutating func send(_ world: inout Linux) -> Transfer {
        let descriptor = descriptor
        let transfer = world.send(descriptor, outgoing.span)
        if case .moved(let count) = transfer { outgoing.consume(count) }
        return transfer
    }

    /// Encrypts bytes and queues them for writing. False if the TLS session can send no more.
    mutating func queue(_ bytes: [UInt8]) -> Bool {
        if let sent = secure?.send(bytes, outgoing: &outgoing) { return sent }
        outgoing.append(bytes.span)
        return true
    }

    /// Queues close_notify.
    mutating func finish() { secure?.finish(outgoing: &outgoing) }

    private mutating func decrypt() {
        if let step = secure?.receive(scratch, plaintext: &received, outgoing: &outgoing) {
            progress = step
            scratch.clear()
        } else {
            received.take(&scratch)
        }
    }
}
