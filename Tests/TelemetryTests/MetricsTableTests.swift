import Foundation
import Telemetry
import Testing

/// The table of metrics in the documentation has what the catalog has.
@Suite("The table of metrics")
struct MetricsTableTests {
    private func rows() throws -> [String] {
        let package = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
        let page = package.appending(path: "Sources/Proxy/Proxy.docc/Metrics.md")
        return try String(contentsOf: page, encoding: .utf8).split(separator: "\n").map(String.init).filter {
            $0.hasPrefix("| `mcp_") || $0.hasPrefix("| `berth_") || $0.hasPrefix("| `process_")
        }
    }

    private func row(_ metric: MetricDefinition) -> String {
        let labels = metric.labels.map { "`\($0)`" }.joined(separator: " ")
        return
            "| `\(metric.queryName)` | \(metric.kind.rawValue) | \(metric.unit?.rawValue ?? "") | \(labels) | \(metric.help) |"
    }

    @Test("every metric stands in it as the catalog has it, in the same order, and nothing else does")
    func complete() throws {
        let (rows, expected) = (try rows(), MetricCatalog.all.map(row))
        #expect(rows.filter { !expected.contains($0) } == [])
        #expect(expected.filter { !rows.contains($0) } == [])
        #expect(rows == expected)
        #expect(rows.count > 50)
    }
}
