import Kernel
import Synchronization
package import Telemetry

/// Brings the spans of calls to the collector that the configuration names. Safe to use from any thread.
package final class CallTracing: Sendable {
    private let calls: CallFeed
    private let version: String
    private let report: @Sendable (String) -> Void
    private let state = Mutex(State())

    private struct State {
        var plan: TracePlan?
        var exporter: TraceExporter?
        /// The one before it, which sends what it still has.
        var leaving: TraceExporter?
        /// Of exporters that there are no more.
        var past = TraceExporter.Counts()
    }

    /// Without a plan no spans are made. `version` is Berth's; `report` is given a line when a collector is away or back.
    init(_ calls: CallFeed, version: String, report: @escaping @Sendable (String) -> Void) {
        self.calls = calls
        self.version = version
        self.report = report
    }

    /// Spans that collectors have accepted and calls whose spans were dropped, since the start, and why the last request failed.
    package var counts: TraceExporter.Counts {
        state.withLock { state in
            var counts = state.past
            if let leaving = state.leaving { counts.add(leaving.counts) }
            if let exporter = state.exporter { counts.add(exporter.counts) }
            counts.lastError = state.exporter?.counts.lastError
            return counts
        }
    }

    /// Calls whose spans were dropped, as a line of the metric of dropped lines of logs.
    package var logDrops: (log: String, lines: Int64) { ("traces", Int64(counts.dropped)) }

    /// Has spans go where the plan says; nil: nowhere. An exporter that sends them there already goes on.
    func apply(_ plan: TracePlan?) throws(StartError) {
        try state.withLock { (state) throws(StartError) in
            // The ratio is the sampler's business.
            guard plan?.collector != state.plan?.collector else {
                state.plan = plan
                return
            }
            let new = try plan.map { (plan) throws(StartError) in try exporter(plan) }
            do throws(SystemError) {
                if let new { try calls.add(new) }
            } catch {
                new?.finish()
                throw StartError("cannot start the thread that brings calls to a collector: \(error)")
            }
            if let old = state.exporter { calls.remove(old) }
            if let gone = state.leaving { state.past.add(gone.counts) }
            (state.leaving, state.exporter, state.plan) = (state.exporter, new, plan)
        }
    }

    private func exporter(_ plan: TracePlan) throws(StartError) -> TraceExporter {
        do throws(SystemError) {
            let resource = TraceResource(version: version, host: Machine.hostName, process: ThisProcess.id)
            return try TraceExporter(to: plan.collector, as: resource, report: report)
        } catch {
            throw StartError("cannot send traces: \(error)")
        }
    }
}
