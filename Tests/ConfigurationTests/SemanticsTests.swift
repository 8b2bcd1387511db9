import Configuration
import Testing

@Suite("Meaning of the configuration file")
struct SemanticsTests {
    private let head = "[listen]\nhttp = \":80\"\n"

    @Test("An upstream inherits keys of [defaults] that it does not set")
    func inheritance() throws {
        let configuration = try decode(
            head + "[defaults]\nbalance = \"ip-hash\"\npool = { max = 7, min = 3 }\n[upstream.a]\nservers = [\"a:1\"]\n"
        )

        let upstream = configuration.upstreams[0]
        #expect(upstream.balance == .ipHash)
        #expect(upstream.pool.maximum == 7)
        #expect(upstream.pool.minimum == 3)
        #expect(upstream.queue == QueueConfiguration())
    }

    @Test("A table of an upstream replaces that of [defaults] as a whole")
    func override() throws {
        let configuration = try decode(
            head + """
                [defaults]
                pool = { max = 7, min = 3 }
                sse = { heartbeat = "off" }
                [upstream.a]
                servers = ["a:1"]
                [upstream.a.pool]
                min = 1
                [upstream.b]
                servers = ["b:1"]
                [[route]]
                path = "/b"
                upstream = "b"
                [[route]]
                upstream = "a"
                """)

        #expect(configuration.upstreams[0].pool.maximum == 128)
        #expect(configuration.upstreams[0].pool.minimum == 1)
        #expect(configuration.upstreams[0].events.heartbeat == nil)
        #expect(configuration.upstreams[1].pool.maximum == 7)
        #expect(configuration.routes.map(\.upstream) == [1, 0])
    }

    @Test("The effective text has the origin of each value")
    func origins() throws {
        let text =
            head
            + "[defaults]\nqueue = { max = 5 }\nsse = { heartbeat = \"off\" }\n[upstream.\"a b\"]\nservers = [\"a:1\"]\n"
            + "queue = { timeout = \"2s\" }\n"

        let effective = try ConfigurationFile.parse(text, file: "berth.toml", checks: .none).get().effectiveText()

        let lines = effective.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        #expect(lines.contains("http = \":80\" # line 2"))
        #expect(lines.contains("[upstream.\"a b\".queue]"))
        #expect(lines.contains("heartbeat = \"off\" # [defaults], line 5"))
        #expect(lines.contains("timeout = \"2s\" # line 8"))
        #expect(lines.contains("max = 1_000 # default"))
        #expect(lines.contains("workers = 0 # default"))
        #expect(lines.contains("# host is not set: every host"))
    }

    @Test("What a balancer in front has done is said, and HTTP/2 in clear can be declined")
    func balancerInFront() throws {
        let rest = "[upstream.a]\nservers = [\"a:1\"]\n"
        let plain = try decode(head + rest).listeners[0]
        #expect(plain.forwardedProto == nil)
        #expect(plain.h2c)
        let told = try decode(head + "forwarded_proto = \"https\"\nh2c = false\n" + rest).listeners[0]
        #expect(told.forwardedProto == .https)
        #expect(!told.h2c)
    }

    @Test("A route's host is compared in one spelling, and two spellings of one host are one")
    func routeHosts() throws {
        let rest = "[upstream.a]\nservers = [\"a:1\"]\n"
        func host(_ text: String) throws -> String? {
            try decode(head + rest + "[[route]]\nhost = \"\(text)\"\nupstream = \"a\"\n").routes[0].host
        }
        for text in ["2001:DB8:0:0::1", "[2001:db8::1]", "2001:db8::0.0.0.1"] {
            #expect(try host(text) == "2001:db8::1")
        }
        #expect(try host("MCP.Example.com.") == "mcp.example.com")
        #expect(try host("192.0.2.1") == "192.0.2.1")
    }

    @Test("A [listen] table with both addresses makes two listeners that are otherwise equal")
    func twoListeners() throws {
        let configuration = try decode(
            """
            [listen]
            https = "[::1]:443"
            http = "127.0.0.1:80"
            cert = "mcp.pem"
            key = "/mcp.key"
            max_connections = 9
            tls = { min = "1.3", tickets = false }
            [upstream.a]
            servers = ["a:1"]
            """)

        var tls = ListenerTLS(certificate: "mcp.pem", key: "/mcp.key")
        tls.minimumVersion = .tls13
        tls.tickets = false
        #expect(configuration.listeners.map(\.security) == [.tls(tls), .plain])
        #expect(configuration.listeners.map(\.address.description) == ["[::1]:443", "127.0.0.1:80"])
        #expect(configuration.listeners.map(\.maximumConnections) == [9, 9])
    }

    @Test("Each [[listen]] table has its own settings")
    func listOfListeners() throws {
        let configuration = try decode(
            """
            [[listen]]
            http = "127.0.0.1:0"
            limits = { headers = 20 }
            [[listen]]
            http = "127.0.0.1:0"
            [upstream.a]
            servers = ["a:1"]
            """)

        #expect(configuration.listeners.map(\.limits.headers) == [20, 100])
    }

    @Test("Relative paths are relative to the folder of the file")
    func relativePaths() throws {
        let text =
            "[global]\nsecret = \"file:keys\"\n[listen]\nhttps = \":1\"\ncert = \"c.pem\"\nkey = \"/k\"\n"
            + "[upstream.a]\nservers = [\"a:1\"]"

        let file = try ConfigurationFile.parse(text, file: "/etc/berth/berth.toml", checks: .none).get()

        #expect(file.configuration.global.secret == .file("/etc/berth/keys"))
        let expected = ListenerTLS(certificate: "/etc/berth/c.pem", key: "/k")
        #expect(file.configuration.listeners[0].security == .tls(expected))
    }

    @Test("A secret can come from the environment, and is not in the effective text")
    func secretFromEnvironment() throws {
        let text = "[global]\nsecret = \"${BERTH_KEY}\"\n" + head + "[upstream.a]\nservers = [\"a:1\"]"

        let file = try ConfigurationFile.parse(text, file: "berth.toml", checks: .none).get()

        #expect(file.configuration.global.secret == .key(Array(0..<32)))
        #expect(!file.effectiveText().contains("AAECAw"))
    }

    @Test(
        "Paths of routes are decoded to patterns",
        arguments: [
            ("/mcp", .exact("/mcp")), ("/mcp/", .exact("/mcp")), ("/", .exact("/")), ("/mcp/*", .prefix("/mcp")),
            ("/*", .any), ("/a/b/*", .prefix("/a/b")),
        ] as [(String, PathPattern)])
    func paths(_ text: String, _ pattern: PathPattern) throws {
        let configuration = try decode(
            head
                + "[upstream.a]\nservers = [\"a:1\"]\n[[route]]\nhost = \"MCP.Example.com\"\npath = \"\(text)\"\nupstream = \"a\""
        )

        #expect(configuration.routes == [RouteConfiguration(host: "mcp.example.com", path: pattern, upstream: 0)])
    }

    @Test("Health checks send the upstream's fixed host unless they have their own")
    func healthCheckHost() throws {
        func check(_ rest: String) throws -> HealthCheckKind {
            try decode(head + "[upstream.a]\nservers = [\"a:1\"]\n" + rest).upstreams[0].healthCheck.kind
        }

        #expect(
            try check("host = \"mcp.internal:3001\"\nhealth_check = { type = \"http\", path = \"/h\" }")
                == .http(path: "/h", host: "mcp.internal:3001"))
        #expect(try check("health_check = { type = \"http\", path = \"/h\" }") == .http(path: "/h", host: nil))
        #expect(
            try check("host = \"x.y\"\nhealth_check = { type = \"http\", path = \"/h\", host = \"z\" }")
                == .http(path: "/h", host: "z"))
        #expect(try check("host = \"x.y\"") == .tcp)
    }

    @Test("\"off\" removes a limit where that is allowed")
    func off() throws {
        let upstream = try decode(
            head + """
                [upstream.a]
                servers = ["a:1"]
                pool = { max_uses = "off", max_age = "off" }
                timeouts = { first_byte = "off" }
                sse = { heartbeat = "off" }
                """
        ).upstreams[0]

        #expect(upstream.pool.maximumUses == nil)
        #expect(upstream.pool.maximumAge == nil)
        #expect(upstream.timeouts.firstByte == nil)
        #expect(upstream.events.heartbeat == nil)
    }

    @Test("All errors of a file are reported, an inherited one once")
    func allErrors() {
        let found = errors(
            in:
                "[listen]\nhttp = 80\n[defaults]\nbalance = \"x\"\n[upstream.a]\nservers = [\"a\"]\n[upstream.b]\nservers = [\"b\"]\n"
                + "[[route]]\nupstream = \"c\"")

        #expect(found.map(\.line) == [2, 4, 6, 8, 10])
    }

    @Test("[[listen.certificate]] adds to cert and key, or replaces them")
    func moreCertificates() throws {
        let more =
            "[[listen.certificate]]\ncert = \"b.pem\"\nkey = \"b.key\"\n[[listen.certificate]]\ncert = \"c.pem\"\n"
            + "key = \"c.key\"\n[upstream.a]\nservers = [\"a:1\"]\n"
        for (own, expected) in [("cert = \"a.pem\"\nkey = \"a.key\"\n", ["a", "b", "c"]), ("", ["b", "c"])] {
            let configuration = try decode("[listen]\nhttps = \":1\"\n" + own + more)
            guard case .tls(let tls) = configuration.listeners[0].security else {
                Issue.record("it is plain")
                return
            }
            #expect(tls.certificates == expected.map { CertificateFiles(certificate: "\($0).pem", key: "\($0).key") })
        }
    }

    @Test("The effective text has the origin of each certificate", arguments: [true, false])
    func certificateOrigins(hasOwn: Bool) throws {
        let own = hasOwn ? "cert = \"a.pem\"\nkey = \"a.key\"\nocsp = \"a.der\"\n" : "# one\n# two\n# three\n"
        let text =
            "[listen]\nhttps = \":1\"\n\(own)[[listen.certificate]]\ncert = \"b.pem\"\nkey = \"b.key\"\n"
            + "[[listen.certificate]]\nkey = \"c.key\"\nocsp = \"c.der\"\ncert = \"c.pem\"\n[upstream.a]\n"
            + "servers = [\"a:1\"]\n"
        let file = try ConfigurationFile.parse(text, file: "berth.toml", checks: .none).get()

        let lines = file.effectiveText().split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }

        let found = lines.filter { line in
            ["cert ", "key ", "ocsp ", "# ocsp", "[[l"].contains { line.hasPrefix($0) }
        }
        #expect(
            found == ["[[listen]]"]
                + (hasOwn
                    ? ["cert = \"a.pem\" # line 3", "key = \"a.key\" # line 4", "ocsp = \"a.der\" # line 5"] : []) + [
                    "[[listen.certificate]]", "cert = \"b.pem\" # line 7", "key = \"b.key\" # line 8",
                    "# ocsp is not set: nothing is stapled",
                    "[[listen.certificate]]", "cert = \"c.pem\" # line 12", "key = \"c.key\" # line 10",
                    "ocsp = \"c.der\" # line 11",
                ])
        let again = try ConfigurationFile.parse(file.effectiveText(), file: "berth.toml", checks: .none).get()
        #expect(again.configuration == file.configuration)
    }

    @Test("An OCSP response is allowed only beside a certificate of a listener")
    func misplacedStaple() {
        func found(_ listen: String, _ upstream: String = "") -> [String] {
            errors(in: "[listen]\n\(listen)[upstream.a]\nservers = [\"a:1\"]\n\(upstream)").map {
                "\($0.line) \($0.message)"
            }
        }
        #expect(
            found("https = \":1\"\nocsp = \"a.der\"\n[[listen.certificate]]\ncert = \"a\"\nkey = \"b\"\n")
                == ["3 ocsp without cert"])
        #expect(
            found("https = \":1\"\n[[listen.certificate]]\nocsp = \"a.der\"\n").contains("4 ocsp without cert"))
        #expect(found("http = \":1\"\nocsp = \"a.der\"\n").contains("3 ocsp without https"))
        #expect(
            found("http = \":1\"\n", "tls = { cert = \"a\", key = \"b\", ocsp = \"c\" }\n") == [
                "5 unknown key \"ocsp\""
            ])
    }

    @Test("An OCSP response is checked by the given closure; a warning is not an error")
    func stapleProblem() throws {
        let text =
            "[listen]\nhttps = \":1\"\ncert = \"\(#filePath)\"\nkey = \"\(#filePath)\"\nocsp = \"\(#filePath)\"\n"
            + "[upstream.a]\nservers = [\"a:1\"]\n"
        func parse(_ problem: ConfigurationProblem?) -> Result<ConfigurationFile, ConfigurationErrors> {
            let checks = ConfigurationChecks(
                files: true, environment: { _ in nil },
                stapleProblem: { $0.ocsp == #filePath ? problem : .error("it is another") })
            return ConfigurationFile.parse(text, file: "berth.toml", checks: checks)
        }
        #expect(try parse(nil).get().warnings == [])

        let warnings = try parse(.warning("it is old")).get().warnings
        #expect(warnings.count == 1)
        #expect(warnings[0].hasPrefix("berth.toml:5:8: warning: this OCSP response is not shown\n"))
        #expect(warnings[0].contains("it is old"))

        guard case .failure(let failure) = parse(.error("it is bad")) else {
            Issue.record("the problem was not reported")
            return
        }
        #expect(failure.errors.map { "\($0.line):\($0.column) \($0.reason)" } == ["5:8 it is bad"])
    }

    @Test("An error in a [[listen.certificate]] is reported at its position")
    func badMoreCertificates() {
        let found = errors(
            in: "[listen]\nhttps = \":1\"\n[[listen.certificate]]\ncert = \"a.pem\"\n[[listen.certificate]]\n"
                + "[[listen.certificate]]\ncert = \"a.pem\"\nkey = \"a.key\"\nname = \"a\"\n"
                + "[upstream.a]\nservers = [\"a:1\"]\n")

        #expect(
            found.map { "\($0.line) \($0.message)" } == [
                "4 cert without key", "5 this certificate has no files", "9 unknown key \"name\"",
            ])
    }

    @Test("A certificate and its key are checked by the given closure if both are readable")
    func certificateProblem() throws {
        let text =
            "[listen]\nhttps = \":1\"\ncert = \"\(#filePath)\"\nkey = \"\(#filePath)\"\n[upstream.a]\nservers = [\"a:1\"]"
        let checks = ConfigurationChecks(
            files: true, environment: { _ in nil },
            certificateProblems: { certificates in
                certificates[0].certificate == certificates[0].key ? [0: "they are one file"] : [:]
            })

        let result = ConfigurationFile.parse(text, file: "berth.toml", checks: checks)

        guard case .failure(let failure) = result else {
            Issue.record("the problem was not reported")
            return
        }
        #expect(failure.errors.map(\.reason) == ["they are one file"])
        #expect(failure.errors.map(\.line) == [3])
    }
}
