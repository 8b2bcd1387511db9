import Configuration
import Kernel
import Simulation
import TestSupport
import Testing

@testable import Proxy

/// What servers are told about where a request comes from.
@Suite("Forwarded fields on the simulated network")
struct ForwardedFieldsTests {
    /// Claims that servers and frameworks believe, and that only a proxy may make.
    static let claims = [
        "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Ssl", "X-Forwarded-Scheme", "X-Forwarded-Server",
        "X-Forwarded-By", "X-Forwarded-Protocol", "X-Forwarded-Client-Cert", "x-forwarded-anything-at-all-however-long",
        "X-Original-URL", "X-Rewrite-URL", "X-Original-Host", "Front-End-Https", "X-Url-Scheme", "Forwarded",
        "X_Forwarded_Port",
        "X-Forwarded_Prefix", "X_Original_URL",
    ]
    static let anyone = AddressRange(high: 0, low: 0, prefix: 0, isIPv4: false, description: "::/0")

    private func stage(_ change: (inout ListenerPlan) -> Void = { _ in }) -> (ProxyStage, ScriptedServer) {
        let stage = ProxyStage(seed: 5)
        change(&stage.listener)
        return (stage, ScriptedServer(stage) { _ in .reply("ok") })
    }

    @Test("claims of an untrusted peer reach no server", arguments: claims)
    func untrusted(name: String) throws {
        let (stage, server) = stage()
        let client = stage.connect()
        client.ask(.get(extra: "\(name): claimed\r\nX-Forwarder: kept\r\nX-Original: kept\r\n"))
        #expect(stage.run { client.responses.count == 1 })
        let request = try #require(server.requests.first)
        #expect(!request.fields.contains { $0.value == "claimed" }, "\(request.fields)")
        #expect(request.fields.count { $0.value == "kept" } == 2)
        client.leave()
    }

    @Test("claims of a trusted proxy reach the server", arguments: claims.filter { !$0.contains("_") })
    func trusted(name: String) throws {
        let (stage, server) = stage { $0.trusted = [Self.anyone] }
        let client = stage.connect()
        client.ask(.get(extra: "\(name): claimed\r\n"))
        #expect(stage.run { client.responses.count == 1 })
        #expect(try #require(server.requests.first)[name] == "claimed")
        client.leave()
    }

    /// A PROXY header of version 2 for 203.0.113.7 with these extensions.
    static func header(_ extensions: [UInt8]) -> [UInt8] {
        let rest = [203, 0, 113, 7, 198, 51, 100, 2, 1, 2, 3, 4] + extensions
        return [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10, 0x21, 0x11, 0, UInt8(rest.count)] + rest
    }

    /// PP2_TYPE_SSL: the client's flags, the result of verification, and what is said of the version.
    static func tls(_ flags: UInt8) -> [UInt8] { [0x20, 0, 15, flags, 0, 0, 0, 0, 0x21, 0, 7] + Array("TLSv1.3".utf8) }

    @Test("a listener behind a balancer that speaks TLS says so", arguments: [false, true])
    func listenerKey(isSet: Bool) {
        let (stage, server) = stage { $0.forwardsAsHTTPS = isSet }
        let client = stage.connect()
        client.ask(.get(extra: "X-Forwarded-Proto: ws\r\n"))
        let modern = stage.connectHTTP2()
        let stream = modern.ask("GET", "/")
        #expect(stage.run { client.responses.count == 1 && modern.isDone(stream) })
        let proto = isSet ? "https" : "http"
        #expect(server.requests.map { $0.all("x-forwarded-proto") } == [[proto], [proto]])
        client.leave()
        modern.leave()
    }

    @Test(
        "a PROXY header that says TLS makes the request one over https",
        arguments: [
            (tls(1), "https"), (tls(7), "https"), ([0x04, 0, 2, 0, 0] + tls(1), "https"), (tls(0), "http"),
            (tls(6), "http"),
            ([], "http"), ([0x20, 0, 0], "http"), ([0x20, 0, 4, 1, 0, 0, 0], "http"),
            ([0x20, 0, 200, 1, 0, 0, 0, 0], "http"),
            ([0x20], "http"), ([0x20, 0], "http"), ([0x04, 0xff, 0xff] + tls(1), "http"),
        ] as [([UInt8], String)])
    func proxyHeader(extensions: [UInt8], proto: String) throws {
        let (stage, server) = stage {
            $0.trusted = [AddressRange(high: 0, low: 0xffff_7f00_0000, prefix: 8, isIPv4: true, description: "")]
            $0.expectsProxyHeader = true
        }
        let client = stage.connect()
        client.ask("GET", [.send(Self.header(extensions)), .text(.get())])
        client.ask(.get())
        #expect(stage.run { client.responses.count == 2 })
        #expect(server.requests.map { $0["x-forwarded-proto"] } == [proto, proto])
        #expect(server.requests.first?["x-forwarded-for"] == "203.0.113.7")
        client.leave()
    }
}
