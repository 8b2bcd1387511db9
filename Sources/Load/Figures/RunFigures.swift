/// Everything one run of one workload came to. What the report, `--json` and the gate read; plain values, written once
/// the run has ended (or, for the live view, a copy made each second).
package struct RunFigures: Codable, Sendable {
    /// What was asked for: shown as the run's title and compared between runs.
    package var plan: PlanFigures
    /// Seconds since 1970 when measuring began, after the warm-up.
    package var began: Double
    /// Seconds measured, warm-up not counted.
    package var seconds: Double
    /// Calls (or events, or connections: `plan.unit`) that ended well while measuring.
    package var completed: UInt64 = 0
    /// Answers that arrived and were not true, by kind: what fails a run.
    package var wrong: [WrongAnswer: UInt64] = [:]
    /// What never became an answer, by kind: refused, reset, timed out, HTTP status.
    package var failed: [String: UInt64] = [:]
    /// The first few wrong answers and failures in words, at most 20.
    package var examples: [String] = []
    /// From the intended send time (open loop) or the send (closed loop) to the last byte of the answer.
    package var latency = LatencyFigures()
    /// One entry a second of measuring, in order.
    package var series: [SecondFigures] = []
    /// Calls each replica answered, by the name it gives itself; empty where the server does not say.
    package var replicas: [String: UInt64] = [:]
    package var bytesReceived: UInt64 = 0
    package var bytesSent: UInt64 = 0
    package var connectionsOpened: UInt64 = 0
    /// CPU seconds of the generator itself, all its threads.
    package var userSeconds: Double = 0
    package var systemSeconds: Double = 0

    package init(plan: PlanFigures, began: Double, seconds: Double) {
        self.plan = plan
        self.began = began
        self.seconds = seconds
    }

    package var wrongCount: UInt64 { wrong.values.reduce(0, +) }
    package var failedCount: UInt64 { failed.values.reduce(0, +) }
    /// µs of the generator's own CPU for each completed call.
    package var microsecondsPerCall: Double {
        completed == 0 ? 0 : (userSeconds + systemSeconds) * 1_000_000 / Double(completed)
    }
}

/// What a run was asked to do.
package struct PlanFigures: Codable, Sendable {
    /// Free text: the scenario's name, or the workload's.
    package var name: String
    package var workload: String
    package var url: String
    /// `http/1.1` or `h2`, with ` over TLS` where so.
    package var transport: String
    package var connections: Int
    /// Calls under way on each connection (HTTP/2 streams), 1 for HTTP/1.1.
    package var depth: Int
    /// Calls a second asked for, all connections together; nil in a closed loop.
    package var rate: Double?
    /// What is counted: "calls", "events", "connections", "bodies".
    package var unit: String
    /// Threads of the generator: the cores it can use.
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

/// The ways in which an answer can be untrue.
package enum WrongAnswer: String, Codable, Sendable, CaseIterable, CodingKeyRepresentable {
    /// A session's call was answered by another replica than the one that made the session.
    case strayed
    /// The session's own counter is not what its calls add up to.
    case miscounted
    /// A JSON-RPC id that was not asked on this connection or session, or one asked of somebody else.
    case foreignID
    /// The same call was answered twice.
    case answeredTwice
    /// An event stream skipped an event.
    case gap
    /// An event stream repeated an event.
    case duplicate
    /// A body of another length, or with other bytes, than what was asked for.
    case damaged
    /// 200 with a JSON-RPC error or `isError` inside.
    case hiddenError
    /// A reply that is not what the call asks for: no JSON-RPC, another content type, another session id.
    case malformed
}

/// A latency distribution in µs. Percentiles of an HdrHistogram with three significant digits.
package struct LatencyFigures: Codable, Sendable {
    package var count: UInt64 = 0
    package var minimum: Double = 0
    package var mean: Double = 0
    package var maximum: Double = 0
    /// (percentile 0 to 100, µs), ascending: 50, 75, 90, 95, 99, 99.9, 99.99, and the points a chart wants between.
    package var percentiles: [Percentile] = []

    package init() {}

    /// The value at exactly this percentile if it was recorded, else of the next one above.
    package func at(_ percentile: Double) -> Double {
        percentiles.first { $0.percentile >= percentile }?.microseconds ?? maximum
    }

    package struct Percentile: Codable, Sendable {
        package var percentile: Double
        package var microseconds: Double

        package init(percentile: Double, microseconds: Double) {
            self.percentile = percentile
            self.microseconds = microseconds
        }
    }
}

/// What one second of a run saw.
package struct SecondFigures: Codable, Sendable {
    /// Seconds from the beginning of measuring to the end of this one.
    package var at: Double
    package var completed: UInt64 = 0
    package var wrong: UInt64 = 0
    package var failed: UInt64 = 0
    /// µs, of the calls that ended in this second.
    package var p50: Double = 0
    package var p99: Double = 0
    package var maximum: Double = 0
    package var bytesReceived: UInt64 = 0

    package init(at: Double) { self.at = at }
}
