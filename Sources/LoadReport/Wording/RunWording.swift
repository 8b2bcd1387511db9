import Load

extension PlanFigures {
    /// `64 connections`, `16 connections × 16`
    var loadText: String {
        let connections = "\(Figure.count(UInt64(max(0, connections)))) connection\(connections == 1 ? "" : "s")"
        return depth > 1 ? "\(connections) × \(depth)" : connections
    }

    /// `5,000 calls/s` or `closed loop`
    var rateText: String {
        rate.map { "\(Figure.rate($0)) \(unit)/s" } ?? "closed loop"
    }
}

extension RunFigures {
    /// Completed a second.
    var perSecond: Double { seconds > 0 ? Double(completed) / seconds : 0 }

    /// The share of the cores it can use that the generator itself took, 0 to 1.
    var busy: Double {
        seconds > 0 ? (userSeconds + systemSeconds) / seconds / Double(max(1, plan.threads)) : 0
    }

    /// Above this the generator is what is measured.
    static let tooBusy = 0.9

    /// The share of all calls that `replica` answered.
    func share(of replica: String) -> Double {
        let all = replicas.values.reduce(0.0) { $0 + Double($1) }
        return all > 0 ? Double(replicas[replica] ?? 0) / all : 0
    }

    /// What a reader must know before trusting the figures, each a sentence.
    var cautions: [String] {
        var cautions: [String] = []
        if busy > Self.tooBusy {
            cautions.append(
                "the generator used \(Figure.percent(busy, decimals: 0)) of its core\(plan.threads > 1 ? "s" : ""): "
                    + "the figures may say more of it than of the server. Use --threads, or ask less of it")
        }
        if let rate = plan.rate, seconds > 0, perSecond < rate * 0.98 {
            cautions.append(
                "only \(Figure.rate(perSecond)) of \(Figure.rate(rate)) \(plan.unit)/s were reached: latencies count from "
                    + "the intended time, and grow for as long as the run lasts")
        }
        if latency.count > 0, latency.count < 10_000 {
            cautions.append(
                "with \(Figure.count(latency.count)) latencies, the highest percentiles rest on a few of them")
        }
        return cautions
    }
}

extension WrongAnswer {
    /// The kind in a few words, for a row of a table.
    var label: String {
        switch self {
        case .strayed: "strayed"
        case .miscounted: "miscounted"
        case .foreignID: "foreign id"
        case .answeredTwice: "answered twice"
        case .gap: "gap in events"
        case .duplicate: "event repeated"
        case .damaged: "damaged body"
        case .hiddenError: "hidden error"
        case .malformed: "malformed"
        }
    }

    /// What that means, in a sentence without its full stop.
    var meaning: String {
        switch self {
        case .strayed: "a session's call was answered by a replica that did not make the session"
        case .miscounted: "the session's own counter is not what its calls add up to"
        case .foreignID: "a reply has a JSON-RPC id that nobody asked with here"
        case .answeredTwice: "one call had two answers"
        case .gap: "an event stream skipped events"
        case .duplicate: "an event stream repeated an event"
        case .damaged: "a body has another length or other bytes than were asked for"
        case .hiddenError: "200, and inside it a JSON-RPC error or a result marked as one"
        case .malformed: "a reply that is not what the call asks for"
        }
    }
}
