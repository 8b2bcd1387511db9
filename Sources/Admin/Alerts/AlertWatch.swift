import FoundationEssentials
package import Kernel
package import Proxy
import Synchronization
package import Telemetry

/// Looks at a running proxy every five seconds and knows which alerts there are. Safe to use from any thread; the looking is done on
/// one of its own, so that no call and no health check waits for it.
package final class AlertWatch: Sendable {
    /// The time between two looks.
    package static let interval = Interval.seconds(5)

    private let sampler: AlertSampler
    private let thresholds: @Sendable () -> AlertThresholds
    private let report: @Sendable (Alert) -> Void
    private let state = Mutex(State())
    private let wake: Wake
    private let isStopped = Atomic(false)
    /// Milliseconds since 1970 at the monotonic clock's start, as it was when this was made: the same instant is always told as
    /// the same time.
    private let clockStart: Int64

    private struct State {
        var evaluator = AlertEvaluator()
        var evaluatedAt: Instant?
    }

    /// Watches `proxy`, whose thresholds may change. `report` is told of each alert that begins to fire or is resolved. Throws if
    /// there is no descriptor for it.
    package init(
        _ proxy: ProxyServer, thresholds: @escaping @Sendable () -> AlertThresholds,
        report: @escaping @Sendable (Alert) -> Void
    ) throws(SystemError) {
        sampler = AlertSampler(proxy: proxy)
        self.thresholds = thresholds
        self.report = report
        clockStart =
            Int64(Date().timeIntervalSince1970 * 1_000) - Int64(clamping: Instant.now().nanoseconds / 1_000_000)
        wake = try Wake()
    }

    /// Begins to look. Throws if the system allows no more threads.
    package func start() throws(SystemError) {
        try Thread(named: "alerts") { [self] in
            while !isStopped.load(ordering: .acquiring) {
                look(at: .now())
                wake.sleep(milliseconds: CInt(clamping: Self.interval.nanoseconds / 1_000_000))
            }
        }.detach()
    }

    /// Ends the looking.
    package func stop() {
        isStopped.store(true, ordering: .releasing)
        wake.ring()
    }

    /// What is pending, fires, or was resolved in the last 15 minutes; firing ones first.
    package var alerts: [Alert] { state.withLock { $0.evaluator.list } }

    /// When it last looked; nil: it has not.
    package var evaluatedAt: Instant? { state.withLock { $0.evaluatedAt } }

    /// An instant as milliseconds since 1970.
    func milliseconds(_ instant: Instant) -> Int64 { clockStart + Int64(clamping: instant.nanoseconds / 1_000_000) }

    /// The thresholds in force.
    package var presentThresholds: AlertThresholds { thresholds() }

    /// Looks once. The thread calls it; tests may.
    func look(at now: Instant) {
        let thresholds = thresholds()
        let sample = sampler.sample(at: now, slowerThan: thresholds.toolP95)
        let changes = state.withLock { state in
            state.evaluatedAt = now
            return state.evaluator.evaluate(sample, thresholds)
        }
        for alert in changes { report(alert) }
    }
}
