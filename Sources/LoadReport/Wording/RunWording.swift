import Load

extension PlanFigures {
    /// Connections and depth as in `64 connections` or `16 connections × 16`.
    var loadText: String {
        let connections = "\(NumberFormat.count(UInt64(max(0, connections)))) connection\(connections == 1 ? "" : "s")"
        return depth > 1 ? "\(connections) × \(depth)" : connections
    }

    /// The rate as in `5,000 calls/s`; `closed loop` or `streams held open` without one.
    var rateText: String {
        if let rate { return "\(NumberFormat.rate(rate)) \(unit)/s" }
        return unit == "events" || unit == "streams" ? "streams held open" : "closed loop"
    }
}

extension RunFigures {
    /// Completed per second of measuring.
    var perSecond: Double { seconds > 0 ? Double(completed) / seconds : 0 }

    /// The share of its cores that the generator used, 0 to 1.
    var cpuShare: Double {
        seconds > 0 ? (userSeconds + systemSeconds) / seconds / Double(max(1, plan.threads)) : 0
    }

    /// Above this `cpuShare` the generator limits the figures.
    static let busyLimit = 0.9

    /// The share of all calls that `replica` answered.
    func share(of replica: String) -> Double {
        let all = replicas.values.reduce(0.0) { $0 + Double($1) }
        return all > 0 ? Double(replicas[replica] ?? 0) / all : 0
    }

    /// The examples without repetitions, with their number if they repeat.
    var distinctExamples: [String] {
        var counts: [String: Int] = [:]
        for example in examples { counts[example, default: 0] += 1 }
        return counts.keys.sorted { (examples.firstIndex(of: $0) ?? 0) < (examples.firstIndex(of: $1) ?? 0) }.map {
            let count = counts[$0] ?? 1
            return count > 1 ? "\($0) (\(count) times)" : $0
        }
    }

    /// Reasons not to trust the figures, in sentences.
    var cautions: [String] {
        var cautions: [String] = []
        if cpuShare > Self.busyLimit {
            cautions.append(
                "the generator used \(NumberFormat.percent(cpuShare, decimals: 0)) of its core\(plan.threads > 1 ? "s" : ""): "
                    + "it may limit the figures, not the server. Use --threads or less load")
        }
        if let rate = plan.rate, seconds > 0, perSecond < rate * 0.98 {
            cautions.append(
                "only \(NumberFormat.rate(perSecond)) of \(NumberFormat.rate(rate)) \(plan.unit)/s were reached: latencies count from "
                    + "the due time, and grow as long as the run lasts")
        }
        if latency.count > 0, latency.count < 10_000 {
            cautions.append(
                "with \(NumberFormat.count(latency.count)) latencies, the highest percentiles depend on few calls")
        }
        return cautions
    }
}

extension WrongAnswer {
    /// The kind in a few words.
    package var label: String {
        switch self {
        case .strayed: "wrong replica"
        case .miscounted: "wrong call count"
        case .foreignID: "wrong JSON-RPC id"
        case .answeredTwice: "answered twice"
        case .gap: "events skipped"
        case .duplicate: "events repeated"
        case .damaged: "wrong body"
        case .malformed: "malformed"
        }
    }

    /// The meaning of the kind, in a sentence without a period.
    var meaning: String {
        switch self {
        case .strayed: "a session's call was answered by another replica than the one that created the session"
        case .miscounted: "the server's count of a session's calls is not the number of its calls"
        case .foreignID: "a response has a JSON-RPC id that no request on this connection or session has"
        case .answeredTwice: "a call got two responses"
        case .gap: "an event stream skipped events"
        case .duplicate: "an event stream repeated an event"
        case .damaged: "a body has another length or other content than requested"
        case .malformed: "a response is not valid JSON-RPC, or has another content type or session id"
        }
    }
}
