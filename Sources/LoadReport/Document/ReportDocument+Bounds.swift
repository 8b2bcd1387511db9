import Load

extension ReportDocument {
    /// The largest count: exact as a JSON number, and sums of counts do not overflow.
    private static let maxCount: UInt64 = 1 << 53
    private static let maxRuns = 64
    private static let maxPoints = 1_000_000

    /// Checks that all numbers are within bounds, since the document may come from any program. Throws the first error.
    func check(_ name: String) throws(ReportError) {
        guard runs.count <= Self.maxRuns else {
            throw ReportError(name, "has \(runs.count) runs, and at most \(Self.maxRuns) are compared")
        }
        for (index, run) in runs.enumerated() {
            let isGood =
                run.countsAreBounded(by: Self.maxCount) && run.numbersArePossible
                && run.series.count <= Self.maxPoints && run.latency.percentiles.count <= Self.maxPoints
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
        // 253402300799 is the end of the year 9999, the last year that dates can be formatted for.
        guard single.allSatisfy(isPossible), (0...253_402_300_799).contains(began) else { return false }
        guard (0...1_000_000_000).contains(plan.connections), (0...1_000_000).contains(plan.depth) else { return false }
        guard (0...1_000_000).contains(plan.threads) else { return false }
        return latency.percentiles.allSatisfy {
            (0...100).contains($0.percentile) && isPossible($0.microseconds)
        } && series.allSatisfy { [$0.at, $0.p50, $0.p99, $0.maximum].allSatisfy(isPossible) }
    }
}
