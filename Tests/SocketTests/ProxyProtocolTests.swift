import Configuration
import Kernel
import Proxy
import TLS
import Testing

extension SocketTests {
    @Suite("PROXY protocol", .serialized)
    struct ProxyProtocolTests {
        private static let line = "PROXY TCP4 203.0.113.7 198.51.100.2 4660 443\r\n"
        private static let request = "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.99\r\n\r\n"

        private static func range(_ first: UInt64, _ bits: UInt8) -> AddressRange {
            AddressRange(high: 0, low: 0xffff_0000_0000 | first, prefix: bits, isIPv4: true, description: "")
        }

        private static func rig(trusting range: AddressRange = range(0x7f00_0000, 8)) throws -> Rig {
            try Rig(adjusting: { listener, _ in
                listener.trusted = [range]
                listener.expectsProxyHeader = true
                listener.headTimeout = .milliseconds(300)
                listener.handshakeTimeout = .milliseconds(300)
            })
        }

        private static func refused(_ rig: Rig) throws -> Status.ProxyProtocol {
            try Status(from: rig.admin).proxyProtocol
        }

        @Test(
            "the header's address is the client's, in plaintext and before TLS, in any pieces",
            arguments: [1, 7, 1_000])
        func announced(_ size: Int) throws {
            let rig = try Self.rig()
            let version2: [UInt8] =
                [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10, 0x21, 0x11, 0, 12, 203, 0, 113, 7]
                + [198, 51, 100, 2, 1, 2, 3, 4]
            for header in [Array(Self.line.utf8), version2] {
                let client = try rig.client()
                let all = header + Array(Self.request.utf8)
                for start in stride(from: 0, to: all.count, by: size) {
                    client.send(Array(all[start..<min(all.count, start + size)]))
                }
                #expect(try client.response().status == 200)
                client.send(Self.request)
                #expect(try client.response().status == 200)

                let secure = try Client(rig.secure, tls: Certificates.client(), withProxyHeader: header)
                secure.send(Self.request)
                #expect(try secure.response().status == 200)
            }
            #expect(rig.replica.requests.count == 6)
            for request in rig.replica.requests {
                #expect(request.values("x-forwarded-for") == ["203.0.113.7"])
                #expect(request.values("x-real-ip") == ["203.0.113.7"])
            }
        }

        @Test("with LOCAL the proxy itself is the client")
        func local() throws {
            let rig = try Self.rig()
            let client = try rig.client()
            client.send("PROXY UNKNOWN\r\n" + Self.request)
            #expect(try client.response().status == 200)
            // It is trusted, and so are its forwarded fields.
            #expect(rig.replica.requests.first?.values("x-forwarded-for") == ["192.0.2.99, 127.0.0.1"])
        }

        @Test("an untrusted client is refused, with or without a header", arguments: ["", line])
        func untrusted(_ header: String) throws {
            let rig = try Self.rig(trusting: Self.range(0x0a00_0000, 8))
            let client = try rig.client()
            client.send(header + Self.request)
            #expect(try client.readUntilEnd().isEmpty)
            #expect(throws: Client.Failure.self) { try rig.secureClient() }
            #expect(rig.replica.requests.isEmpty)
            #expect(try Self.refused(rig) == Status.ProxyProtocol(untrusted: 2, malformed: 0, timedOut: 0))
        }

        @Test(
            "a connection with a missing, malformed or incomplete header closes without a response",
            arguments: [
                (request, 1, 0), ("PROXY TCP4 1.2.3.4 1.2.3.4 1 99999\r\n" + request, 1, 0),
                ("PROXY TCP4 203.0.113.7 ", 0, 1), ("", 0, 1),
            ])
        func bad(_ text: String, malformed: Int, timedOut: Int) throws {
            let rig = try Self.rig()
            #expect(try Self.refused(rig) == Status.ProxyProtocol(untrusted: 0, malformed: 0, timedOut: 0))
            let client = try rig.client()
            client.send(text)
            #expect(try client.readUntilEnd().isEmpty)
            #expect(rig.replica.requests.isEmpty)
            #expect(
                try Self.refused(rig) == Status.ProxyProtocol(untrusted: 0, malformed: malformed, timedOut: timedOut))
            try rig.expectIdle()
        }

        @Test("only one header is read: a second one is a malformed request")
        func twice() throws {
            let rig = try Self.rig()
            let client = try rig.client()
            client.send(Self.line + Self.line + Self.request)
            #expect(try client.response().status == 400)
            #expect(rig.replica.requests.isEmpty)
        }
    }
}
