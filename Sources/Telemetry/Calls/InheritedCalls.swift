import MCP
import Synchronization

/// What processes before this one have counted of calls, for those whose place this one has taken. Any thread may add.
final class InheritedCalls: Sendable {
    private let table: Mutex<CallSeriesTable>
    private let phases: Mutex<CallPhases>

    init(upstreams: Int, limits: CallMetrics.Limits) {
        table = Mutex(CallSeriesTable(capacity: limits.series, namedLegs: limits.namedLegs))
        phases = Mutex(CallPhases(upstreams: upstreams))
    }

    func add(_ histogram: CallHistogram, to key: CallSeriesKey) {
        table.withLock { $0.add(histogram, to: key) }
    }

    func add(_ histogram: CallHistogram, to phase: CallPhase, upstream: UInt16) {
        phases.withLock { $0.add(histogram, to: phase, upstream: upstream) }
    }

    func forEach(_ body: (CallSeriesKey, (Int) -> Int64) -> Void) { table.withLock { $0.forEach(body) } }

    func histogram(_ phase: CallPhase, upstream: UInt16) -> CallHistogram {
        phases.withLock { $0.histogram(phase, upstream: upstream) }
    }

    /// The slot gets another upstream.
    func reset(upstream: UInt16) {
        table.withLock { table in table.remove { $0.upstream == upstream } }
        phases.withLock { $0.reset(upstream: upstream) }
    }

    /// The slot gets another server.
    func reset(server: Int) {
        table.withLock { table in table.remove { $0.kind == .leg && Int($0.server) == server } }
    }
}

extension CallMetrics {
    /// Adds what another process has counted: a series whose upstream and server have the same slots here. Names that are labels
    /// there are labels here, as far as there is space. Any thread may call this.
    package func inherit(_ series: CallSeries) {
        let upstream = series.upstream.flatMap { UInt16(exactly: $0) } ?? .max
        let error = error(series.failure)
        let key: CallSeriesKey
        switch series.kind {
        case .session:
            key = CallSeriesKey(session: series.revision.rawValue, error: error, upstream: upstream)
        case .operation, .leg:
            let call = CallSeriesKey(
                operation: series.method, name: name(series.name, upstream: upstream),
                revision: series.revision.rawValue, error: error, upstream: upstream)
            key = series.kind == .leg ? call.leg(to: series.server.flatMap { Int32(exactly: $0) } ?? -1) : call
        }
        inherited.add(series.histogram, to: key)
    }

    /// The same for a phase of the calls of an upstream, by its slot.
    package func inherit(_ phase: CallPhase, upstream: Int, _ histogram: CallHistogram) {
        guard let upstream = UInt16(exactly: upstream) else { return }
        inherited.add(histogram, to: phase, upstream: upstream)
    }
}
