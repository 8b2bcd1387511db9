import Kernel
import Proxy
import Synchronization
import TLS
import Testing

extension SocketTests {
    @Suite("Certificate reload", .serialized)
    struct CertificateSwapTests {
        private static func rig(_ folder: CertificateFolder, workers: Int = 1) throws -> Rig {
            try Rig(
                workers: workers,
                handshaking: { $0.reloadingTLS = try ReloadingTLS(TLSFiles([folder.pair], options: .init())) })
        }

        private static func subject(_ rig: Rig) throws -> String? {
            try rig.secureClient(TLSClientContext(trust: .anyone)).peerSubject
        }

        @Test(
            "none of a thousand handshakes fails while ten certificates are replaced, and an open connection persists")
        func tenSwaps() throws {
            let folder = try CertificateFolder()
            try folder.replace("certificate-0")
            let rig = try Self.rig(folder, workers: 2)
            let context = try TLSClientContext(trust: .anyone)
            let old = try rig.secureClient(context)
            #expect(old.peerSubject == "CN = certificate-0")
            // A connection without a request is not kept as long as one between two.
            old.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try old.response().status == 200)

            let handshakeLoad = try HandshakeLoad(rig, threads: 2, atLeast: 1_000)
            defer { handshakeLoad.stop() }
            for number in 1...10 {
                try folder.replace("certificate-\(number)")
                try eventually("certificate \(number)") { try Self.subject(rig) == "CN = certificate-\(number)" }
            }
            handshakeLoad.stop()
            try eventually("a thousand handshakes") { handshakeLoad.isOver }

            #expect(handshakeLoad.failures == [])
            #expect(handshakeLoad.count >= 1_000)
            #expect(rig.proxy.certificates.totals == (10, 0))
            old.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try old.response().status == 200)
        }

        @Test("a pair that does not match is not loaded, and a later good one is")
        func badPair() throws {
            let folder = try CertificateFolder()
            try folder.replace("first")
            let rig = try Self.rig(folder)
            let one = try SelfSignedCertificate.make(names: ["other"], validDays: 1)
            let other = try SelfSignedCertificate.make(names: ["other"], validDays: 1)

            try folder.replace(certificate: one.certificatePEM, key: other.keyPEM)
            try eventually("the pair to be refused") { rig.proxy.certificates.totals == (0, 1) }
            #expect(try Self.subject(rig) == "CN = first")

            try folder.replace("second")
            try eventually("the second certificate") { try Self.subject(rig) == "CN = second" }
            #expect(rig.proxy.certificates.totals == (1, 1))
        }

        @Test("tickets from before a reload do not make handshakes fail")
        func ticketsAcross() throws {
            let folder = try CertificateFolder()
            try folder.replace("first")
            let rig = try Self.rig(folder)
            let context = try TLSClientContext(trust: .anyone)
            let client = try rig.secureClient(context)
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.response().status == 200)
            let ticket = try #require(client.ticket)

            try folder.replace("second")
            try eventually("the second certificate") { try Self.subject(rig) == "CN = second" }

            let again = try rig.secureClient(context, resuming: ticket)
            again.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try again.response().status == 200)
        }
    }
}

/// Threads that open TLS connections one after another until they are stopped and have made a minimum.
private final class HandshakeLoad: Sendable {
    private struct State {
        var count = 0
        var failures: [String] = []
        var isStopped = false
        var running: Int
    }

    private let state: Mutex<State>

    var count: Int { state.withLock { $0.count } }
    var failures: [String] { state.withLock { $0.failures } }
    var isOver: Bool { state.withLock { $0.running == 0 } }

    init(_ rig: Rig, threads: Int, atLeast least: Int) throws {
        state = Mutex(State(running: threads))
        let context = try TLSClientContext(trust: .anyone)
        for _ in 0..<threads {
            try Kernel.Thread(named: "handshakes") { [self] in
                while state.withLock({ (!$0.isStopped || $0.count < least) && $0.failures.count < 10 }) {
                    let outcome = Result { _ = try rig.secureClient(context) }
                    state.withLock {
                        $0.count += 1
                        if case .failure(let error) = outcome { $0.failures.append("\(error)") }
                    }
                }
                state.withLock { $0.running -= 1 }
            }.detach()
        }
    }

    func stop() { state.withLock { $0.isStopped = true } }
}
