/// Formats statistics as text.
package enum DemoTable {
    /// A table of a few lines, each with a newline.
    package static func render(_ statistics: DemoStatistics) -> String {
        var lines = ["sessions  \(statistics.open) open, \(statistics.begun) begun", "calls     \(calls(statistics))"]
        for (replica, count) in statistics.callsByReplica.sorted(by: { $0.key < $1.key }) {
            let share = statistics.calls == 0 ? 0 : 100 * Double(count) / Double(statistics.calls)
            lines.append("  \(padded(replica, 12))\(padded(String(count), 9, trailing: true))  \(fixed(share, 1)) %")
        }
        lines.append("affinity  \(fixed(statistics.affinityPercent, 2)) % kept")
        lines.append("latency   \(latency(statistics))")
        if let reason = statistics.lastFailure { lines.append("last      \(reason)") }
        return lines.map { $0 + "\n" }.joined()
    }

    /// The statistics in one line without a newline, for output that cannot be redrawn.
    package static func line(_ statistics: DemoStatistics) -> String {
        let replicas = statistics.callsByReplica.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let parts =
            ["sessions=\(statistics.open)", "calls=\(statistics.calls)"] + replicas
            + [
                "failed=\(statistics.failures)", "affinity=\(fixed(statistics.affinityPercent, 2))%",
                latency(statistics),
            ]
        return parts.joined(separator: "  ")
    }

    private static func calls(_ statistics: DemoStatistics) -> String {
        "\(statistics.calls) answered, \(statistics.misrouted) misrouted, \(statistics.failures) failed"
    }

    private static func latency(_ statistics: DemoStatistics) -> String {
        let (half, most) = (
            statistics.latencyMilliseconds(percentile: 50), statistics.latencyMilliseconds(percentile: 99)
        )
        return "p50 \(fixed(half, 1)) ms, p99 \(fixed(most, 1)) ms"
    }

    private static func padded(_ text: String, _ width: Int, trailing: Bool = false) -> String {
        let space = String(repeating: " ", count: max(0, width - text.count))
        return trailing ? space + text : text + space
    }

    /// A non-negative number, rounded to `decimals`.
    static func fixed(_ value: Double, _ decimals: Int) -> String {
        var scale = 1
        for _ in 0..<decimals { scale *= 10 }
        let scaled = Int((value * Double(scale)).rounded())
        let fraction = String(scaled % scale)
        let zeros = String(repeating: "0", count: max(0, decimals - fraction.count))
        return decimals == 0 ? "\(scaled)" : "\(scaled / scale).\(zeros)\(fraction)"
    }
}
