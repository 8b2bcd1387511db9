import Configuration
import Testing

/// Who may ask, by the page and by the host.
@Suite("Keys of the front door")
struct FrontDoorKeysTests {
    private func file(listen: String = "http = \":80\"", _ routes: String = "", upstream: String = "") throws
        -> ConfigurationFile
    {
        let text = "[listen]\n\(listen)\n[upstream.a]\nservers = [\"a:1\"]\n\(upstream)\n\(routes)"
        let file = try ConfigurationFile.parse(text, file: "berth.toml", checks: .none).get()
        let again = try ConfigurationFile.parse(file.effectiveText(), file: "again.toml", checks: .none).get()
        #expect(again.configuration == file.configuration, "\(file.effectiveText())")
        return file
    }

    private func route(_ rest: String) throws -> RouteConfiguration {
        try file("[[route]]\nupstream = \"a\"\n\(rest)\n").configuration.routes[0]
    }

    @Test("without the keys nothing is asked")
    func none() throws {
        let file = try file("[[route]]\nupstream = \"a\"\n")
        #expect(file.configuration.routes[0].origins == nil && file.configuration.routes[0].crossOrigins == nil)
        #expect(file.configuration.listeners[0].hosts.isEmpty)
    }

    @Test("origins are serialised as browsers do")
    func origins() throws {
        let route = try route(
            #"origin = ["HTTPS://App.Example.com:443", "http://localhost:6274", "http://[0:0::1]:80", "null", "app://-"]"#
        )
        #expect(
            route.origins == ["https://app.example.com", "http://localhost:6274", "http://[::1]", "null", "app://-"])
        #expect(try self.route("origin = []").origins == [])
    }

    @Test("cors is a list of origins, or everybody")
    func crossOrigins() throws {
        #expect(try route(#"cors = ["*"]"#).crossOrigins == .everybody)
        #expect(try route(#"cors = ["https://App.test"]"#).crossOrigins == .origins(["https://app.test"]))
        let both = try route("origin = [\"https://a.test\", \"https://b.test\"]\ncors = [\"https://b.test:443\"]")
        #expect(both.crossOrigins == .origins(["https://b.test"]))
    }

    @Test("a public address is an origin")
    func publicURL() throws {
        for (text, url) in [
            ("https://MCP.example.com:443", "https://mcp.example.com"), ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            let file = try file(listen: "http = \":80\"\npublic_url = \"\(text)\"")
            #expect(file.configuration.listeners[0].publicURL == url)
        }
    }

    @Test("keys of requests that belong together")
    func affinityKeys() throws {
        for (text, key) in [
            ("query:state", AffinityKeyConfiguration.query("state")), ("cookie:__Host-flow", .cookie("__Host-flow")),
            ("header:X-Tenant", .header("x-tenant")),
        ] {
            let file = try file(upstream: "affinity_key = \"\(text)\"")
            #expect(file.configuration.upstreams[0].affinityKey == key)
        }
    }

    @Test("limits")
    func limits() throws {
        let none = try file("[[route]]\nupstream = \"a\"\n").configuration
        #expect(none.global.memoryLimit == nil && none.listeners[0].maximumPerAddress == nil)
        #expect(none.routes[0].responseLimit == nil)
        #expect(try route("response_limit = \"10MiB\"").responseLimit == 10 << 20)
        let listener = try file(listen: "http = \":80\"\nmax_connections_per_address = 9").configuration.listeners[0]
        #expect(listener.maximumPerAddress == 9)
        let off = try file(listen: "http = \":80\"\nmax_connections_per_address = \"off\"").configuration.listeners[0]
        #expect(off.maximumPerAddress == nil)
        #expect(listener.connectionOpens == nil)
        let opens = try ["30/min", "50/s", "off"].map {
            try file(listen: "http = \":80\"\nconnection_opens = \"\($0)\"").configuration.listeners[0].connectionOpens
        }
        #expect(opens == [RateText(30, per: 60), RateText(50, per: 1), nil])
        #expect(try file("[global]\nmemory_limit = \"512MiB\"\n").configuration.global.memoryLimit == 512 << 20)
    }

    @Test("hosts are compared as routes compare theirs")
    func hosts() throws {
        let file = try file(
            listen: "http = \":80\"\nhosts = [\"MCP.Example.com.\", \"[2001:DB8:0::1]\", \"192.0.2.1\"]")
        #expect(file.configuration.listeners[0].hosts == ["mcp.example.com", "2001:db8::1", "192.0.2.1"])
    }
}
