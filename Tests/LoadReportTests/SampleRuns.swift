import Load

/// Runs for tests, with fixed figures.
enum SampleRuns {
    static func plan(_ name: String, workload: String = "sessions", rate: Double? = nil) -> PlanFigures {
        PlanFigures(
            name: name, workload: workload, url: "http://127.0.0.1:8080/mcp", transport: "http/1.1", connections: 64,
            depth: 1, rate: rate, unit: "calls")
    }

    /// Ten seconds without errors.
    static func good(_ name: String = "sessions") -> RunFigures {
        var run = RunFigures(plan: plan(name), began: 1_772_368_496.25, seconds: 10)
        run.completed = 123_456
        run.latency.count = 123_456
        run.latency.minimum = 212
        run.latency.mean = 640.5
        run.latency.maximum = 48_201
        run.latency.percentiles = [
            (50, 512.0), (75, 790), (90, 1_203), (95, 1_711), (99, 3_402), (99.9, 12_007), (99.99, 31_111),
        ].map { LatencyFigures.Percentile(percentile: $0.0, microseconds: $0.1) }
        run.series = (1...10).map { second in
            var figures = SecondFigures(at: Double(second))
            figures.completed = UInt64(12_000 + second * 50)
            figures.p50 = 500 + Double(second)
            figures.p99 = 3_000 + Double(second * 40)
            figures.maximum = 9_000
            figures.bytesReceived = 8_000_000
            return figures
        }
        run.replicas = ["replica-1": 41_152, "replica-2": 41_152, "replica-3": 41_152]
        run.bytesReceived = 80_000_000
        run.bytesSent = 61_000_000
        run.connectionsOpened = 64
        run.userSeconds = 2.4
        run.systemSeconds = 3.1
        return run
    }

    /// An open loop that fell behind, with wrong answers and failures.
    static func bad(_ name: String = "open loop") -> RunFigures {
        var run = good(name)
        run.plan.rate = 20_000
        run.completed = 98_765
        run.wrong = [.strayed: 37, .gap: 1]
        run.failed = ["HTTP 502": 11, "connection reset": 2]
        run.examples = ["session s7: replica-2 answered what replica-1 made", "HTTP 502"]
        run.series[4].wrong = 38
        run.series[4].failed = 13
        run.userSeconds = 4
        run.systemSeconds = 5.4
        return run
    }
}
