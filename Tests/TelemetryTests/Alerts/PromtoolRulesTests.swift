import Foundation
import TestSupport
import Testing

@Suite("Prometheus' own check of the shipped files")
struct PromtoolRulesTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../configs/deploy").standardizedFileURL

    private func promtool(_ arguments: String...) throws -> (status: Int32, said: String) {
        let process = TestProcess()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["promtool"] + arguments
        process.currentDirectoryURL = Self.folder
        let said = try process.runToEnd(reading: .both)
        return (process.terminationStatus, String(decoding: said, as: UTF8.self))
    }

    @Test("the rules are valid")
    func check() throws {
        let (status, said) = try promtool("check", "rules", "prometheus-rules.yml")
        #expect(status == 0, "\(said)")
    }

    @Test("every rule trips and clears in its test")
    func test() throws {
        let (status, said) = try promtool("test", "rules", "prometheus-rules-test.yml")
        #expect(status == 0, "\(said)")
    }

    @Test("every query of the dashboard is valid")
    func dashboard() throws {
        struct Dashboard: Decodable {
            struct Target: Decodable {
                var expr: String
            }
            struct Panel: Decodable {
                var targets: [Target]?
            }
            var panels: [Panel]
        }
        let data = try Data(contentsOf: Self.folder.appending(path: "grafana-dashboard.json"))
        let queries = try JSONDecoder().decode(Dashboard.self, from: data).panels.flatMap { $0.targets ?? [] }.map(
            \.expr)
        #expect(queries.count > 40)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        var rules = "groups:\n- name: dashboard\n  rules:\n"
        for (index, query) in queries.enumerated() {
            var text = query
            for (variable, value) in [
                ("$__rate_interval", "5m"), ("$__range", "1h"), ("$instance", ".*"), ("$upstream", ".*"),
            ] { text = text.replacingOccurrences(of: variable, with: value) }
            let encoded = String(decoding: try encoder.encode(text), as: UTF8.self)
            rules += "  - record: q\(index)\n    expr: \(encoded)\n"
        }
        let file = FileManager.default.temporaryDirectory.appending(path: "berth-queries-\(UUID().uuidString).yml")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(rules.utf8).write(to: file)

        let (status, said) = try promtool("check", "rules", file.path)
        #expect(status == 0, "\(said)")
    }
}
