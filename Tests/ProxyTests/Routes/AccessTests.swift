import Configuration
import Kernel
import Simulation
import TestSupport
import Testing

@testable import Proxy

/// Whose requests are served, by the client's address.
@Suite("allow and deny")
struct AccessTests {
    private static func address(_ text: String) throws -> SocketAddress {
        try #require(SocketAddress(literal: text, port: 40_000))
    }

    private static func rules(_ text: String) throws -> AddressRules {
        let stage = ProxyStage(seed: 1)
        try stage.configure(listen: text)
        return stage.listener.access
    }

    static let cases: [(rules: String, admitted: [String], denied: [String])] = [
        ("", ["192.0.2.1", "::1"], []),
        ("allow = [\"10.0.0.0/8\"]", ["10.255.0.1", "::ffff:10.0.0.1"], ["11.0.0.0", "::1", "::10.0.0.1"]),
        ("deny = [\"10.0.0.0/8\"]", ["11.0.0.0", "::1", "9.255.255.255"], ["10.0.0.0", "::ffff:10.1.2.3"]),
        // The longest prefix decides, whatever the order.
        (
            "allow = [\"10.0.0.0/8\", \"10.1.2.3\"]\ndeny = [\"10.1.0.0/16\"]", ["10.2.0.1", "10.1.2.3"],
            ["10.1.2.4", "192.0.2.1"]
        ),
        ("allow = [\"10.1.0.0/16\"]\ndeny = [\"10.0.0.0/8\"]", ["10.1.0.1"], ["10.2.0.1", "192.0.2.1"]),
        ("deny = [\"0.0.0.0/0\"]\nallow = [\"192.0.2.7\"]", ["192.0.2.7"], ["192.0.2.8", "::1"]),
        ("allow = [\"2001:db8::/32\"]", ["2001:db8:ffff::1"], ["2001:db9::", "32.1.13.184", "::1"]),
        // All of IPv6 is not all of IPv4, but what is written in its form is meant.
        ("deny = [\"::/0\"]", ["192.0.2.1"], ["::1", "2001:db8::1"]),
        ("deny = [\"::/0\", \"0.0.0.0/0\"]", [], ["::1", "192.0.2.1"]),
        ("deny = [\"::ffff:192.0.2.0/120\"]", ["192.0.3.1"], ["192.0.2.1", "::ffff:192.0.2.1"]),
        ("allow = [\"192.0.2.0/24\"]\ndeny = [\"::ffff:192.0.2.0/120\"]", [], ["192.0.2.1"]),
        ("allow = [\"0.0.0.0/0\"]", ["0.0.0.0", "255.255.255.255"], ["::1"]),
    ]

    @Test("the longest prefix that has an address decides", arguments: cases)
    func table(rules text: String, admitted: [String], denied: [String]) throws {
        let rules = try Self.rules(text)
        for (addresses, isAdmitted) in [(admitted, true), (denied, false)] {
            for text in addresses {
                let address = try Self.address(text)
                #expect(
                    rules.admits(high: address.high, low: address.low, isIPv4: address.isIPv4) == isAdmitted, "\(text)")
            }
        }
    }

    @Test("who is not served gets 403 with the id of the request", arguments: 1...2)
    func denied(seed: UInt64) throws {
        let stage = ProxyStage(seed: seed)
        try stage.configure(listen: "allow = [\"10.0.0.0/8\"]\ndeny = [\"127.0.0.0/8\"]")
        let server = ScriptedServer(stage) { _ in .reply("ok") }
        let (inside, outside) = (try Self.address("10.1.1.1"), try Self.address("192.0.2.1"))
        let client = stage.connect(from: outside)
        client.ask(.post(.call(7)))
        client.ask(.get())
        stage.run { client.responses.count == 2 }
        #expect(client.responses.map(\.status) == [403, 403], "seed \(seed)")
        #expect(
            client.responses.first?.text
                == #"{"jsonrpc":"2.0","id":7,"error":{"code":-32600,"message":"Requests from this address are not served","data":{"reason":"address_denied"}}}"#
        )
        client.leave()
        #expect(stage.answerHTTP2("GET", "/mcp").status == 403, "from 127.0.0.1, seed \(seed)")
        #expect(stage.answer(.get(), from: inside).text == "ok", "seed \(seed)")
        #expect(server.requests.count == 1)
        stage.expectEveryExchangeEndedOnce()
        stage.expectNoLeaks()
    }

    @Test("the address is that which trusted proxies name")
    func forwarded() throws {
        let stage = ProxyStage(seed: 1)
        try stage.configure(listen: "trusted_proxies = [\"10.0.0.0/8\"]\nallow = [\"192.0.2.0/24\", \"2001:db8::/32\"]")
        _ = ScriptedServer(stage) { _ in .reply("ok") }
        let (proxy, outsider) = (try Self.address("10.1.1.1"), try Self.address("198.51.100.1"))
        func status(_ chain: String, from peer: SocketAddress) -> Int {
            stage.answer(.get(extra: "X-Forwarded-For: \(chain)\r\n"), from: peer).status
        }
        #expect(status("192.0.2.1", from: proxy) == 200)
        #expect(status("192.0.2.1, 10.9.9.9", from: proxy) == 200)
        #expect(status("[2001:db8::1]:99", from: proxy) == 200)
        #expect(status("192.0.2.1, 203.0.113.1", from: proxy) == 403, "the nearest that is not trusted")
        #expect(status("192.0.2.1, nobody", from: proxy) == 403)
        #expect(status("192.0.2.1", from: outsider) == 403, "anybody can say so")
        #expect(stage.answer(.get(), from: proxy).status == 403, "the proxy itself")
    }

    @Test("the PROXY protocol names the client")
    func proxyProtocol() throws {
        let stage = ProxyStage(seed: 1)
        try stage.configure(
            listen: "proxy_protocol = true\ntrusted_proxies = [\"10.0.0.0/8\"]\nallow = [\"203.0.113.0/24\"]")
        _ = ScriptedServer(stage) { _ in .reply("ok") }
        let proxy = try Self.address("10.1.1.1")
        for (source, status) in [("203.0.113.7", 200), ("198.51.100.7", 403), ("10.1.1.1", 403)] {
            let header = "PROXY TCP4 \(source) 198.51.100.2 4711 80\r\n"
            let client = stage.connect(from: proxy)
            client.expect("GET")
            client.peer.perform(.text(header + .get()))
            stage.run { client.responses.count == 1 }
            #expect(client.responses.first?.status == status, "\(source)")
            client.leave()
        }
    }

    @Test("a route has rules of its own, beside those of the listener")
    func routes() throws {
        let stage = ProxyStage(seed: 1)
        try stage.configure(
            listen: "deny = [\"192.0.2.66\"]",
            """
            [[route]]
            path = "/admin"
            upstream = "mcp"
            allow = ["192.0.2.0/24"]
            response_headers = { set = { "X-A" = "1" } }
            [[route]]
            path = "/hello"
            respond = 204
            deny = ["192.0.2.0/24"]
            [[route]]
            upstream = "mcp"
            """)
        let server = ScriptedServer(stage) { _ in .reply("ok") }
        let (inside, outside) = (try Self.address("192.0.2.1"), try Self.address("198.51.100.1"))
        #expect(stage.answer(.get("/admin"), from: inside).status == 200)
        let denied = stage.answer(.get("/admin"), from: outside)
        #expect(denied.status == 403 && denied["x-a"] == "1")
        #expect(stage.answer(.get("/hello"), from: inside).status == 403)
        #expect(stage.answer(.get("/hello"), from: outside).status == 204)
        #expect(stage.answer(.get("/mcp"), from: outside).status == 200)
        #expect(stage.answer(.get("/mcp"), from: try Self.address("192.0.2.66")).status == 403)
        #expect(server.requests.count == 2)
        stage.expectNoLeaks()
    }
}

/// The client's address in a field of the trusted proxies' own.
@Suite("trusted_header")
struct TrustedHeaderTests {
    private static let listen = """
        trusted_proxies = ["10.0.0.0/8"]
        trusted_header = "CF-Connecting-IP"
        deny = ["203.0.113.0/24"]
        """

    private func stage(_ listen: String = listen) throws -> (ProxyStage, ScriptedServer) {
        let stage = ProxyStage(seed: 1)
        try stage.configure(listen: listen)
        return (stage, ScriptedServer(stage) { _ in .reply("ok") })
    }

    private static let proxy = SocketAddress.ipv4(0x0a00_0001, port: 5)
    private static let outsider = SocketAddress.ipv4(0xc633_6401, port: 5)

    @Test("a trusted proxy names the client, and servers are told")
    func named() throws {
        let (stage, server) = try stage()
        for (fields, chain) in [
            ("", "192.0.2.7, 10.0.0.1"), ("X-Forwarded-For: 203.0.113.9\r\n", "203.0.113.9, 10.0.0.1"),
            ("X-Real-IP: 203.0.113.9\r\n", "192.0.2.7, 10.0.0.1"),
        ] {
            let answer = stage.answer(.get(extra: "CF-Connecting-IP: 192.0.2.7\r\n\(fields)"), from: Self.proxy)
            #expect(answer.status == 200)
            let request = try #require(server.requests.last)
            #expect(request.all("x-real-ip") == ["192.0.2.7"], "\(fields)")
            #expect(request.all("x-forwarded-for") == [chain], "\(fields)")
            #expect(request.all("cf-connecting-ip") == ["192.0.2.7"], "\(fields)")
        }
        #expect(stage.answer(.get(extra: "cf-connecting-ip: 203.0.113.9\r\n"), from: Self.proxy).status == 403)
        let modern = stage.answer(.get(extra: "CF-Connecting-IP: 2001:db8::7\r\n"), from: Self.proxy)
        #expect(modern.status == 200)
        #expect(server.requests.last?["x-real-ip"] == "2001:db8::7")
    }

    @Test("of anybody else the field reaches no server, in no spelling")
    func untrusted() throws {
        let (stage, server) = try stage()
        for name in ["CF-Connecting-IP", "cf-connecting-ip", "CF_Connecting_IP", "cf-connecting_ip"] {
            let answer = stage.answer(.get(extra: "\(name): 192.0.2.7\r\nX-Kept: 1\r\n"), from: Self.outsider)
            #expect(answer.status == 200)
            let request = try #require(server.requests.last)
            #expect(!request.fields.contains { $0.value.contains("192.0.2.7") }, "\(name)")
            #expect(request["x-real-ip"] == "198.51.100.1" && request["x-kept"] == "1")
        }
        #expect(stage.answer(.get(extra: "CF-Connecting-IP: 203.0.113.9\r\n"), from: Self.outsider).status == 200)
        // Of a trusted proxy, too, only the name itself is taken.
        _ = stage.answer(.get(extra: "CF_Connecting_IP: 192.0.2.7\r\n"), from: Self.proxy)
        #expect(server.requests.last?.fields.contains { $0.value.contains("192.0.2.7") } == false)
        #expect(server.requests.last?["x-real-ip"] == "10.0.0.1")
    }

    @Test("two of them, or no address, are none: the client is the proxy")
    func unreadable() throws {
        let (stage, server) = try stage()
        for fields in [
            "CF-Connecting-IP: 192.0.2.7\r\nCF-Connecting-IP: 192.0.2.8\r\n", "CF-Connecting-IP: nobody\r\n",
            "CF-Connecting-IP:\r\n", "CF-Connecting-IP: 192.0.2.7, 192.0.2.8\r\n", "CF-Connecting-IP: 192.0.2.256\r\n",
            "CF-Connecting-IP: 192.0.2.7\r\nConnection: cf-connecting-ip\r\n", "X-Forwarded-For: 192.0.2.7\r\n",
        ] {
            #expect(stage.answer(.get(extra: fields), from: Self.proxy).status == 200)
            #expect(server.requests.last?["x-real-ip"] == "10.0.0.1", "\(fields)")
        }
    }

    @Test("without the key the field is one like others")
    func off() throws {
        let (stage, server) = try stage("trusted_proxies = [\"10.0.0.0/8\"]")
        _ = stage.answer(.get(extra: "CF-Connecting-IP: 192.0.2.7\r\n"), from: Self.outsider)
        #expect(server.requests.last?["cf-connecting-ip"] == "192.0.2.7")
    }
}
