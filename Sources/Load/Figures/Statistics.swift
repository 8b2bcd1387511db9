import Histogram
import Kernel
import Synchronization

/// The counts of a whole run. Each thread adds its counters once a second; `fill` reads them. Safe to share between
/// threads.
final class Statistics: Sendable {
    private struct Second {
        var counters = Counters()
        var threads = 0
    }

    private struct State {
        var total = Counters()
        var series: [SecondFigures] = []
        /// Seconds that not all threads have reported yet, by number.
        var unfinished: [Int: Second] = [:]
        var replicas: [String: UInt64] = [:]
        /// Threads that have ended.
        var ended = 0
        var startFailure: LoadError?
    }

    private let state = Mutex(State())
    private let threads: Int
    private let stopAsked = Atomic(false)
    private let answered = Atomic<UInt64>(0)
    /// When the last thread ended measuring, in nanoseconds; 0 while measuring goes on.
    private let end = Atomic<UInt64>(0)
    /// Rung when a thread has added counters or ended.
    let changed: Wake

    init(threads: Int) throws(SystemError) {
        self.threads = threads
        changed = try Wake()
    }

    var isStopped: Bool { stopAsked.load(ordering: .relaxed) }
    /// Has all threads end measuring at their next housekeeping.
    func stop() { stopAsked.store(true, ordering: .relaxed) }

    /// Adds to the calls completed while measuring. Returns the sum of all threads.
    func addAnswered(_ count: UInt64) -> UInt64 { answered.add(count, ordering: .relaxed).newValue }

    /// The run cannot begin: the first reason is kept.
    func fail(_ error: LoadError) {
        state.withLock { if $0.startFailure == nil { $0.startFailure = error } }
        stop()
    }

    var startFailure: LoadError? { state.withLock { $0.startFailure } }

    /// Adds the counters of a thread. `second`: the second of measuring they belong to, from 0; nil if they are from
    /// before or after measuring.
    func add(_ counters: Counters, second: Int?, replicas: [String: UInt64]) {
        state.withLock { state in
            state.total.add(counters)
            state.replicas.merge(replicas, uniquingKeysWith: +)
            guard let second else { return }
            state.unfinished[second, default: Second()].counters.add(counters)
            state.unfinished[second]?.threads += 1
            publish(second, &state)
        }
        changed.ring()
    }

    /// A thread has ended measuring.
    func measuringEnded(at now: Instant) { _ = end.max(now.nanoseconds, ordering: .relaxed) }

    /// When measuring ended; nil while it goes on.
    var ended: Instant? {
        let nanoseconds = end.load(ordering: .relaxed)
        return nanoseconds == 0 ? nil : Instant(nanoseconds: nanoseconds)
    }

    /// A thread has ended and adds nothing more.
    func threadEnded() {
        state.withLock { $0.ended += 1 }
        changed.ring()
    }

    /// Whether all threads have ended.
    var hasEnded: Bool { state.withLock { $0.ended == threads } }

    /// Appends a second to the series once all threads have reported it.
    private func publish(_ number: Int, _ state: inout State) {
        guard let second = state.unfinished[number], second.threads == threads else { return }
        state.unfinished[number] = nil
        var figures = SecondFigures(at: Double(number + 1))
        figures.completed = second.counters.completed
        figures.wrong = second.counters.wrongCount
        figures.failed = second.counters.failedCount
        figures.bytesReceived = second.counters.bytesReceived
        if second.counters.latency.totalCount > 0 {
            figures.p50 = microseconds(second.counters.latency.valueAtPercentile(50))
            figures.p99 = microseconds(second.counters.latency.valueAtPercentile(99))
            figures.maximum = microseconds(second.counters.latency.maxRecorded)
        }
        state.series.append(figures)
    }

    /// Copies all counts so far into `figures`.
    func fill(_ figures: inout RunFigures, withLatencies: Bool) {
        let state = state.withLock { $0 }
        let total = state.total
        figures.completed = total.completed
        for kind in WrongAnswer.allCases where total.wrong[kind.index] > 0 {
            figures.wrong[kind] = total.wrong[kind.index]
        }
        for (failure, count) in total.failed { figures.failed[failure.text, default: 0] += count }
        figures.examples = total.examples
        figures.series = state.series
        figures.replicas = state.replicas
        figures.bytesReceived = total.bytesReceived
        figures.bytesSent = total.bytesSent
        figures.connectionsOpened = total.connectionsOpened
        figures.handshakesResumed = total.handshakesResumed
        figures.trial = total.trial?.figures(withLatencies: withLatencies)
        if withLatencies { figures.latency = LatencyFigures(total.latency) }
    }
}

/// `units`: of 100 ns, as the histograms count.
func microseconds(_ units: UInt64) -> Double { Double(units) / 10 }

extension LatencyFigures {
    /// From a histogram in units of 100 ns.
    init(_ histogram: Histogram<UInt64>) {
        self.init()
        count = histogram.totalCount
        guard count > 0 else { return }
        minimum = microseconds(histogram.min)
        mean = histogram.mean / 10
        maximum = microseconds(histogram.maxRecorded)
        percentiles = Self.points.map {
            Percentile(percentile: $0, microseconds: microseconds(histogram.valueAtPercentile($0)))
        }
    }

    /// The percentiles that tables print, and those between them that charts need.
    private static let points: [Double] = [
        0, 10, 20, 25, 30, 40, 50, 60, 70, 75, 80, 85, 90, 92.5, 95, 96, 97, 98, 99, 99.25, 99.5, 99.75, 99.9, 99.925,
        99.95, 99.975, 99.99, 99.995, 99.999, 100,
    ]
}
