import Load

extension ReportDocument {
    /// Counts up to this are exact in JSON, and their sums do not overflow.
    private static let mostCounted: UInt64 = 1 << 53
    private static let mostRuns = 64
    private static let mostPoints = 1_000_000

    /// A document may come from anywhere: what is drawn and added up must be within what can be.
    func check(_ name: String) throws(ReportError) {
        guard runs.count <= Self.mostRuns else {
            throw ReportError(name, "has \(runs.count) runs, and at most \(Self.mostRuns) are compared")
        }
        for (index, run) in runs.enumerated() {
            let isGood =
                run.countsAreBounded(by: Self.mostCounted) && run.numbersArePossible
                && run.series.count <= Self.mostPoints && run.latency.percentiles.count <= Self.mostPoints
            guard isGood else { throw ReportError(name, "has figures that are not possible in runs[\(index)]") }
        }
    }
}

extension RunFigures {
    fileprivate func countsAreBounded(by most: UInt64) -> Bool {
        let single = [completed, bytesReceived, bytesSent, connectionsOpened, handshakesResumed, latency.count]
        let tables = [Array(wrong.values), Array(failed.values), Array(replicas.values)]
        let sums = tables.map { $0.reduce(0.0) { $0 + Double($1) } }
        return single.allSatisfy { $0 <= most } && sums.allSatisfy { $0 <= Double(most) }
            && series.allSatisfy { max($0.completed, $0.wrong, $0.failed, $0.bytesReceived) <= most }
    }

    fileprivate var numbersArePossible: Bool {
        func isPossible(_ value: Double) -> Bool { value.isFinite && value >= 0 && value <= 1e15 }
        let single = [
            seconds, userSeconds, systemSeconds, latency.minimum, latency.mean, latency.maximum, plan.rate ?? 0,
        ]
        // The year 9999 is the last that dates are written for.
        guard single.allSatisfy(isPossible), (0...253_402_300_799).contains(began) else { return false }
        guard (0...1_000_000_000).contains(plan.connections), (0...1_000_000).contains(plan.depth) else { return false }
        guard (0...1_000_000).contains(plan.threads) else { return false }
        return latency.percentiles.allSatisfy {
            (0...100).contains($0.percentile) && isPossible($0.microseconds)
        } && series.allSatisfy { [$0.at, $0.p50, $0.p99, $0.maximum].allSatisfy(isPossible) }
    }
}
