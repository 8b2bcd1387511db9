import Configuration
import Testing

@testable import Import

@Suite("nginx in Berth's terms")
struct TranslationTests {
    private static let checks = ConfigurationChecks(files: false, environment: { _ in nil })

    private func configuration(_ text: String) throws -> Configuration {
        try ConfigurationFile.parse(imported(text).text, file: "berth.toml", checks: Self.checks).get().configuration
    }

    /// The routes as "host path strip -> destination".
    private func routes(_ text: String) throws -> [String] {
        let configuration = try configuration(text)
        return configuration.routes.map { route in
            let target =
                switch route.destination {
                case .upstream(let index):
                    configuration.upstreams[index].servers.map { "\($0.address)" }.joined(separator: ",")
                case .respond(let response): "\(response.status)"
                case .redirect(let target): target.url
                case .files(let folder): folder
                }
            let words = [route.host, route.path.text, route.strippedPrefix.map { "-\($0)" }, target]
            return words.compactMap { $0 }.joined(separator: " ")
        }
    }

    private func server(_ locations: String) -> String { "server { listen 80; \(locations) }" }

    @Test(
        "Locations are tried in nginx's order",
        arguments: [
            ("location / { proxy_pass http://a:1; } location /b { proxy_pass http://b:1; }", ["/b/* b:1", "/* a:1"]),
            ("location /b { proxy_pass http://b:1; } location / { proxy_pass http://a:1; }", ["/b/* b:1", "/* a:1"]),
            (
                "location /b { proxy_pass http://b:1; } location = /b { proxy_pass http://c:1; } location /b/c { proxy_pass http://d:1; }",
                ["/b c:1", "/b/c/* d:1", "/b/* b:1"]
            ),
            (
                "location /b { proxy_pass http://b:1; } location ~ ^/b/(x|y)$ { proxy_pass http://r:1; }",
                ["/b/x r:1", "/b/y r:1", "/b/* b:1"]
            ),
            (
                "location ^~ /b { proxy_pass http://b:1; } location ~ ^/b/x { proxy_pass http://r:1; } location / { proxy_pass http://a:1; }",
                ["/b/* b:1", "/* a:1"]
            ),
            (
                "location /a { location /a/b { proxy_pass http://b:1; } proxy_pass http://a:1; }",
                ["/a/b/* b:1", "/a/* a:1"]
            ),
            (
                "location /b { proxy_pass http://b:1; } location /a { proxy_pass http://a:1; }",
                ["/b/* b:1", "/a/* a:1"]
            ),
        ])
    func order(locations: String, expected: [String]) throws {
        #expect(try routes(server(locations)) == expected)
    }

    @Test(
        "The path in proxy_pass takes the place of the location's",
        arguments: [
            ("location /x/ { proxy_pass http://a:1/; }", "/x/* -/x a:1", false),
            ("location /x/ { proxy_pass http://a:1; }", "/x/* a:1", false),
            ("location /x { proxy_pass http://a:1/; }", "/x/* -/x a:1", false),
            ("location /mcp { proxy_pass http://a:1/mcp; }", "/mcp/* a:1", false),
            ("location /api/mcp/ { proxy_pass http://a:1/mcp/; }", "/api/mcp/* -/api a:1", false),
            ("location = /x/mcp { proxy_pass http://a:1/mcp; }", "/x/mcp -/x a:1", false),
            ("location /x/ { rewrite ^/x/(.*)$ /$1 break; proxy_pass http://a:1; }", "/x/* -/x a:1", false),
            ("location /x { rewrite ^/x/?(.*)$ /$1 break; proxy_pass http://a:1; }", "/x/* -/x a:1", false),
            ("location /x { rewrite ^/x(/.*)$ $1 break; proxy_pass http://a:1; }", "/x/* -/x a:1", false),
            ("location ~ ^/x/(.*)$ { proxy_pass http://a:1/$1$is_args$args; }", "/x/* -/x a:1", false),
            ("location /x/ { proxy_pass http://a:1$request_uri; }", "/x/* a:1", false),
            ("location /x/ { proxy_pass http://a:1/y/; }", "/x/* a:1", true),
            ("location /mcp { proxy_pass http://a:1/mcp/; }", "/mcp/* a:1", true),
            ("location /x/ { rewrite ^/x/(.*)$ /y/$1 break; proxy_pass http://a:1; }", "/x/* a:1", true),
        ])
    func paths(location: String, expected: String, isLost: Bool) throws {
        #expect(try routes(server(location)) == [expected])
        #expect(try imported(server(location)).hasLosses == isLost)
    }

    @Test(
        "An expression that is a choice of words becomes routes, any other is left out",
        arguments: [
            ("^/(sse|messages)(/|$)", ["/sse/*", "/messages/*"]), ("^/mcp$", ["/mcp"]), ("^/mcp/?$", ["/mcp"]),
            ("^/mcp(/.*)?$", ["/mcp/*"]), ("^/a/(?:b|c)/.*$", ["/a/b/*", "/a/c/*"]), ("^/mcp", ["/mcp/*"]),
            ("^/\\.well-known/(a|b)$", ["/.well-known/a", "/.well-known/b"]), ("^/(a|b|c)", ["/a/*", "/b/*", "/c/*"]),
            (
                "^/\\.well-known/oauth-",
                ["/.well-known/oauth-protected-resource/*", "/.well-known/oauth-authorization-server/*"]
            ),
            ("/mcp", nil), ("^/mcp[0-9]+", nil), ("^/(a|b", nil), ("\\.php$", nil), ("^/a.b", nil), ("^/a+", nil),
            ("^/x-", nil),
            ("^/(a|(b|(c|(d|(e|(f))))))", nil), ("^", nil), ("^/\\d", nil), ("^/a{2}", nil),
        ] as [(String, [String]?)])
    func expressions(expression: String, expected: [String]?) {
        #expect(LiteralPaths(expression)?.paths.map { $0.text ?? "/*" } == expected)
    }

    @Test(
        "Redirects to HTTPS are told from others",
        arguments: [
            ("return 301 https://$host$request_uri;", "https", nil),
            ("return 301 https://$server_name$request_uri;", "https", nil),
            ("return 308 https://$host:8443$request_uri;", "https:8443", nil),
            ("return 301 https://a.example$request_uri;", "https", nil),
            ("rewrite ^ https://$host$request_uri permanent;", "https", nil),
            ("rewrite ^(.*)$ https://$host$1 permanent;", "https", nil),
            ("rewrite ^/(.*)$ https://$host/$1 redirect;", "https", nil),
            ("location / { return 301 https://$host$request_uri; }", "https", nil),
            ("if ($scheme = http) { return 301 https://$host$request_uri; }", "https", nil),
            ("if ($host = a.example) { return 301 https://$host$request_uri; } return 404;", "https", nil),
            ("location / { return 301 https://b.example$request_uri; }", nil, "https://b.example"),
            ("location / { return 302 https://b.example/docs; }", nil, "https://b.example/docs"),
        ] as [(String, String?, String?)])
    func redirects(text: String, redirect: String?, route: String?) throws {
        let found = try imported(
            """
            server { listen 80; server_name a.example; \(text) }
            server { listen 443 ssl; server_name b.example; ssl_certificate c; ssl_certificate_key k;
                     location /mcp { proxy_pass http://a:1; } }
            """)
        let lines = found.text.split(separator: "\n")
        #expect(
            lines.contains { $0.hasPrefix("redirect") && $0.hasSuffix("= \"\(redirect ?? route ?? "")\"") },
            "\(found.text)")
        #expect(throws: Never.self) { try ConfigurationFile.parse(found.text, file: "b", checks: Self.checks).get() }
    }

    @Test(
        "Listeners are written as Berth writes them",
        arguments: [
            ("listen 80;", ":80"), ("listen *:8080;", ":8080"), ("listen [::]:81;", ":81"),
            ("listen 127.0.0.1:82;", "127.0.0.1:82"),
            ("listen 10.0.0.1;", "10.0.0.1:80"), ("listen localhost:83;", "127.0.0.1:83"),
            ("listen [::1]:84;", "[::1]:84"),
            ("listen 0.0.0.0:85 default_server reuseport backlog=4096;", ":85"), ("", ":80"),
        ])
    func listeners(listen: String, expected: String) throws {
        let text = "server { \(listen) location / { proxy_pass http://a:1; } }"
        #expect(try configuration(text).listeners.map { "\($0.address)" } == [expected])
    }

    @Test("Who may come is the same")
    func access() throws {
        let text = server(
            "location / { allow 10.1.2.3/16; allow 192.0.2.7; deny 10.0.0.0/8; allow 10.9.9.9; deny all; proxy_pass http://a:1; }"
        )
        let access = try #require(try configuration(text).listeners.first?.access)

        // A rule that another one covers is never reached, and bits that do not count are none.
        #expect(access.allowed.map(\.description) == ["10.1.0.0/16", "192.0.2.7"])
        #expect(access.denied.map(\.description) == ["10.0.0.0/8"])
    }

    @Test("Who is in no block is allowed, unless all are denied")
    func openAccess() throws {
        let text = server("location / { allow 10.1.0.0/16; deny 10.0.0.0/8; proxy_pass http://a:1; }")
        let access = try #require(try configuration(text).listeners.first?.access)

        #expect(access.allowed.map(\.description) == ["10.1.0.0/16", "0.0.0.0/0", "::/0"])
        #expect(access.denied.map(\.description) == ["10.0.0.0/8"])
    }

    @Test("What is let in by a check that Berth does not make is let in no more")
    func guarded() throws {
        let guards = [
            "auth_basic \"x\"; auth_basic_user_file f;", "auth_request /auth;",
            "if ($http_x_key != \"abc\") { return 403; }",
            "auth_jwt \"x\";", "if ($cookie_a = \"\") { return 401; }",
        ]
        for check in guards {
            let text = server("location /x { \(check) proxy_pass http://a:1; } location / { proxy_pass http://b:1; }")
            #expect(try routes(text) == ["/x/* 403", "/* b:1"], "\(check)")
            #expect(try imported(text).hasLosses)
        }
        // At the server, it is of all its locations.
        #expect(try routes("server { listen 80; auth_basic x; location / { proxy_pass http://a:1; } }") == ["/* 403"])
        #expect(
            try routes("server { listen 80; auth_basic x; location / { auth_basic off; proxy_pass http://a:1; } }") == [
                "/* a:1"
            ])
    }

    @Test("What is reached in one network only is not opened to another")
    func addresses() throws {
        let text = """
            server { listen 443 ssl; ssl_certificate c; ssl_certificate_key k; location /mcp { proxy_pass http://a:1; } }
            server { listen 127.0.0.1:9000; location /admin { proxy_pass http://b:1; } }
            """
        let found = try imported(text)

        #expect(try routes(text) == ["/mcp/* a:1"])
        #expect(try configuration(text).listeners.map { "\($0.address)" } == [":443"])
        #expect(found.hasLosses && found.text.contains("/admin"))
    }

    @Test("A location that is left out takes its requests from those behind it")
    func closed() throws {
        let text = server(
            "location /x { fastcgi_pass a:9; } location /y { root /srv; } location / { proxy_pass http://a:1; }")
        #expect(try routes(text) == ["/x/* 404", "/y/* 404", "/* a:1"])
    }

    @Test("A host that has no other paths is not given those of the default server")
    func hosts() throws {
        let text = """
            server { listen 80 default_server; location / { proxy_pass http://d:1; } }
            server { listen 80; server_name a.example; location /mcp { proxy_pass http://a:1; } }
            """
        #expect(try routes(text) == ["a.example /mcp/* a:1", "a.example /* 404", "/* d:1"])
    }

    @Test("Fields are set where nginx sets them: a location that has its own inherits none")
    func fields() throws {
        let text = """
            server { listen 80; add_header X-A 1; add_header X-B "2" always;
                location /a { proxy_pass http://a:1; }
                location /b { add_header X-C 3; proxy_hide_header Server; proxy_hide_header X-C; proxy_pass http://a:1; }
                location /c { add_header Content-Type text/plain; add_header X-D ""; proxy_pass http://a:1; } }
            """
        let fields = try configuration(text).routes.map(\.responseFields)
        #expect(fields[0].set.map { "\($0.name): \($0.value)" } == ["X-A: 1", "X-B: 2"])
        #expect(fields[1].set.map(\.name) == ["X-C"] && fields[1].removed == ["Server"])
        #expect(fields[2].set.isEmpty && fields[2].removed.isEmpty)
    }

    @Test(
        "Servers get the Host that nginx sends them",
        arguments: [
            ("proxy_set_header Host $host;", HostPolicy.keep), ("proxy_set_header Host $http_host;", .keep),
            ("", .upstream),
            ("proxy_set_header Host $proxy_host;", .upstream),
            ("proxy_set_header Host mcp.internal:8080;", .fixed("mcp.internal:8080")),
            ("proxy_set_header X-A $host;", .upstream),
        ])
    func host(text: String, expected: HostPolicy) throws {
        let found = try configuration("server { listen 80; location / { \(text) proxy_pass http://a:1; } }")
        #expect(found.upstreams[0].host == expected)
    }

    @Test("Nothing to balance is an error, and a part of a server is taken for one")
    func parts() throws {
        #expect(throws: ConfigurationErrors.self) { try imported("server { listen 80; root /srv; }") }
        #expect(throws: ConfigurationErrors.self) { try imported("") }
        #expect(throws: ConfigurationErrors.self) { try imported(server("location / { proxy_pass http://$http_x; }")) }
        #expect(try routes("location /mcp { proxy_pass http://a:1; }") == ["/mcp/* a:1"])
    }

    @Test("Text of the source cannot become a line of the file")
    func injection() throws {
        let found = try imported(
            """
            server { listen 80; location / {
                add_header X-A "a\\n[listen]\\nhttp = ':1'";
                log_format x "a
            [global]
            workers = 9";
                proxy_pass http://a:1; } }
            """)
        #expect(found.text.split(separator: "\n").filter { $0.hasPrefix("[global]") || $0.hasPrefix("workers") } == [])
        #expect(throws: Never.self) { try ConfigurationFile.parse(found.text, file: "b", checks: Self.checks).get() }
    }
}
