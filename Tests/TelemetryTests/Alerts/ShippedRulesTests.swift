import Foundation
import Kernel
import Telemetry
import Testing

/// The files in configs/deploy say what Berth itself says.
@Suite("Prometheus rules and the Grafana dashboard")
struct ShippedRulesTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../configs/deploy").standardizedFileURL

    private func text(_ name: String) throws -> String {
        try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
    }

    private struct Rule: Equatable {
        var delay = ""
        var severity = ""
    }

    /// The rules of the file, line by line.
    private func rules() throws -> [String: Rule] {
        var rules: [String: Rule] = [:]
        var name = ""
        for line in try text("prometheus-rules.yml").split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            switch words.first {
            case "-" where words.count == 3 && words[1] == "alert:":
                name = words[2]
                rules[name] = Rule()
            case "for:": rules[name]?.delay = words[1]
            case "severity:": rules[name]?.severity = words[1]
            default: break
            }
        }
        return rules
    }

    private func text(_ interval: Interval) -> String {
        let seconds = interval.nanoseconds / 1_000_000_000
        return seconds % 60 == 0 ? "\(seconds / 60)m" : "\(seconds)s"
    }

    @Test("the rules are those that Berth evaluates, and one for when it cannot")
    func rulesAreTheSame() throws {
        var expected = ["BerthDown": Rule(delay: "30s", severity: "critical")]
        for rule in AlertRule.allCases {
            expected[rule.rawValue] = Rule(
                delay: text(AlertThresholds().delay(of: rule)), severity: rule.severity.rawValue)
        }
        #expect(try rules() == expected)
    }

    @Test("their thresholds are the defaults")
    func thresholds() throws {
        let rules = try text("prometheus-rules.yml").split(separator: "\n").map { $0.drop { $0 == " " } }
        for line in ["> 0.05", "> 5", "expr: berth_upstream_queue_waiting > 0"] {
            #expect(rules.contains(Substring(line)))
        }
        #expect(rules.contains("expr: process_resident_memory_bytes / berth_memory_limit_bytes > 0.8"))
        #expect(rules.contains("expr: berth_client_connections / berth_client_connections_limit > 0.8"))
        #expect(rules.contains { $0.hasSuffix("< 14 * 86400") })
        let defaults = AlertThresholds()
        #expect(defaults.errorRate == 0.05 && defaults.toolP95 == .seconds(5))
        #expect(defaults.memory == 0.8 && defaults.connections == 0.8)
        #expect(defaults.certificate == .seconds(14 * 86_400) && defaults.window == .seconds(300))
    }

    @Test("every rule has a test in which it fires and one in which it does not")
    func rulesAreTested() throws {
        let test = try text("prometheus-rules-test.yml")
        for name in try rules().keys {
            #expect(test.contains("alertname: \(name)\n"), "\(name) never fires")
            #expect(test.contains("alertname: \(name), exp_alerts: []"), "\(name) never clears")
        }
    }

    // MARK: - Names

    /// What is written like a metric of ours: `berth_`, `mcp_` or `process_` and more.
    private func names(in text: String) -> Set<String> {
        let isPart: (Character) -> Bool = { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        var found: Set<String> = []
        for word in text.split(whereSeparator: { !isPart($0) }) {
            guard ["berth_", "mcp_", "process_"].contains(where: word.hasPrefix) else { continue }
            found.insert(String(word))
        }
        return found
    }

    private static let metrics: Set<String> = Set(
        MetricCatalog.all.flatMap { metric in
            metric.kind == .histogram
                ? ["_bucket", "_sum", "_count"].map { metric.name + $0 } : [metric.queryName]
        })
    private static let labels = Set(MetricCatalog.all.flatMap(\.labels))

    @Test(
        "every metric and label in the files exists",
        arguments: ["prometheus-rules.yml", "prometheus-rules-test.yml", "grafana-dashboard.json"])
    func namesExist(_ file: String) throws {
        let named = names(in: try text(file))
        let unknown = named.subtracting(Self.metrics).subtracting(Self.labels)

        #expect(unknown.sorted() == [])
        #expect(named.count >= 10)
    }

    @Test("the dashboard shows most of what there is")
    func dashboardShowsMost() throws {
        let shown = names(in: try text("grafana-dashboard.json"))
        let missing = MetricCatalog.all.filter { metric in
            metric.kind == .histogram ? !shown.contains(metric.name + "_bucket") : !shown.contains(metric.queryName)
        }
        #expect(missing.count < MetricCatalog.all.count / 2, "missing: \(missing.map(\.name))")
    }

    @Test("the dashboard is JSON with panels that all have a query, and no two of one number")
    func dashboard() throws {
        struct Dashboard: Decodable {
            struct Target: Decodable {
                var expr: String
            }
            struct Panel: Decodable {
                var id: Int
                var title: String
                var type: String
                var targets: [Target]?
            }
            var title: String
            var panels: [Panel]
        }
        let dashboard = try JSONDecoder().decode(Dashboard.self, from: Data(try text("grafana-dashboard.json").utf8))
        #expect(Set(dashboard.panels.map(\.id)).count == dashboard.panels.count)
        for panel in dashboard.panels where panel.type != "row" {
            #expect(panel.targets?.isEmpty == false, "\(panel.title)")
        }
    }
}
