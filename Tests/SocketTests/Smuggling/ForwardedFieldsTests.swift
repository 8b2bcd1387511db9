import Configuration
import Proxy
import Testing

extension SocketTests {
    @Suite("Forwarded fields", .serialized)
    struct ForwardedFieldsTests {
        private static let spoofed =
            "GET /one HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 203.0.113.10\r\n"
            + "X-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nX-Real-IP: 203.0.113.9\r\n"
            + "Forwarded: for=203.0.113.9\r\nX_Forwarded_For: 203.0.113.9\r\nX-Forwarded_Proto: https\r\n"
            + "X_Real_IP: 203.0.113.9\r\nMcp_Session_Id: x\r\nX-Other_Name: kept\r\n\r\n"

        @Test("forwarded fields of untrusted clients are replaced", arguments: [false, true])
        func untrusted(_ isSecure: Bool) throws {
            let rig = try Rig()
            let client = try isSecure ? rig.secureClient() : rig.client()

            client.send(Self.spoofed)

            #expect(try client.response().status == 200)
            let request = try #require(rig.replica.requests.first)
            #expect(request.values("x-forwarded-for") == ["127.0.0.1"])
            #expect(request.values("x-real-ip") == ["127.0.0.1"])
            #expect(request.values("x-forwarded-proto") == [isSecure ? "https" : "http"])
            #expect(request.values("x-forwarded-host") == ["a"])
            #expect(request.values("forwarded").isEmpty)
            #expect(request.names.filter { $0.contains("_") } == ["x-other_name"])
        }

        @Test("forwarded fields of a trusted proxy are kept, and its address is appended")
        func trusted() throws {
            let rig = try Rig(adjusting: { listener, _ in listener.trusted = [Self.loopback] })
            let client = try rig.client()

            client.send(Self.spoofed)

            #expect(try client.response().status == 200)
            let request = try #require(rig.replica.requests.first)
            #expect(request.values("x-forwarded-for") == ["203.0.113.9, 203.0.113.10, 127.0.0.1"])
            #expect(request.values("x-real-ip") == ["203.0.113.9"])
            #expect(request.values("x-forwarded-proto") == ["https"])
            #expect(request.values("x-forwarded-host") == ["evil"])
            #expect(request.values("forwarded") == ["for=203.0.113.9"])
            #expect(request.names.filter { $0.contains("_") } == ["x-other_name"])
        }

        @Test("Connection cannot remove the forwarded fields", arguments: [false, true])
        func named(_ isTrusted: Bool) throws {
            let rig = try Rig(adjusting: { listener, _ in if isTrusted { listener.trusted = [Self.loopback] } })
            let client = try rig.client()

            client.send(
                "GET /one HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n"
                    + "X-Forwarded-Host: b\r\nX-Real-IP: 203.0.113.9\r\n"
                    + "Connection: x-forwarded-for, x-forwarded-proto, x-forwarded-host, x-real-ip\r\n\r\n")

            #expect(try client.response().status == 200)
            let request = try #require(rig.replica.requests.first)
            for name in ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-real-ip"] {
                #expect(request.values(name).count == 1, "\(name)")
            }
        }

        private static let loopback = AddressRange(
            high: 0, low: 0xffff_7f00_0000, prefix: 8, isIPv4: true, description: "127.0.0.0/8")
    }
}
