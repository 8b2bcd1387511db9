import Configuration
import Testing

@testable import Import

@Suite("HAProxy's grammar and terms")
struct HAProxyTests {
    private static let checks = ConfigurationChecks(files: false, environment: { _ in nil })

    private func words(_ line: String) throws -> [String] {
        try HAProxyParser.parse(Array("global\n\(line)\n".utf8), file: "haproxy.cfg").first?.lines.first?.words ?? []
    }

    @Test(
        "Words are read as HAProxy reads them",
        arguments: [
            ("log stdout format raw", ["log", "stdout", "format", "raw"]), ("a b # comment", ["a", "b"]),
            ("a \\# b", ["a", "#", "b"]),
            ("a \"b c\" 'd e'", ["a", "b c", "d e"]), ("a b\\ c", ["a", "b c"]), ("a \"b\\\"c\"", ["a", "b\"c"]),
            ("a 'b\\c'", ["a", "b\\c"]),
            ("\ta\tb\r", ["a", "b"]), ("a ^/x/(.*) /\\1", ["a", "^/x/(.*)", "/\\1"]), ("a x\"y z\"w", ["a", "xy zw"]),
            ("# nothing", []),
        ])
    func lexing(line: String, expected: [String]) throws {
        #expect(try words(line) == expected)
    }

    @Test(
        "What is wrong is told with its place",
        arguments: [
            ("  bind :80\n", "1:3: \"bind\" stands in no section"),
            ("global\n  log \"x\n", "2:7: this quote is never closed"),
            ("global\n a\u{0}\n", "2:3: a NUL character in text"),
        ])
    func errors(text: String, expected: String) throws {
        do {
            _ = try importedFromHAProxy(text)
            Issue.record("it was read")
        } catch let error as ConfigurationErrors {
            let found = try #require(error.errors.first)
            #expect("\(found.line):\(found.column): \(found.message)" == expected)
        }
    }

    /// The routes of a frontend with these lines, as "host path strip -> upstream or status".
    private func routes(_ lines: [String], backend: [String] = []) throws -> [String] {
        let text = """
            defaults
              mode http
            frontend f
              bind :80
              \(lines.joined(separator: "\n  "))
            backend a
              server a1 a:1
              \(backend.joined(separator: "\n  "))
            backend b
              server b1 b:1
            """
        let configuration = try ConfigurationFile.parse(
            importedFromHAProxy(text).text, file: "berth.toml", checks: Self.checks
        ).get().configuration
        return configuration.routes.map { route in
            let target =
                switch route.destination {
                case .upstream(let index): configuration.upstreams[index].name
                case .respond(let response): "\(response.status)"
                case .redirect(let target): target.url
                case .files(let folder): folder
                }
            return [route.host, route.path.text, route.strippedPrefix.map { "-\($0)" }, target].compactMap { $0 }
                .joined(separator: " ")
        }
    }

    @Test(
        "Conditions by host and path become routes",
        arguments: [
            (["default_backend a"], ["/* a"]),
            (["use_backend a if { path_beg /mcp }", "default_backend b"], ["/mcp/* a", "/* b"]),
            (["acl m path /mcp", "acl m path_beg /sse", "use_backend a if m"], ["/mcp a", "/sse/* a"]),
            (["acl h hdr(host) -i A.example", "acl m path_beg /m", "use_backend a if h m"], ["a.example /m/* a"]),
            (["acl h hdr(host) -i a.example", "use_backend a if h or { path /x }"], ["a.example /* a", "/x a"]),
            (["use_backend a if { req.hdr(Host),lower -m str a.example }"], ["a.example /* a"]),
            (["use_backend a if { path_reg ^/(x|y)$ }"], ["/x a", "/y a"]),
            (["use_backend a if { path,lower -m beg /x }"], ["/x/* a"]),
            (["http-request deny if { path_beg /admin }", "default_backend a"], ["/admin/* 403", "/* a"]),
            (["http-request deny if !{ path_beg /mcp }", "default_backend a"], ["/mcp/* a"]),
            (["http-request return status 204 if { path /x }", "default_backend a"], ["/x 204", "/* a"]),
            (
                ["http-request redirect location https://d.example/ if { path /d }", "default_backend a"],
                ["/d https://d.example/", "/* a"]
            ),
            (["http-request auth unless { http_auth(u) }", "default_backend a"], ["/* 403"]),
            (["http-request deny unless { req.hdr(x-key) -m str abc }", "default_backend a"], ["/* 403"]),
            (["http-request deny if { method TRACE }", "default_backend a"], ["/* a"]),
        ] as [([String], [String])])
    func conditions(lines: [String], expected: [String]) throws {
        #expect(try routes(lines) == expected)
    }

    @Test(
        "What is taken off a path is",
        arguments: [
            "http-request replace-path ^/x/(.*) /\\1", "http-request replace-path /x(/)?(.*) /\\2",
            "http-request set-path %[path,regsub(^/x,)]", "http-request set-path %[path,regsub(^/x/?,/)]",
        ])
    func prefixes(line: String) throws {
        #expect(try routes(["use_backend a if { path_beg /x/ }"], backend: [line]) == ["/x/* -/x a"])
    }

    @Test(
        "Addresses are written as Berth writes them",
        arguments: [
            ("*:80", ":80"), (":81", ":81"), ("0.0.0.0:82", ":82"), ("[::]:83", ":83"), (":::84", ":84"),
            ("127.0.0.1:85", "127.0.0.1:85"),
            ("ipv4@10.0.0.1:86", "10.0.0.1:86"), ("[::1]:87", "[::1]:87"),
        ])
    func addresses(bind: String, expected: String) throws {
        let text = "listen mcp\n  bind \(bind)\n  server a a:1\n"
        let found = try ConfigurationFile.parse(importedFromHAProxy(text).text, file: "b", checks: Self.checks).get()
        #expect(found.configuration.listeners.map { "\($0.address)" } == [expected])
    }

    @Test("A file is told from nginx's by its contents, too")
    func format() throws {
        let text = "# balancer\ndefaults\n  mode http\nlisten mcp\n  bind :80\n  server a a:1\n"
        #expect(throws: Never.self) { try ConfigurationImport(Array(text.utf8), file: "config", files: .none) }
        #expect(throws: Never.self) {
            try ConfigurationImport(
                Array("server { listen 80; location / { proxy_pass http://a:1; } }".utf8), file: "config", files: .none)
        }
    }
}
