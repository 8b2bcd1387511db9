/// Figures as text.
package enum DemoTable {
    /// A table of a few lines, each ended by a newline.
    package static func render(_ figures: DemoFigures) -> String {
        var lines = ["sessions  \(figures.open) open, \(figures.begun) begun", "calls     \(calls(figures))"]
        for (replica, count) in figures.callsByReplica.sorted(by: { $0.key < $1.key }) {
            let share = figures.calls == 0 ? 0 : 100 * Double(count) / Double(figures.calls)
            lines.append("  \(padded(replica, 12))\(padded(String(count), 9, trailing: true))  \(fixed(share, 1)) %")
        }
        lines.append("affinity  \(fixed(figures.affinityPercent, 2)) % kept")
        lines.append("latency   \(latency(figures))")
        if let reason = figures.lastFailure { lines.append("last      \(reason)") }
        return lines.map { $0 + "\n" }.joined()
    }

    /// The same in one line, without its newline: for output that cannot be redrawn.
    package static func line(_ figures: DemoFigures) -> String {
        let replicas = figures.callsByReplica.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let parts =
            ["sessions=\(figures.open)", "calls=\(figures.calls)"] + replicas
            + ["failed=\(figures.failures)", "affinity=\(fixed(figures.affinityPercent, 2))%", latency(figures)]
        return parts.joined(separator: "  ")
    }

    private static func calls(_ figures: DemoFigures) -> String {
        "\(figures.calls) answered, \(figures.strays) strayed, \(figures.failures) failed"
    }

    private static func latency(_ figures: DemoFigures) -> String {
        let (half, most) = (figures.latencyMilliseconds(percentile: 50), figures.latencyMilliseconds(percentile: 99))
        return "p50 \(fixed(half, 1)) ms, p99 \(fixed(most, 1)) ms"
    }

    private static func padded(_ text: String, _ width: Int, trailing: Bool = false) -> String {
        let space = String(repeating: " ", count: max(0, width - text.count))
        return trailing ? space + text : text + space
    }

    /// A number that is not negative, with so many decimals, rounded.
    static func fixed(_ value: Double, _ decimals: Int) -> String {
        var scale = 1
        for _ in 0..<decimals { scale *= 10 }
        let scaled = Int((value * Double(scale)).rounded())
        let fraction = String(scaled % scale)
        let zeros = String(repeating: "0", count: max(0, decimals - fraction.count))
        return decimals == 0 ? "\(scaled)" : "\(scaled / scale).\(zeros)\(fraction)"
    }
}
