import MCP
import Synchronization
import Telemetry

/// Durations of calls on their way from one process to another: what they are of, in words, and how many fell into each bucket.
struct HandoverHistogram: Equatable, Sendable {
    /// Words that name the series in both processes; slots are the same in both.
    let identity: String
    var nanoseconds: Int64
    var counts: [Int64]

    init(_ words: [String], _ histogram: CallHistogram) {
        identity = words.joined(separator: " ")
        nanoseconds = histogram.nanoseconds
        counts = histogram.counts
    }

    /// The words of its line: the identity, the sum in nanoseconds, and the buckets.
    var words: [String] { [identity, "\(nanoseconds)", counts.map { "\($0)" }.joined(separator: ",")] }

    /// Nil if the words are those of none.
    init?(words: [Substring]) {
        guard words.count > 3, words.count < 16, let buckets = words.last?.split(separator: ","), buckets.count < 100,
            let nanoseconds = Int64(words[words.count - 2])
        else { return nil }
        counts = buckets.compactMap { Int64($0) }
        guard counts.count == buckets.count, counts.allSatisfy({ $0 >= 0 }) else { return nil }
        identity = words.dropLast(2).joined(separator: " ")
        self.nanoseconds = nanoseconds
    }

    /// What was added since an earlier one of the same identity.
    func since(_ before: HandoverHistogram?) -> HandoverHistogram {
        guard let before, before.counts.count == counts.count else { return self }
        var added = self
        for (index, count) in before.counts.enumerated() { added.counts[index] = max(0, added.counts[index] &- count) }
        added.nanoseconds = max(0, added.nanoseconds &- before.nanoseconds)
        return added
    }

    /// More are not told: what else there is begins anew in the other process.
    static var maximum: Int { 8_192 }
}

// MARK: - Series

extension HandoverHistogram {
    init(_ series: CallSeries) {
        let kind =
            switch series.kind {
            case .operation: "call"
            case .leg: "leg"
            case .session: "session"
            }
        self.init(
            [
                kind, Self.word(series.upstream), Self.word(series.server), Self.word(series.method),
                Self.word(series.name), Self.word(series.failure), "\(series.revision.rawValue)",
            ], series.histogram)
    }

    init(_ phase: CallPhase, upstream: Int, _ histogram: CallHistogram) {
        self.init(["phase", "\(upstream)", "\(phase)"], histogram)
    }

    /// The phase that it is of, and the upstream's slot; nil if it is of none.
    var phase: (CallPhase, upstream: Int, CallHistogram)? {
        let words = identity.split(separator: " ")
        guard words.count == 3, words[0] == "phase", let upstream = UInt16(words[1]),
            let phase = CallPhase.allCases.first(where: { "\($0)" == words[2] }),
            let histogram = CallHistogram(counts: counts, nanoseconds: nanoseconds, isOfSessions: false)
        else { return nil }
        return (phase, Int(upstream), histogram)
    }

    /// The series; nil if it is none that this version has.
    var series: CallSeries? {
        let words = identity.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 7, let kind = Self.kinds[words[0]], let upstream = Self.slot(words[1]),
            let server = Self.slot(words[2]), let method = Self.method(words[3]), let name = Self.name(words[4]),
            let failure = Self.failure(words[5]), let revision = UInt16(words[6]),
            let histogram = CallHistogram(counts: counts, nanoseconds: nanoseconds, isOfSessions: kind == .session)
        else { return nil }
        return CallSeries(
            kind, upstream: upstream, server: server, method: method, name: name, failure: failure,
            revision: ProtocolRevisions(rawValue: revision), histogram)
    }

    private static let kinds: [Substring: CallSeries.Kind] = ["call": .operation, "leg": .leg, "session": .session]

    private static func word(_ slot: Int?) -> String { slot.map { "\($0)" } ?? "-" }

    /// A nil within for "-".
    private static func slot(_ word: Substring) -> Int?? {
        if word == "-" { return .some(nil) }
        return UInt16(word).map { Int($0) }
    }

    private static func word(_ method: MCPMethod) -> String { "\(method)" }

    private static func method(_ word: Substring) -> MCPMethod? {
        MCPMethod.allCases.first { "\($0)" == word }
    }

    private static func word(_ name: CallSeries.Name) -> String {
        switch name {
        case .none: "-"
        case .other: "other"
        case .tool(let text): "tool=" + HandoverText.hex(Array(text.utf8))
        case .prompt(let text): "prompt=" + HandoverText.hex(Array(text.utf8))
        }
    }

    private static func name(_ word: Substring) -> CallSeries.Name? {
        if word == "-" { return CallSeries.Name.none }
        if word == "other" { return .other }
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let bytes = HandoverText.bytes(parts[1]), !bytes.isEmpty,
            bytes.count <= 4 * CallName.maximumBytes
        else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        return parts[0] == "tool" ? .tool(text) : parts[0] == "prompt" ? .prompt(text) : nil
    }

    private static let failures: [(word: String, failure: CallSeries.Failure)] = [
        ("-", .none), ("tool_error", .toolError), ("timeout", .timeout), ("cancelled", .cancelled),
        ("aborted", .aborted), ("other", .other),
    ]

    private static func word(_ failure: CallSeries.Failure) -> String {
        switch failure {
        case .rpc(let code): "rpc=\(code)"
        case .status(let status): "status=\(status)"
        case .rejection(let reason): ExchangeFault(rawValue: reason).map { "rejected=\($0)" } ?? "other"
        case .none, .toolError, .timeout, .cancelled, .aborted, .other:
            failures.first { $0.failure == failure }?.word ?? "other"
        }
    }

    private static func failure(_ word: Substring) -> CallSeries.Failure? {
        if let known = failures.first(where: { $0.word == word }) { return known.failure }
        let parts = word.split(separator: "=", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        switch parts[0] {
        case "rpc": return Int32(parts[1]).map { .rpc($0) }
        case "status": return Int32(parts[1]).map { .status($0) }
        case "rejected": return ExchangeFault.allCases.first { "\($0)" == parts[1] }.map { .rejection($0.rawValue) }
        default: return nil
        }
    }
}

// MARK: - Two processes

extension ProxyServer {
    /// Durations that have changed since they were told.
    func changedHistograms() -> [HandoverMessage] {
        var all = metrics.calls.series().map { HandoverHistogram($0) }
        for upstream in table.upstreams {
            let slot = Int(upstream.id.slot)
            all += CallPhase.allCases.compactMap { phase in
                metrics.calls.phase(phase, upstream: slot).map { HandoverHistogram(phase, upstream: slot, $0) }
            }
        }
        return handover.toldHistograms.withLock { told in
            all.compactMap { histogram in
                let before = told[histogram.identity]
                let isNew = before == nil && (told.count >= HandoverHistogram.maximum || histogram.isEmpty)
                guard !isNew, before != histogram else { return nil }
                told[histogram.identity] = histogram
                return .histogram(histogram)
            }
        }
    }

    /// Adds durations that the process before has counted, of upstreams and servers that it knew by `state` and that are here.
    func inherit(_ histogram: HandoverHistogram, _ state: HandoverState) {
        if let (phase, upstream, durations) = histogram.phase {
            if knows(upstream: upstream, state) { metrics.calls.inherit(phase, upstream: upstream, durations) }
            return
        }
        guard let series = histogram.series else { return }
        if let upstream = series.upstream, !knows(upstream: upstream, state) { return }
        if let server = series.server {
            guard let id = state.server(inSlot: UInt16(truncatingIfNeeded: server)), table.contains(id) else { return }
        }
        metrics.calls.inherit(series)
    }

    private func knows(upstream slot: Int, _ state: HandoverState) -> Bool {
        state.upstreams.contains { Int($0.id.slot) == slot && table.contains(upstream: $0.id) }
    }
}

extension HandoverHistogram {
    fileprivate var isEmpty: Bool { counts.allSatisfy { $0 == 0 } }
}
