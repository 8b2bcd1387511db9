import Load

/// The figures of a run in a few lines.
enum PlainReport {
    static func write(_ figures: RunFigures) {
        let plan = figures.plan
        print("\(plan.name) \(plan.transport) \(plan.url), \(plan.connections) connections")
        print("  \(figures.completed) \(plan.unit) in \(text(figures.seconds)) s, \(text(perSecond(figures))) a second")
        print(
            "  latency µs: p50 \(text(figures.latency.at(50))), p99 \(text(figures.latency.at(99))), "
                + "p99.99 \(text(figures.latency.at(99.99))), max \(text(figures.latency.maximum))")
        print("  own CPU: \(text(figures.microsecondsPerCall)) µs for each of the \(plan.unit)")
        for (name, count) in figures.replicas.sorted(by: { $0.key < $1.key }) { print("  replica \(name): \(count)") }
        for (kind, count) in figures.wrong { print("  WRONG \(kind.rawValue): \(count)") }
        for (kind, count) in figures.failed { print("  failed, \(kind): \(count)") }
        for example in figures.examples { print("    \(example)") }
    }

    private static func perSecond(_ figures: RunFigures) -> Double {
        figures.seconds > 0 ? Double(figures.completed) / figures.seconds : 0
    }

    private static func text(_ value: Double) -> String {
        String((value * 10).rounded() / 10)
    }
}
