import Configuration
import Foundation
import Load
import Testing

@testable import berth_load

@Suite("Scenarios")
struct ScenarioTests {
    /// A valid scenario, to which lines are appended.
    private static let base = """
        url = "http://127.0.0.1:8080/mcp"
        [[run]]

        """

    private static func runs(_ text: String, url: Target? = nil) throws -> [LoadPlan] {
        try Scenario.parse(text, file: "s.toml", url: url).get().runs
    }

    private static func errors(_ text: String) -> [ConfigurationError] {
        guard case .failure(let failure) = Scenario.parse(text, file: "s.toml") else { return [] }
        return failure.errors
    }

    private static var folder: URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../bench/scenarios")
    }

    private static var files: [String] {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".toml") }.sorted()
        }
    }

    @Test("The provided scenarios are valid")
    func provided() throws {
        let files = try Self.files
        #expect(files.count >= 7)

        for file in files {
            let scenario = try Scenario.load(path: Self.folder.appendingPathComponent(file).path).get()

            #expect(!scenario.name.isEmpty && !scenario.runs.isEmpty, "\(file)")
            for plan in scenario.runs {
                #expect(!plan.name.isEmpty, "\(file)")
                try plan.check()
            }
        }
    }

    @Test("The provided scenarios have every workload")
    func workloads() throws {
        let scenarios = try Self.files.map {
            try Scenario.load(path: Self.folder.appendingPathComponent($0).path).get()
        }

        let covered = Set(scenarios.flatMap(\.runs).flatMap(\.mix).map(\.workload))

        #expect(covered == Set(Workload.allCases))
    }

    @Test("A run without settings is the default plan")
    func defaults() throws {
        let plan = LoadPlan(target: try Target(url: "http://127.0.0.1:8080/mcp"), workload: .sessions)

        #expect(try Self.runs(Self.base) == [plan])
    }

    @Test("Every setting of a plan can be written")
    func everything() throws {
        let text = """
            [[run]]
            name = "all"
            url = "https://[::1]:8443/other"
            mix = { sessions = 3, bodies = 0.5 }
            transport = "h2"
            connections = 5
            depth = 6
            rate = 7.5
            seconds = 8
            warm_up = 0.25
            calls = 9
            threads = 2
            timeout = 3.5
            sessions = 10
            calls_per_session = 11
            shuffle = false
            tool = "echo"
            arguments = '{"text": "x"}'
            bytes = "2KiB"
            direction = "up"
            events_per_second = 12
            ca = "/tmp/ca.pem"
            resumption = false
            headers = { Authorization = "Bearer ${x}" }
            seed = 13
            """
        var plan = LoadPlan(
            target: Target(isSecure: true, host: "::1", port: 8_443, path: "/other"),
            mix: [LoadPlan.Share(.sessions, weight: 3), LoadPlan.Share(.bodies, weight: 0.5)])
        plan.name = "all"
        (plan.transport, plan.connections, plan.depth, plan.rate) = (.http2, 5, 6, 7.5)
        (plan.seconds, plan.warmUp, plan.calls, plan.threads, plan.timeout) = (8, 0.25, 9, 2, 3.5)
        (plan.sessions, plan.callsPerSession, plan.shuffle) = (10, 11, false)
        (plan.tool, plan.arguments) = ("echo", #"{"text": "x"}"#)
        (plan.bytes, plan.direction, plan.eventsPerSecond) = (2_048, .up, 12)
        (plan.trust, plan.resumption, plan.seed) = (.file("/tmp/ca.pem"), false, 13)
        plan.headers = [LoadPlan.Header(name: "authorization", value: "Bearer ${x}")]

        #expect(try Self.runs(text) == [plan])
    }

    @Test("Runs inherit [defaults], and their own settings take precedence")
    func shared() throws {
        let runs = try Self.runs(
            """
            url = "http://a/mcp"
            [defaults]
            workload = "calls"
            connections = 3
            depth = 4
            [[run]]
            name = "one"
            transport = "h2"
            [[run]]
            name = "two"
            connections = 5
            mix = { churn = 1 }
            """)

        #expect(runs.map(\.connections) == [3, 5])
        #expect(runs.map { $0.mix.map(\.workload) } == [[.calls], [.churn]])
        // A shared depth is ignored by runs of HTTP/1.1.
        #expect(runs.map(\.depth) == [4, 1])
    }

    @Test("The URL of the command line replaces all URLs of the file")
    func override() throws {
        let url = try Target(url: "http://other:81/x")
        let text = "url = \"http://a/mcp\"\n[[run]]\nname = \"1\"\n[[run]]\nname = \"2\"\nurl = \"http://b/mcp\""

        #expect(try Self.runs(text, url: url).map(\.target) == [url, url])
        #expect(try Self.runs(text).map(\.target.host) == ["a", "b"])
        #expect(try Self.runs("[[run]]", url: url).map(\.target) == [url])
    }

    @Test(
        "An error is reported once, with its position",
        arguments: [
            ("conections = 4", 3, 1, #"unknown key "conections""#, #"did you mean "connections"?"#),
            ("rate = \"5000\"", 3, 8, "rate = \"5000\" is text, not a number", "write it without quotes: rate = 5000"),
            ("rate = 0", 3, 8, "rate = 0 is out of range", nil),
            ("rate = nan", 3, 8, "rate = nan is out of range", nil),
            ("seconds = -1", 3, 11, "seconds = -1 is out of range", nil),
            ("connections = 70000", 3, 15, "connections = 70000 is out of range", nil),
            ("connections = 1.5", 3, 15, "connections = 1.5 is a floating-point number, not a whole number", nil),
            ("calls = 0", 3, 9, "calls = 0 is out of range", nil),
            ("shuffle = 1", 3, 11, "shuffle = 1 is a whole number, not a boolean", nil),
            ("workload = \"session\"", 3, 12, "workload = \"session\" is not known", #"did you mean "sessions"?"#),
            ("transport = \"http2\"", 3, 13, "transport = \"http2\" is not known", #"did you mean "h2"?"#),
            ("depth = 2", 3, 9, "depth = 2 over HTTP/1.1", "set transport = \"h2\" as well"),
            ("mix = {}", 3, 7, "nothing in mix", "mix = { sessions = 3, calls = 1 }"),
            ("mix = { sesions = 1 }", 3, 9, #"unknown key "sesions""#, #"did you mean "sessions"?"#),
            ("mix = { calls = 0 }", 3, 17, "calls = 0 is out of range", nil),
            (
                "arguments = \"[]\"", 3, 13, "arguments = \"[]\" is not a JSON object",
                #"arguments = '{"text": "hello"}'"#
            ),
            ("bytes = \"2GiB\"", 3, 9, "bytes = \"2GiB\" is out of range", nil),
            ("headers = { \"a b\" = \"c\" }", 3, 13, "\"a b\" is not the name of a header", nil),
            ("headers = { a = \"b\\r\\nc: d\" }", 3, 17, "a has a control character in its value", nil),
            (
                "url = \"mcp.example.com\"", 3, 7, "url = \"mcp.example.com\" cannot be used",
                "url = \"http://mcp.example.com\""
            ),
            ("name = \"\"", 3, 8, "name = \"\" is empty", nil),
            ("name = round", 3, 8, "name = round lacks its quotes", "name = \"round\""),
        ] as [(String, Int, Int, String, String?)])
    func mistakes(line: String, at row: Int, column: Int, message: String, help: String?) throws {
        let errors = Self.errors(Self.base + line)

        #expect(errors.map(\.message) == [message])
        #expect(errors.first?.line == row)
        #expect(errors.first?.column == column)
        if let help { #expect(errors.first?.help == help) }
    }

    @Test(
        "Missing and contradictory settings are reported",
        arguments: [
            ("[[run]]", "this run has no url"), ("url = \"http://a\"", "there is no [[run]] table"),
            ("url = \"http://a\"\nrun = []", "run = [] is a list, not a list of tables"),
            ("url = \"http://a\"\nrun = 3", "run = 3 is a whole number, not a list of tables"),
            ("url = \"a\"\n[[run]]", "url = \"a\" cannot be used"),
            ("url = \"http://a\"\n[[run]]\nworkload = \"calls\"\nmix = { calls = 1 }", "workload and mix in one run"),
            ("url = \"http://a\"\n[[run]]\nca = \"x\"\ninsecure = true", "ca beside insecure = true"),
            ("url = \"http://a\"\n[defaults]\nsecnds = 1\n[[run]]", "unknown key \"secnds\""),
            ("url = \"http://a\"\n[[run]]\nname = \"x\"\n[[run]]\nname = \"x\"", "a second run of the name \"x\""),
        ])
    func wholes(text: String, message: String) {
        #expect(Self.errors(text).map(\.message) == [message])
    }

    @Test("All errors of a file are reported, in order")
    func several() {
        let errors = Self.errors(Self.base + "rate = 0\n[[run]]\nseconds = 0\ncolour = 1")

        #expect(errors.map(\.line) == [3, 5, 6])
    }

    @Test("A missing file is reported without a position")
    func missing() {
        guard case .failure(let failure) = Scenario.load(path: "/nonexistent/s.toml") else {
            Issue.record("it was read")
            return
        }
        #expect(failure.errors.map(\.line) == [0])
    }
}
