package import Kernel
import Synchronization

/// Follows the sources of all upstreams that have one. Any thread may ask for what is in force; nobody waits for a name server but
/// whoever says for how long.
package final class ServiceDiscovery: Sendable {
    private struct Key: Hashable {
        let upstream: String
        let source: DiscoverySource
    }

    private struct Inner {
        var watchers: [Key: SourceWatcher] = [:]
        /// What an earlier process has found, by upstream.
        var known: [String: [DiscoveredServer]]
        /// Called when something has changed.
        var changed: (@Sendable () -> Void)?
    }

    private let inner: Mutex<Inner>
    private let lookup: SourceLookup
    private let outcome: Wake
    private let report: @Sendable (_ upstream: String, DiscoveryState.Action) -> Void

    /// Follows nothing yet. `known`: the servers that an earlier process has found, by upstream. `report` is called, on threads of
    /// discovery, with what has changed and what an operator should know.
    package init(
        known: [String: [DiscoveredServer]] = [:], lookup: SourceLookup = .system,
        report: @escaping @Sendable (_ upstream: String, DiscoveryState.Action) -> Void
    ) throws(SystemError) {
        inner = Mutex(Inner(known: known))
        outcome = try Wake()
        self.lookup = lookup
        self.report = report
    }

    deinit { stop() }

    /// Calls `changed`, on any thread, whenever what is in force has changed.
    package func whenChanged(_ changed: @escaping @Sendable () -> Void) {
        inner.withLock { $0.changed = changed }
    }

    /// The servers of these plans by upstream, as far as they are known. Sources that are not followed yet are from here on, and
    /// have `limit` to answer. One thread at a time may call it. Throws if a thread cannot be started.
    package func servers(
        of plans: [DiscoveryPlan], within limit: Interval
    ) throws(SystemError) -> [String: [DiscoveredServer]] {
        var watchers: [(upstream: String, watcher: SourceWatcher)] = []
        for plan in plans { watchers.append((plan.upstream, try watcher(for: plan))) }
        let deadline = Instant.now() + limit
        while !watchers.allSatisfy(\.watcher.hasOutcome), Instant.now() < deadline {
            let left = (deadline - Instant.now()).nanoseconds / 1_000_000
            outcome.sleep(milliseconds: CInt(clamping: left + 1))
        }
        return Dictionary(watchers.map { ($0.upstream, $0.watcher.servers) }, uniquingKeysWith: { first, _ in first })
    }

    private func watcher(for plan: DiscoveryPlan) throws(SystemError) -> SourceWatcher {
        let key = Key(upstream: plan.upstream, source: plan.source)
        let (present, known) = inner.withLock { inner in
            // A source that is new for an upstream goes on with what the old one has found.
            let others = inner.watchers.filter { $0.key.upstream == plan.upstream }.map { $0.value.servers }
            return (inner.watchers[key], others.first ?? inner.known[plan.upstream] ?? [])
        }
        if let present {
            present.follow(plan)
            return present
        }
        let watcher = try SourceWatcher(plan, known: known, lookup) { [weak self] in self?.hear($0, $1) }
        try watcher.start()
        inner.withLock { $0.watchers[key] = watcher }
        return watcher
    }

    /// Follows the sources of these plans and no others.
    package func settle(on plans: [DiscoveryPlan]) {
        let wanted = Dictionary(
            plans.map { (Key(upstream: $0.upstream, source: $0.source), $0) }, uniquingKeysWith: { first, _ in first })
        let dropped = inner.withLock { inner in
            inner.known = [:]
            let dropped = inner.watchers.filter { wanted[$0.key] == nil }.map(\.value)
            inner.watchers = inner.watchers.filter { wanted[$0.key] != nil }
            for (key, watcher) in inner.watchers { wanted[key].map(watcher.follow) }
            return dropped
        }
        for watcher in dropped { watcher.stop() }
    }

    /// How each source is doing, by upstream in order.
    package var statuses: [DiscoveryStatus] {
        inner.withLock { Array($0.watchers.values) }.map(\.status).sorted { $0.upstream < $1.upstream }
    }

    /// Follows nothing any more.
    package func stop() { settle(on: []) }

    private func hear(_ upstream: String, _ action: DiscoveryState.Action) {
        outcome.ring()
        report(upstream, action)
        if action.hasChanges { inner.withLock { $0.changed }?() }
    }
}
