import Simulation
import TLS
import Testing

@Suite("TLS of simulated peers")
struct TLSLayerTests {
    /// How many bytes go each way, flight by flight, with `text` from the client at the end.
    private func flights(
        _ client: TLSClientContext, _ server: TLSContext, resuming ticket: TLSTicket?, _ text: String
    ) throws -> (sizes: [Int], heard: [UInt8], ticket: TLSTicket?, wasResumed: Bool) {
        let near = try TLSLayer(client: client, resuming: ticket)
        let far = try TLSLayer(server: server)
        var sizes: [Int] = []
        var up = near.begin()
        var down: [UInt8] = []
        while !up.isEmpty || !down.isEmpty {
            sizes += [up.count, down.count]
            (up, down) = (near.read(down).outgoing, far.read(up).outgoing)
        }
        #expect(near.isReady && far.isReady)
        let record = near.write(Array(text.utf8))
        sizes.append(record.count)
        return (sizes, far.read(record).plaintext, near.ticket, near.wasResumed)
    }

    @Test("the lengths of records do not depend on keys, nonces or signatures", arguments: [TLSVersion.v1_2, .v1_3])
    func lengths(newest: TLSVersion) throws {
        let server = SimulatedCertificate.server()
        let client = SimulatedCertificate.client(newest: newest)
        let first = try flights(client, server, resuming: nil, "hello")
        let again = try flights(client, server, resuming: first.ticket, "hello")
        #expect(first.heard == Array("hello".utf8))
        #expect(!first.wasResumed && again.wasResumed)
        for _ in 0..<200 {
            let next = try flights(client, server, resuming: nil, "hello")
            #expect(next.sizes == first.sizes)
            #expect(try flights(client, server, resuming: next.ticket, "hello").sizes == again.sizes)
        }
    }

    @Test("who does not know a certificate says so and is heard")
    func untrustedAuthority() throws {
        let near = try TLSLayer(
            client: SimulatedCertificate.client(trusting: SimulatedCertificate.untrustedAuthority.pem))
        let far = try TLSLayer(server: SimulatedCertificate.server())
        let alert = near.read(far.read(near.begin()).outgoing)
        #expect(alert.hasFailed && !alert.outgoing.isEmpty)
        #expect(far.read(alert.outgoing).hasFailed)
    }
}
