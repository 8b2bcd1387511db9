import Configuration
import Foundation
import Testing

/// What `berth run` would refuse or stumble over on this machine, said by `berth check` with its position.
@Suite("Problems of a start")
struct StartProblemTests {
    private func file(
        _ text: String, _ adjust: (inout ConfigurationChecks) -> Void = { _ in }
    ) throws -> ConfigurationFile {
        var checks = ConfigurationChecks.none
        adjust(&checks)
        return try ConfigurationFile.parse(text, file: "berth.toml", checks: checks).get()
    }

    @Test("A name that does not resolve is a warning at its server, and each name is asked for once")
    func unresolvedName() throws {
        let text = """
            [listen]
            http = ":80"
            [upstream.mcp]
            servers = ["127.0.0.1:1", "here:1", { address = "Nowhere:2" }]
            [upstream.other]
            servers = ["here:3"]
            [[route]]
            path = "/other"
            upstream = "other"
            [[route]]
            upstream = "mcp"
            """

        let warnings = try file(text) { checks in
            checks.unresolvedHosts = { hosts in
                #expect(hosts == ["here", "nowhere"])
                return ["nowhere"]
            }
        }.warnings

        #expect(warnings.count == 1)
        #expect(
            warnings.first?.hasPrefix("berth.toml:4:49: warning: \"nowhere\" does not resolve\n") == true, "\(warnings)"
        )
    }

    @Test("An upstream that no route leads to is a warning at its table")
    func unusedUpstream() throws {
        let text = """
            [listen]
            http = ":80"
            [upstream.mcp]
            servers = ["a:1"]
            [upstream.lost]
            servers = ["b:1"]
            [[route]]
            upstream = "mcp"
            """

        let warnings = try file(text).warnings

        #expect(warnings.count == 1)
        #expect(
            warnings.first?.hasPrefix("berth.toml:5:1: warning: no route leads to upstream \"lost\"\n") == true,
            "\(warnings)")
    }

    @Test(
        "An admin address that others can reach is a warning",
        arguments: [
            ("127.0.0.1:9090", false), ("127.8.8.8:9090", false), ("[::1]:9090", false), ("off", false),
            (":9090", true), ("0.0.0.0:9090", true), ("10.0.0.7:9090", true), ("[::]:9090", true),
        ])
    func openAdmin(_ address: String, _ isOpen: Bool) throws {
        let text = """
            [global]
            admin = "\(address)"
            [listen]
            http = ":80"
            [upstream.mcp]
            servers = ["a:1"]
            """

        let warnings = try file(text).warnings

        let message = "berth.toml:2:9: warning: admin = \"\(address)\" is not a loopback address\n"
        #expect(warnings.count == (isOpen ? 1 : 0) && warnings.allSatisfy { $0.hasPrefix(message) }, "\(warnings)")
    }

    @Test("A key file that cannot be used is an error at its name")
    func keyFile() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "berth-keys-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data("not a key\n".utf8).write(to: URL(filePath: path))
        let text = """
            [global]
            secret = "file:\(path)"
            [listen]
            http = ":80"
            [upstream.mcp]
            servers = ["a:1"]
            """

        var checks = ConfigurationChecks.none
        checks.files = true
        checks.keyFileProblem = { "\($0):1: no key" }
        guard case .failure(let failure) = ConfigurationFile.parse(text, file: "berth.toml", checks: checks) else {
            Issue.record("it was accepted")
            return
        }

        #expect(failure.errors.map(\.message) == ["the keys in \(path) cannot be used"])
        #expect(failure.errors.map(\.reason) == ["\(path):1: no key"])
        #expect(failure.errors.map(\.line) == [2])
    }
}

@Suite("Number of servers")
struct ServerCountTests {
    private func text(_ counts: [Int]) -> String {
        var text = "[listen]\nhttp = \":80\"\n"
        for (index, count) in counts.enumerated() {
            let servers = (0..<count).map { "\"s\($0):1\"" }.joined(separator: ",")
            text +=
                "[upstream.u\(index)]\nservers = [\(servers)]\n[[route]]\npath = \"/\(index)\"\nupstream = \"u\(index)\"\n"
        }
        return text
    }

    @Test("More servers than the table of a process has places for are refused, over all upstreams together")
    func tooMany() {
        let errors = errors(in: text([20_000, 12_768, 5]))

        #expect(errors.map(\.message) == ["too many servers"])
        #expect(errors.map(\.line) == [8])
        #expect(errors.first?.reason.contains("has 32768, and one Berth takes at most 32767") == true)
    }

    @Test("As many as there are places for are valid")
    func most() throws {
        #expect(try decode(text([20_000, 12_767])).upstreams.map(\.servers.count) == [20_000, 12_767])
    }
}
