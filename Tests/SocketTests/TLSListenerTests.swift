import Kernel
import Proxy
import TLS
import Telemetry
import Testing

extension SocketTests {
    @Suite("TLS listeners", .serialized)
    struct TLSListenerTests {
        private static let rig = Result { try Rig() }
        private static let request = "GET /one HTTP/1.1\r\nHost: a\r\n\r\n"

        @Test("TLS 1.2 and 1.3 are served, with http/1.1 by ALPN", arguments: [TLSVersion.v1_2, .v1_3])
        func versions(_ version: TLSVersion) throws {
            let rig = try Self.rig.get()
            let client = try rig.secureClient(Certificates.client(maximum: version, protocols: ["h2", "http/1.1"]))

            client.send(Self.request)

            #expect(try client.response().text == "ok")
            #expect(client.version == (version == .v1_2 ? "TLSv1.2" : "TLSv1.3"))
            #expect(client.applicationProtocol == .http1)
        }

        /// RFC 7301 section 3.2.
        @Test("a client without a common ALPN protocol is told so, and one without ALPN is served")
        func otherProtocol() throws {
            let rig = try Self.rig.get()
            #expect(throws: Client.Failure.handshakeFailed("tlsv1 alert no application protocol")) {
                try rig.secureClient(Certificates.client(protocols: ["spdy/3"]))
            }

            let client = try rig.secureClient(Certificates.client(protocols: []))
            client.send(Self.request)

            #expect(try client.response().text == "ok")
            #expect(client.applicationProtocol == .none)
        }

        @Test(
            "a ticket resumes a session if tickets are on", arguments: [TLSVersion.v1_2, .v1_3], [true, false])
        func resumption(_ version: TLSVersion, _ tickets: Bool) throws {
            var options = TLSOptions()
            options.tickets = tickets
            let rig = try Rig(tls: options)
            let context = try Certificates.client(maximum: version)
            let first = try rig.secureClient(context)
            first.send(Self.request)
            #expect(try first.response().text == "ok")
            #expect(!first.wasResumed)
            guard let ticket = first.ticket else {
                #expect(!tickets)
                return
            }

            let second = try rig.secureClient(context, resuming: ticket)
            second.send(Self.request)

            #expect(try second.response().text == "ok")
            #expect(second.wasResumed == tickets)
        }

        @Test(
            "bytes that are not TLS close a connection to a TLS listener and reach no replica",
            arguments: [
                "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                "\u{16}\u{3}\u{1}\u{0}\u{5}hello", "\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}",
                "SSH-2.0-OpenSSH_9.9\r\n",
            ])
        func plainText(_ text: String) throws {
            let rig = try Self.rig.get()
            rig.replica.reset()
            let client = try Client(rig.secure)

            client.send(text)
            client.finish()

            let rest = try client.readUntilEnd()
            // Answered in plaintext if OpenSSL recognises HTTP; otherwise with an alert at most (RFC 8446 section 6).
            let output = String(decoding: rest, as: UTF8.self)
            #expect(rest.isEmpty || rest[0] == 0x15 || output.contains("This port speaks TLS"), "\(output)")
            if text.hasPrefix("GET ") { #expect(output.hasPrefix("HTTP/1.1 400 ")) }
            #expect(rig.replica.requests.isEmpty)
        }

        @Test("a connection whose handshake does not complete is closed", arguments: [0, 3, 50])
        func handshakeTimeout(_ sent: Int) throws {
            let rig = try Rig(adjusting: { listener, _ in listener.handshakeTimeout = .milliseconds(300) })
            let client = try Client(rig.secure)
            // The beginning of a ClientHello of 512 bytes.
            let hello: [UInt8] = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]
            client.send(Array((hello + [UInt8](repeating: 7, count: 100)).prefix(sent)))

            #expect(try client.readUntilEnd().isEmpty)
            try eventually("it is counted") { rig.proxy.metrics.view.load(AbuseCounter.failedHandshakes) == 1 }
        }

        @Test("garbage in an established session ends it")
        func garbageAfterHandshake() throws {
            let rig = try Self.rig.get()
            rig.replica.reset()
            let client = try rig.secureClient()

            client.sendUnencrypted([0x17, 3, 3, 0, 32] + [UInt8](repeating: 0xa5, count: 32))

            #expect(throws: Client.Failure.self) {
                client.send(Self.request)
                _ = try client.response()
            }
            #expect(rig.replica.requests.isEmpty)
        }

        @Test(
            "each of a thousand idle streams gets its event",
            arguments: [
                (isSecure: true, tickets: true), (isSecure: true, tickets: false), (isSecure: false, tickets: true),
            ])
        func manyStreams(isSecure: Bool, tickets: Bool) throws {
            let count = 1_000
            var options = TLSOptions()
            options.tickets = tickets
            let rig = try Rig(tls: options, answering: { _ in [.eventStreamHead] })
            let context = try Certificates.client()
            let request = "GET /mcp HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n"

            var clients: [Client] = []
            for _ in 0..<count {
                let client =
                    try isSecure ? rig.secureClient(context, bufferBytes: 4_096) : rig.client(bufferBytes: 4_096)
                client.send(request)
                clients.append(client)
            }
            for client in clients { #expect(try client.head().status == 200) }
            #expect(rig.sum(.streaming) == Int64(count))

            rig.replica.pushToAll(.event("hello"))
            for client in clients { #expect(try client.chunk() == Array("data: hello\n\n".utf8)) }

            for client in clients { client.close() }
            try rig.expectIdle()
            try eventually("the replica recorded all streams end") { rig.replica.open == 0 }
        }
    }
}
