import Foundation
import Import
import Kernel
import Proxy
import Testing

/// What is imported keeps sessions, on real sockets: Berth in front of three replicas that hold their sessions.
@Suite("Sessions through imported configurations", .serialized)
struct SessionTests {
    /// Where a configuration serves sessions.
    struct Served: Sendable, CustomTestStringConvertible {
        var name: String
        var prefix = ""
        var host = "mcp.example.com"
        var isLegacy = false

        var testDescription: String { "\(name) \(host)\(prefix)\(isLegacy ? "/sse" : "/mcp")" }
    }

    private static func both(_ name: String) -> [Served] { [Served(name: name), Served(name: name, isLegacy: true)] }

    static let served: [Served] = [
        [
            Served(name: "nginx/01-lesson-sse.conf", isLegacy: true),
            Served(name: "nginx/02-lesson-streamable-http.conf"),
            Served(name: "nginx/04-prefixes.conf", prefix: "/weather"),
            Served(name: "nginx/04-prefixes.conf", prefix: "/files", isLegacy: true),
            Served(name: "nginx/05-rewrite-break.conf", prefix: "/github"),
            Served(name: "nginx/05-rewrite-break.conf", prefix: "/slack"),
            Served(name: "nginx/05-rewrite-break.conf", prefix: "/jira", isLegacy: true),
            Served(name: "nginx/15-several-hosts.conf", host: "weather.example.com"),
            Served(name: "nginx/15-several-hosts.conf", host: "docs.example.com"),
            Served(name: "nginx/23-included.conf", prefix: "/v1"),
            Served(name: "nginx/24-api-keys.conf", prefix: "/public"),
            Served(name: "haproxy/07-hosts-and-prefixes.cfg", host: "weather.example.com"),
            Served(name: "haproxy/07-hosts-and-prefixes.cfg", prefix: "/github"),
        ],
        ["03-one-container", "12-behind-a-cdn", "16-expressions", "18-weights"].flatMap { both("nginx/\($0).conf") },
        ["01-round-robin", "04-stick-on-requests", "05-hash-of-the-header", "06-source"].flatMap {
            both("haproxy/\($0).cfg")
        },
        [
            "06-certbot", "07-security-headers", "08-hash-of-the-session", "09-map-of-sessions", "10-cors",
            "11-oauth-metadata",
            "13-allow-and-deny", "14-tls-to-servers", "17-limits-and-passwords", "19-site-with-mcp",
            "20-client-certificates",
            "21-names-resolved-late", "22-short-timeouts",
        ].map { Served(name: "nginx/\($0).conf") },
        [
            "02-tls-and-redirect", "03-learned-ids", "08-tls-to-servers", "09-rates-and-addresses", "10-found-by-name",
            "11-behind-a-balancer",
        ].map { Served(name: "haproxy/\($0).cfg") },
    ].flatMap { $0 }

    @Test("Every configuration that serves sessions is tried")
    func coverage() throws {
        let silent = ["haproxy/12-bearer-tokens.cfg"]
        #expect(Set(SampleSources.names).subtracting(Self.served.map(\.name)).sorted() == silent)
    }

    @Test("100 of 100 sessions stay whole", arguments: served)
    func whole(_ served: Served) throws {
        let rig = try SessionRig()
        let proxy = try rig.proxy(SampleSources.imported(served.name).text)
        defer { proxy.stop() }
        let probe = SessionProbe(address: proxy.addresses[0], host: served.host, prefix: served.prefix)

        let whole = served.isLegacy ? probe.wholeLegacySessions(of: 100) : probe.wholeSessions(of: 100)

        #expect(whole == 100)
    }
}

/// The same source in nginx itself and in Berth, in front of the same kind of replicas.
@Suite(
    "Sessions through nginx and through what is imported", .serialized,
    .enabled(if: RealNginx.program != nil, "needs nginx"))
struct SideBySideTests {
    @Test(
        "What nginx loses is kept",
        arguments: [
            ("02-lesson-streamable-http", 0...5), ("08-hash-of-the-session", 5...70), ("09-map-of-sessions", 0...5),
            ("10-cors", 0...5),
        ] as [(String, ClosedRange<Int>)])
    func sessions(name: String, expected: ClosedRange<Int>) throws {
        let rig = try SessionRig()
        let source = String(decoding: try SampleSources.bytes("nginx/\(name).conf"), as: UTF8.self)
        let nginx = try RealNginx(source, replicas: rig.addresses)
        let byNginx = SessionProbe(address: nginx.address).wholeSessions(of: 100)
        nginx.stop()
        let proxy = try rig.proxy(SampleSources.imported("nginx/\(name).conf").text)
        defer { proxy.stop() }
        let byBerth = SessionProbe(address: proxy.addresses[0]).wholeSessions(of: 100)

        print("\(name): of 100 sessions nginx keeps \(byNginx), what is imported keeps \(byBerth)")
        #expect(expected.contains(byNginx) && byBerth == 100)
    }

    @Test("What nginx keeps is kept: the lesson's block for HTTP+SSE, from one address")
    func legacy() throws {
        let rig = try SessionRig()
        let source = String(decoding: try SampleSources.bytes("nginx/01-lesson-sse.conf"), as: UTF8.self)
        let nginx = try RealNginx(source, replicas: rig.addresses)
        defer { nginx.stop() }

        #expect(SessionProbe(address: nginx.address).wholeLegacySessions(of: 20) == 20)
    }
}
