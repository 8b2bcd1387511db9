/// The results of one run. Reports and `--json` are made from it. A copy of plain values, made when the run has ended,
/// or each second for the live view.
package struct RunFigures: Codable, Sendable {
    /// The plan of the run: shown as its title and compared between runs.
    package var plan: PlanFigures
    /// Seconds since 1970 when measuring began, after the warm-up.
    package var began: Double
    /// Seconds measured, warm-up not counted.
    package var seconds: Double
    /// Calls (or events, or connections: `plan.unit`) that passed all checks while measuring.
    package var completed: UInt64 = 0
    /// Responses and events that failed a check, by kind, warm-up included.
    package var wrong: [WrongAnswer: UInt64] = [:]
    /// Calls without a response that could be checked, by `Failure.text`, warm-up included.
    package var failed: [String: UInt64] = [:]
    /// The first few wrong answers and failures in words, at most 20.
    package var examples: [String] = []
    /// Latencies from the intended send time (open loop) or the actual one (closed loop) to the last byte of the
    /// response.
    package var latency = LatencyFigures()
    /// One entry a second of measuring, in order.
    package var series: [SecondFigures] = []
    /// Calls that each replica answered, by the name in its tool results; empty if the server gives none.
    package var replicas: [String: UInt64] = [:]
    /// Bytes read from sockets while measuring, TLS records included.
    package var bytesReceived: UInt64 = 0
    /// Bytes written to sockets while measuring, TLS records included.
    package var bytesSent: UInt64 = 0
    /// TCP connections established, warm-up included.
    package var connectionsOpened: UInt64 = 0
    /// TLS handshakes that resumed a session, warm-up included.
    package var handshakesResumed: UInt64 = 0
    /// CPU seconds of the generator's process in user mode, all threads.
    package var userSeconds: Double = 0
    /// CPU seconds of the generator's process in kernel mode, all threads.
    package var systemSeconds: Double = 0
    /// Of a run whose servers were disturbed; nil for other runs.
    package var trial: TrialFigures?

    package init(plan: PlanFigures, began: Double, seconds: Double) {
        self.plan = plan
        self.began = began
        self.seconds = seconds
    }

    /// The sum of `wrong`.
    package var wrongCount: UInt64 { wrong.values.reduce(0, +) }
    /// The sum of `failed`.
    package var failedCount: UInt64 { failed.values.reduce(0, +) }
    /// CPU time of the generator for each completed call, in µs; 0 without calls.
    package var microsecondsPerCall: Double {
        completed == 0 ? 0 : (userSeconds + systemSeconds) * 1_000_000 / Double(completed)
    }
}

/// The plan of a run, as reports show it.
package struct PlanFigures: Codable, Sendable {
    /// The name of the run in the scenario file, or of the workload.
    package var name: String
    /// The workloads of the mix, joined by ` + `.
    package var workload: String
    /// The URL of the MCP endpoint.
    package var url: String
    /// `http/1.1` or `h2`, followed by ` over TLS` for an https URL.
    package var transport: String
    /// Connections open at a time.
    package var connections: Int
    /// Concurrent calls on each connection (HTTP/2 streams), 1 for HTTP/1.1.
    package var depth: Int
    /// Calls a second asked for, all connections together; nil in a closed loop.
    package var rate: Double?
    /// What is counted: "calls", "events", "connections", "bodies".
    package var unit: String
    /// Threads of the generator.
    package var threads = 1

    package init(
        name: String, workload: String, url: String, transport: String, connections: Int, depth: Int, rate: Double?,
        unit: String
    ) {
        self.name = name
        self.workload = workload
        self.url = url
        self.transport = transport
        self.connections = connections
        self.depth = depth
        self.rate = rate
        self.unit = unit
    }
}

/// The ways in which a response or an event can be wrong.
package enum WrongAnswer: String, Codable, Sendable, CaseIterable, CodingKeyRepresentable {
    /// A session's call was answered by another replica than the one that made the session.
    case strayed
    /// The session's counter on the server is not the number of its calls.
    case miscounted
    /// A JSON-RPC id that no request on this connection or session has, or that another client's request has.
    case foreignID
    /// The same call was answered twice.
    case answeredTwice
    /// An event stream skipped an event.
    case gap
    /// An event stream repeated an event.
    case duplicate
    /// A body of another length, or with other bytes, than what was asked for.
    case damaged
    /// A response of the wrong form: not JSON-RPC, another content type, another session id.
    case malformed
}

/// A latency distribution in µs, from an HdrHistogram with three significant digits.
package struct LatencyFigures: Codable, Sendable {
    /// The number of latencies recorded.
    package var count: UInt64 = 0
    /// In µs.
    package var minimum: Double = 0
    /// In µs.
    package var mean: Double = 0
    /// In µs.
    package var maximum: Double = 0
    /// Percentiles in ascending order: those of tables (50, 75, 90, 95, 99, 99.9, 99.99) and those that charts need.
    package var percentiles: [Percentile] = []

    /// An empty distribution.
    package init() {}

    /// The latency in µs at the percentile (0 to 100), or at the next listed one above it; the maximum if there is
    /// none.
    package func at(_ percentile: Double) -> Double {
        percentiles.first { $0.percentile >= percentile }?.microseconds ?? maximum
    }

    /// One point of the distribution.
    package struct Percentile: Codable, Sendable {
        /// 0 to 100.
        package var percentile: Double
        /// The latency that this percentage of calls did not exceed.
        package var microseconds: Double

        package init(percentile: Double, microseconds: Double) {
            self.percentile = percentile
            self.microseconds = microseconds
        }
    }
}

/// One second of a run.
package struct SecondFigures: Codable, Sendable {
    /// Seconds from the beginning of measuring to the end of this second.
    package var at: Double
    /// Calls that passed all checks.
    package var completed: UInt64 = 0
    /// Wrong answers.
    package var wrong: UInt64 = 0
    /// Failed calls.
    package var failed: UInt64 = 0
    /// Median latency in µs of the calls that ended in this second; 0 without calls.
    package var p50: Double = 0
    /// 99th percentile in µs.
    package var p99: Double = 0
    /// Maximum in µs.
    package var maximum: Double = 0
    /// Bytes read from sockets.
    package var bytesReceived: UInt64 = 0

    package init(at: Double) { self.at = at }
}
