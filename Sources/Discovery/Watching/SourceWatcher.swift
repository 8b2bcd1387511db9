import Kernel
import Synchronization

/// Follows one source on a thread of its own. Whoever wants its servers reads them, and waits for nobody.
final class SourceWatcher: Sendable {
    private struct Inner {
        var plan: DiscoveryPlan
        var state: DiscoveryState
        var isStopped = false
        /// The source has been asked, with whatever result; or its servers were known from the start.
        var hasOutcome: Bool
    }

    private let inner: Mutex<Inner>
    private let wake: Wake
    private let lookup: SourceLookup
    private let report: @Sendable (_ upstream: String, DiscoveryState.Action) -> Void

    /// `report` is called on the watcher's thread with what has changed, and after every question.
    init(
        _ plan: DiscoveryPlan, known: [DiscoveredServer], _ lookup: SourceLookup,
        report: @escaping @Sendable (_ upstream: String, DiscoveryState.Action) -> Void
    ) throws(SystemError) {
        inner = Mutex(
            Inner(plan: plan, state: DiscoveryState(known: known, at: .now()), hasOutcome: !known.isEmpty))
        wake = try Wake()
        self.lookup = lookup
        self.report = report
    }

    /// Starts the thread, which ends with `stop`.
    func start() throws(SystemError) {
        try Thread(named: "discovery") { [self] in run() }.detach()
    }

    /// The thread ends when the question that it may be asking is answered.
    func stop() {
        inner.withLock { $0.isStopped = true }
        wake.ring()
    }

    /// Goes on by other limits, or with another name server.
    func follow(_ plan: DiscoveryPlan) {
        let isOther = inner.withLock { inner in
            defer { inner.plan = plan }
            return inner.plan != plan
        }
        if isOther { wake.ring() }
    }

    var servers: [DiscoveredServer] { inner.withLock { $0.state.servers } }
    var hasOutcome: Bool { inner.withLock { $0.hasOutcome } }

    var status: DiscoveryStatus {
        inner.withLock { inner in
            DiscoveryStatus(
                upstream: inner.plan.upstream, source: inner.plan.source, servers: inner.state.servers.count,
                counts: inner.state.counts)
        }
    }

    private func run() {
        while let next = turn() {
            if let plan = next.asked { ask(plan) } else { wake.sleep(milliseconds: next.pause) }
        }
    }

    private func ask(_ plan: DiscoveryPlan) {
        let event: DiscoveryState.Event =
            switch lookup.ask(plan) {
            case .success(let answer): .answered(answer)
            case .failure(let failure): .failed(failure)
            }
        let action = inner.withLock { inner -> DiscoveryState.Action? in
            inner.hasOutcome = true
            guard !inner.isStopped else { return nil }
            return inner.state.handle(event, inner.plan.limits, at: .now(), draw: .random(in: 0 ... .max))
        }
        if let action { report(plan.upstream, action) }
    }

    /// What the thread does next; nil: it ends.
    private func turn() -> (asked: DiscoveryPlan?, pause: CInt)? {
        let now = Instant.now()
        let turn = inner.withLock { inner -> (action: DiscoveryState.Action, plan: DiscoveryPlan, nextAt: Instant)? in
            guard !inner.isStopped else { return nil }
            let action = inner.state.handle(.timer, inner.plan.limits, at: now, draw: 0)
            return (action, inner.plan, inner.state.nextAt)
        }
        guard let turn else { return nil }
        if turn.action.hasChanges { report(turn.plan.upstream, turn.action) }
        let pause = (turn.nextAt - now).nanoseconds / 1_000_000
        return (turn.action.asks ? turn.plan : nil, CInt(clamping: min(pause, 3_600_000) + 1))
    }
}
