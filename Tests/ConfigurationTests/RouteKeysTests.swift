import Configuration
import Testing

/// What routes and listeners may say beside the upstream.
@Suite("Keys of routes and of clients")
struct RouteKeysTests {
    private func file(listen: String = "http = \":80\"", _ routes: String) throws -> ConfigurationFile {
        let text = "[listen]\n\(listen)\n[upstream.a]\nservers = [\"a:1\"]\n\(routes)"
        return try ConfigurationFile.parse(text, file: "berth.toml", checks: .none).get()
    }

    private func route(_ rest: String) throws -> RouteConfiguration {
        let file = try file("[[route]]\n\(rest)\n")
        let again = try ConfigurationFile.parse(file.effectiveText(), file: "again.toml", checks: .none).get()
        #expect(again.configuration == file.configuration)
        return file.configuration.routes[0]
    }

    @Test("a route without any of them has none")
    func none() throws {
        let route = try route("path = \"/mcp\"\nupstream = \"a\"")
        #expect(route == RouteConfiguration(host: nil, path: .exact("/mcp"), upstream: 0))
        #expect(route.strippedPrefix == nil && route.access.isOpen && route.responseFields.set.isEmpty)
    }

    @Test("a prefix may end with a slash, which is not a part of it")
    func prefixes() throws {
        for (path, prefix) in [
            ("/tools/*", "/tools"), ("/tools/*", "/tools/"), ("/tools/mcp", "/tools"), ("/tools", "/tools"),
        ] {
            let route = try route("path = \"\(path)\"\nupstream = \"a\"\nstrip_prefix = \"\(prefix)\"")
            #expect(route.strippedPrefix == "/tools")
        }
    }

    @Test("answers of the configuration's own")
    func destinations() throws {
        #expect(try route("respond = 204").destination == .respond(FixedResponseConfiguration(status: 204)))
        var text = FixedResponseConfiguration(status: 200)
        text.body = "a\n\"b\""
        #expect(try route("respond = { status = 200, body = \"a\\n\\\"b\\\"\" }").destination == .respond(text))
        text.contentType = "application/json"
        #expect(
            try route("respond = { status = 200, body = \"a\\n\\\"b\\\"\", content_type = \"application/json\" }")
                .destination == .respond(text))
        for (url, keepsTarget) in [
            ("https://a.test", true), ("http://a.test:8080", true), ("https://[::1]", true), ("https://a.test/", false),
            ("https://a.test/b?c", false), ("https://a.test?c", false),
        ] {
            let target = RedirectConfiguration(url: url, keepsTarget: keepsTarget)
            #expect(try route("redirect = \"\(url)\"").destination == .redirect(target))
        }
        let files = try route("path = \"/.well-known/acme-challenge/*\"\nfiles = \"/var/www\"")
        #expect(files.destination == .files("/var/www") && files.upstream == nil)
    }

    @Test("limits of rates and of what is in progress")
    func rateLimits() throws {
        let route = try route(
            """
            upstream = "a"
            rate_limit = [
              { key = "ip", method = "initialize", rate = "30/min", burst = 10 },
              { key = "session", tool = "export-*", rate = "6/h", concurrency = 2 },
              { key = "header:X-Tenant", concurrency = 5 }, { key = "route", rate = "1_000/s" },
            ]
            stream_opens = "100/d"
            """)
        var limits = [RateLimitConfiguration.Key.address, .session, .header("x-tenant"), .route].map {
            RateLimitConfiguration(key: $0)
        }
        (limits[0].method, limits[0].rate, limits[0].burst) = ("initialize", RateText(30, per: 60), 10)
        (limits[1].tool, limits[1].rate, limits[1].concurrency) = ("export-*", RateText(6, per: 3_600), 2)
        limits[2].concurrency = 5
        limits[3].rate = RateText(1_000, per: 1)
        #expect(route.rateLimits == limits)
        #expect(route.streamOpens == RateText(100, per: 86_400))
        #expect(try self.route("upstream = \"a\"\nstream_opens = \"off\"").streamOpens == nil)
    }

    @Test("header fields keep their case and order")
    func fields() throws {
        let route = try route(
            "upstream = \"a\"\nresponse_headers = { set = { X-B = \"1\", \"x-a\" = \"2, 3\" }, remove = [\"Server\"] }")
        #expect(route.responseFields.set.map(\.name) == ["X-B", "x-a"])
        #expect(route.responseFields.set.map(\.value) == ["1", "2, 3"])
        #expect(route.responseFields.removed == ["Server"])
    }

    @Test("a redirect leads to the port of the https listener, or to the one that it names")
    func redirects() throws {
        func port(_ listen: String) throws -> [UInt16?] {
            let file = try file(listen: listen, "")
            let again = try ConfigurationFile.parse(file.effectiveText(), file: "again.toml", checks: .none).get()
            #expect(again.configuration == file.configuration)
            return file.configuration.listeners.map(\.redirectPort)
        }
        let tls = "https = \":8443\"\ncert = \"c\"\nkey = \"k\"\n"
        #expect(try port("http = \":80\"\n\(tls)redirect = \"https\"") == [nil, 8_443])
        #expect(try port("http = \":80\"\n\(tls)redirect = \"https:443\"") == [nil, 443])
        #expect(try port("http = \":80\"\ntrusted_proxies = [\"10.0.0.1\"]\nredirect = \"https\"") == [443])
        let two =
            "[[listen]]\nhttp = \":80\"\nredirect = \"https\"\n[[listen]]\n\(tls)[upstream.a]\nservers = [\"a:1\"]"
        let listeners = try ConfigurationFile.parse(two, file: "two.toml", checks: .none).get().configuration.listeners
        #expect(listeners.map(\.redirectPort) == [8_443, nil])
    }

    @Test("who is served is said for listeners and for routes")
    func access() throws {
        let file = try file(
            listen: "http = \":80\"\nallow = [\"10.0.0.0/8\"]\ndeny = [\"10.1.0.0/16\"]",
            "[[route]]\nupstream = \"a\"\nallow = [\"::1\"]\n")
        #expect(file.configuration.listeners[0].access.allowed.map(\.description) == ["10.0.0.0/8"])
        #expect(file.configuration.listeners[0].access.denied.map(\.description) == ["10.1.0.0/16"])
        #expect(file.configuration.routes[0].access.allowed.map(\.description) == ["::1"])
    }

    @Test("lists and texts are bounded")
    func bounds() throws {
        let blocks = (0..<1_001).map { "\"10.\($0 / 256).\($0 % 256).0/24\"" }.joined(separator: ", ")
        #expect(throws: (any Error).self) { try file(listen: "http = \":80\"\ndeny = [\(blocks)]", "") }
        let names = (0..<33).map { "\"X-\($0)\"" }.joined(separator: ", ")
        #expect(throws: (any Error).self) { try route("upstream = \"a\"\nresponse_headers = { remove = [\(names)] }") }
        let long = String(repeating: "x", count: 8_200)
        #expect(throws: (any Error).self) {
            try route("upstream = \"a\"\nresponse_headers = { set = { X-A = \"\(long)\" } }")
        }
        let body = String(repeating: "x", count: 65_537)
        #expect(throws: (any Error).self) { try route("respond = { status = 200, body = \"\(body)\" }") }
        let prefix = "/" + String(repeating: "x", count: 256)
        #expect(throws: (any Error).self) {
            try route("path = \"\(prefix)/*\"\nupstream = \"a\"\nstrip_prefix = \"\(prefix)\"")
        }
    }
}
