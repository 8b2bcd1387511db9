import Kernel
import Logging
import Synchronization
package import Telemetry

/// The logs of calls of a running proxy. Safe to use from any thread.
package final class CallLogs: Sendable {
    /// What has become of lines, by log; 0 for a log that there is not.
    package let counts = [LogCounts("access"), LogCounts("slow"), LogCounts("audit")]

    private let calls: CallFeed
    private let report: @Sendable (LogReport) -> Void
    private let state = Mutex(State())

    private struct State {
        var plan = LogPlan()
        var access: CallLog?
        var slow: CallLog?
        var audit: AuditLog?
        /// Logs with one target share its writer, so that their lines do not mix.
        var writers: [LogTarget: LogWriter] = [:]

        var targets: Set<LogTarget> {
            Set([plan.access?.target, plan.slow?.target, plan.audit].compactMap { $0 })
        }
    }

    init(_ calls: CallFeed, report: @escaping @Sendable (LogReport) -> Void) {
        self.calls = calls
        self.report = report
    }

    /// Has the logs be as planned. One that stays as it is, and a file that stays the same, stay open.
    func apply(_ plan: LogPlan) throws(StartError) {
        try state.withLock { (state) throws(StartError) in
            guard plan != state.plan else { return }
            var new = state
            new.plan = plan
            for target in new.targets where new.writers[target] == nil {
                new.writers[target] = LogWriter(target, report: report)
            }
            if plan.access != state.plan.access {
                new.access = plan.access.map { log($0, new.writers, counts[0]) } ?? nil
            }
            if plan.slow != state.plan.slow { new.slow = plan.slow.map { log($0, new.writers, counts[1]) } ?? nil }
            if plan.audit != state.plan.audit {
                new.audit = plan.audit.flatMap { new.writers[$0] }.map { AuditLog(to: $0, counts[2]) }
            }
            do throws(SystemError) {
                try calls.replace(Self.leaving(state, new), with: Self.leaving(new, state))
            } catch {
                throw StartError("cannot start the thread that logs calls: \(error)")
            }
            new.writers = new.writers.filter { new.targets.contains($0.key) }
            state = new
        }
    }

    private func log(_ plan: LogPlan.Calls, _ writers: [LogTarget: LogWriter], _ counts: LogCounts) -> CallLog? {
        writers[plan.target].map {
            CallLog(plan.rule, plan.format, to: $0, counts, seed: Instant.now().nanoseconds)
        }
    }

    /// The logs of one state that another has not.
    private static func leaving(_ state: State, _ other: State) -> [any CallSink] {
        var sinks: [any CallSink] = []
        if let log = state.access, log !== other.access { sinks.append(log) }
        if let log = state.slow, log !== other.slow { sinks.append(log) }
        if let log = state.audit, log !== other.audit { sinks.append(log) }
        return sinks
    }

    /// Has all files opened anew: they were moved away.
    package func reopen() {
        for writer in state.withLock({ Array($0.writers.values) }) { writer.reopen() }
        calls.wake()
    }

    /// Has the audit log say who changed what. Nothing happens if there is none.
    package func record(_ change: AuditedChange) {
        guard let audit = state.withLock({ $0.audit }) else { return }
        audit.record(change)
        calls.wake()
    }
}
