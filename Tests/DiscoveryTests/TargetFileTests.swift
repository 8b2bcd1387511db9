import Kernel
import TestSupport
import Testing

@testable import Discovery

/// Lists of targets, as Prometheus reads them.
@Suite("Files of targets")
struct TargetFileTests {
    private func read(_ text: String) -> Result<DiscoveryAnswer, DiscoveryFailure> { read(Array(text.utf8)) }

    private func read(_ bytes: [UInt8]) -> Result<DiscoveryAnswer, DiscoveryFailure> { TargetFile.servers(bytes.span) }

    private func server(_ text: String) -> DiscoveredServer? {
        let bytes = Array(text.utf8)
        return TargetFile.server(bytes.span)
    }

    private static let good = """
        [
          {"targets": ["10.0.0.7:3001", "[fd00::7]:3001"], "labels": {"job": "mcp", "berth_weight": "5"}},
          {"labels": {"berth_backup": "true"}, "targets": ["MCP-9.test:80"], "x": [1, {"y": null}]},
          {"targets": []}
        ]
        """

    @Test("targets of all groups, with the labels that mean something")
    func good() throws {
        let servers = try read(Self.good).get().servers
        #expect(servers.map(\.name) == ["10.0.0.7:3001", "[fd00::7]:3001", "mcp-9.test:80"])
        #expect(servers.map(\.weight) == [5, 5, 1] && servers.map(\.isBackup) == [false, false, true])
        #expect(servers.map(\.certificateName) == ["10.0.0.7", "fd00::7", "mcp-9.test"])
    }

    @Test("no targets are a failure like an empty answer", arguments: ["[]", " [ ] ", #"[{"targets": []}]"#])
    func empty(text: String) {
        #expect(throws: DiscoveryFailure(.empty)) { try read(text).get() }
    }

    @Test(
        "what is wrong is said with its line",
        arguments: [
            ("", "line 1: the file is not a list of groups"), ("{}", "line 1: the file is not a list of groups"),
            ("[\n1]", "line 2: a group is an object with \"targets\""),
            ("[{}]", "line 1: a group has no \"targets\""),
            (#"[{"targets": "a:1"}]"#, "line 1: \"targets\" is not a list"),
            ("[{\"targets\": [\n\n1]}]", "line 3: a target is not a text"),
            (#"[{"targets": ["mcp-1"]}]"#, "line 1: a target is a host and a port, such as \"10.0.0.7:3001\""),
            (#"[{"targets": ["a:1"], "labels": 1}]"#, "line 1: \"labels\" is not an object"),
            (#"[{"targets": ["a:1"], "labels": {"a": 1}}]"#, "line 1: a label is not a text"),
            (
                #"[{"targets": ["a:1"], "labels": {"berth_weight": "0"}}]"#,
                "line 1: berth_weight is a text of 1 to 1000"
            ),
            (#"[{"targets": ["a:1"]}"#, "line 1: this is not JSON"),
            (#"[{"targets": ["a:1"]}] x"#, "line 1: this is not JSON"),
        ])
    func wrong(text: String, expected: String) {
        #expect(throws: DiscoveryFailure(.malformed, expected)) { try read(text).get() }
    }

    @Test(
        "targets that are none",
        arguments: [
            "", "a", "a:", "a:0", "a:65536", ":1", "a b:1", "a\\u0041:1", "[::1]", "::1:80", "0.0.0.0:1", "a..b:1",
            "ä:1",
        ])
    func targets(text: String) { #expect(server(text) == nil) }

    @Test(
        "a file that is cut off, or has other bytes in it, is read to its end", arguments: 1...10 as ClosedRange<UInt64>
    )
    func broken(seed: UInt64) {
        let bytes = Array(Self.good.utf8)
        for count in 0..<bytes.count {
            #expect((try? read(Array(bytes.prefix(count))).get()) == nil, "\(count)")
        }
        var random = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            var changed = bytes
            for _ in 0..<4 {
                changed[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            for server in (try? read(changed).get())?.servers ?? [] {
                #expect(server.port > 0 && (1...1_000).contains(server.weight))
            }
        }
    }
}
