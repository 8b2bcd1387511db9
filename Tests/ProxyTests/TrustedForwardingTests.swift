import Balancing
import Configuration
import Kernel
import Testing

@testable import Proxy

/// Whom a request is taken to come from where ip-hash places it, and by whose word.
@Suite("X-Forwarded-For of trusted proxies")
struct TrustedForwardingTests {
    private static let servers = 64
    private static let proxy = "10.0.0.9"
    private static let client = "192.0.2.1"
    private static let clientV6 = "2001:db8::1"

    private static func address(_ text: String) throws -> SocketAddress {
        try #require(SocketAddress(literal: text, port: 40_000))
    }

    /// 10.0.0.0/8 and fd00::/8.
    private static func trusted() throws -> [AddressRange] {
        let (four, six) = (try address("10.0.0.0"), try address("fd00::"))
        return [
            AddressRange(high: four.high, low: four.low, prefix: 8, isIPv4: true, description: "10.0.0.0/8"),
            AddressRange(high: six.high, low: six.low, prefix: 8, isIPv4: false, description: "fd00::/8"),
        ]
    }

    private static func stage(trusting ranges: [AddressRange]) -> (ProxyStage, [ScriptedServer]) {
        let stage = ProxyStage(seed: 3, servers: servers)
        stage.plan.policy = .ipHash
        stage.listener.trusted = ranges
        return (stage, (0..<servers).map { index in ScriptedServer(stage, index) { _ in .reply("\(index)") } })
    }

    /// The server that a request from `peer` with these fields goes to.
    private static func server(_ stage: ProxyStage, from peer: String, _ fields: [String] = []) throws -> String {
        let client = stage.connect(from: try address(peer))
        let lines = fields.map { "X-Forwarded-For: \($0)\r\n" }.joined()
        client.ask(.get("/", extra: lines))
        #expect(stage.run { client.responses.count == 1 })
        client.leave()
        return try #require(client.responses.first).text
    }

    struct Walk: CustomTestStringConvertible {
        let peer: String
        let fields: [String]
        /// Who the client is then.
        let source: String

        init(_ fields: [String], _ source: String, peer: String = proxy) {
            self.peer = peer
            self.fields = fields
            self.source = source
        }

        var testDescription: String { "\(peer) says \(fields)" }
    }

    static let walks = [
        // The proxy's word counts; what its client said before it does not.
        Walk([client], client),
        Walk(["198.51.100.7, \(client)"], client),
        Walk(["198.51.100.7,\(client)"], client),
        Walk(["  \(client)  "], client),
        // A chain of trusted proxies is walked to its other end.
        Walk(["\(client), 10.1.2.3, 10.4.5.6"], client),
        Walk(["198.51.100.7, \(client), 10.1.2.3"], client),
        Walk(["\(client), fd00:0:0:5::1"], client),
        // A chain of nothing but trusted ones ends at the farthest.
        Walk(["10.1.2.3, 10.4.5.6"], "10.1.2.3"),
        Walk([], proxy),
        // Nobody believes a peer that is not trusted.
        Walk([client], "198.51.100.7", peer: "198.51.100.7"),
        Walk(["10.1.2.3"], "198.51.100.7", peer: "198.51.100.7"),
        Walk([client], "fe80::1", peer: "fe80::1"),
        // Field lines are one list, in order (RFC 9110 §5.3).
        Walk(["198.51.100.7", client], client),
        Walk([client, "10.1.2.3"], client),
        Walk(["198.51.100.7, \(client)", "10.1.2.3, 10.4.5.6"], client),
        // Behind garbage nobody is believed: the last good hop is the client.
        Walk(["\(client), unknown"], proxy),
        Walk(["\(client), unknown, 10.1.2.3"], "10.1.2.3"),
        Walk(["\(client), _hidden", "10.1.2.3"], "10.1.2.3"),
        Walk(["\(client), 10.1.2"], proxy),
        Walk(["\(client), 10.1.2.300"], proxy),
        // An empty element is none (RFC 9110 §5.6.1.2).
        Walk(["\(client),"], client),
        Walk([",\(client),,10.1.2.3,"], client),
        Walk([""], proxy),
        Walk([","], proxy),
        Walk(["\(client), , 10.1.2.3"], client),
        Walk(["\(client), \t ,"], client),
        Walk([" \t"], proxy),
        // White space is spaces and tabs (RFC 9110 §5.6.3).
        Walk(["198.51.100.7,\t\(client)\t,\t 10.1.2.3"], client),
        Walk(["192.0.2. 1"], proxy),
        // Brackets are for a whole address, with or without a port.
        Walk(["\(client), [\(clientV6)"], proxy),
        Walk(["\(client), [\(clientV6)]x"], proxy),
        Walk(["\(client), [\(clientV6)]4711"], proxy),
        Walk(["\(client), [\(clientV6)]:"], proxy),
        Walk(["\(client), [\(clientV6)]:47x"], proxy),
        Walk(["\(client), [\(clientV6)]:47:11"], proxy),
        Walk(["\(client), \(clientV6)]"], proxy),
        // Ports are left out, and must be some.
        Walk(["198.51.100.7, \(client):"], proxy),
        Walk(["198.51.100.7, \(client):http"], proxy),
        Walk(["198.51.100.7, \(client):80:80"], proxy),
        Walk(["198.51.100.7, :4711"], proxy),
        Walk(["\(client):4711"], client),
        Walk(["\(client):4711, 10.1.2.3:80"], client),
        Walk([clientV6], clientV6),
        Walk(["[\(clientV6)]"], clientV6),
        Walk(["[\(clientV6)]:4711"], clientV6),
        Walk(["2001:0DB8:0:0::1"], clientV6),
        // RFC 4291 §2.5.5.2: an IPv4 address in IPv6 form.
        Walk(["::ffff:\(client)"], client),
        Walk(["[::ffff:\(client)]:4711"], client),
        Walk(["\(client), ::ffff:10.1.2.3"], client),
        Walk(["[\(clientV6)]:4711, [fd00:0:0:5::1]:80, fd00:0:0:6::1"], clientV6),
        Walk([clientV6], clientV6, peer: "fd00:0:0:7::1"),
    ]

    @Test("a request is placed by the last address that is not a trusted proxy's", arguments: walks)
    func walk(_ walk: Walk) throws {
        let (direct, directServers) = Self.stage(trusting: [])
        let expected = try Self.server(direct, from: walk.source)
        let (stage, servers) = Self.stage(trusting: try Self.trusted())

        #expect(try Self.server(stage, from: walk.peer, walk.fields) == expected)

        #expect(directServers.count == servers.count)
    }

    @Test("the addresses of these tests have servers of their own, so that a wrong one is seen")
    func distinct() throws {
        let (stage, servers) = Self.stage(trusting: [])
        let sources = Set(Self.walks.map(\.source) + ["10.4.5.6", "fd00:0:0:5::1", "fd00:0:0:6::1"])
        let chosen = try sources.map { try Self.server(stage, from: $0) }
        #expect(Set(chosen).count == sources.count)
        #expect(servers.allSatisfy { $0.requests.count <= 1 })
    }

    @Test("without trusted ranges the field is not looked at")
    func nobodyTrusted() throws {
        let (stage, servers) = Self.stage(trusting: [])
        let plain = try Self.server(stage, from: Self.proxy)
        #expect(try Self.server(stage, from: Self.proxy, [Self.client]) == plain)
        #expect(servers.map(\.requests.count).max() == 2)
    }
}
