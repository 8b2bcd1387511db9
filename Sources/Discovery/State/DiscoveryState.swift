package import Kernel

/// Follows one source: when it is asked, and which servers are in force after what it answers. No socket, no clock, no thread.
///
/// What is in force changes by good answers only. A source that fails, or names nobody, changes nothing; one that names others than
/// before has its way, but for more changes than `maximumChanges` in a window: the rest of those waits.
package struct DiscoveryState: Sendable {
    /// What has happened.
    package enum Event: Sendable {
        /// The time that `nextAt` has named may have come.
        case timer
        /// The source has answered.
        case answered(DiscoveryAnswer)
        /// It has not, or with nothing that could be used.
        case failed(DiscoveryFailure)
    }

    /// What is to be done about it.
    package struct Action: Sendable, Equatable {
        /// Ask the source now. The next event but timers is what came of it.
        package var asks = false
        /// Servers that are in force from now on and were not.
        package var appeared: [DiscoveredServer] = []
        /// Servers that are in force no more.
        package var vanished: [DiscoveredServer] = []
        /// Servers that have another weight, or another role, than before.
        package var altered: [DiscoveredServer] = []
        /// Servers that were in force and still are.
        package var kept = 0
        /// What an operator should know, once.
        package var notices: [DiscoveryNotice] = []

        /// What is in force has changed.
        package var hasChanges: Bool { !appeared.isEmpty || !vanished.isEmpty || !altered.isEmpty }
    }

    /// In force, by their names in order.
    package private(set) var servers: [DiscoveredServer]
    /// What has become of answers so far.
    package private(set) var counts = DiscoveryCounts()
    /// When `timer` is to be told next.
    package var nextAt: Instant { min(askAt, waiting > 0 ? churn.nextAt : .never) }

    /// The servers of the last good answer, by their names in order; nil before the first.
    private var wanted: [DiscoveredServer]?
    private var askAt: Instant
    private var isAsking = false
    /// Failures in a row.
    private var failures = 0
    private var churn = ChurnLimit()
    /// When servers vanished last, by name.
    private var vanishedAt: [String: Instant] = [:]

    /// Servers that vanished, and are remembered at most.
    private static var maximumVanished: Int { 4_096 }

    /// A source that is to be asked at once. `known`: the servers that are in force already, by what was found out earlier.
    package init(known: [DiscoveredServer] = [], at now: Instant) {
        servers = known.sorted { $0.name < $1.name }
        askAt = now
    }

    /// Changes that wait because there were too many.
    package var waiting: Int { counts.waiting }
    /// Why the last question failed; nil if it did not.
    package var failure: DiscoveryFailure? { counts.failure }

    /// Takes an event. `draw` is a random number, by which several Berths do not ask at the same time.
    package mutating func handle(
        _ event: Event, _ limits: DiscoveryLimits, at now: Instant, draw: UInt32
    ) -> Action {
        var action = Action()
        switch event {
        case .timer:
            if !isAsking, now >= askAt {
                isAsking = true
                action.asks = true
                askAt = .never
            }
        case .answered(let answer):
            isAsking = false
            take(answer, limits, at: now, &action)
            askAt = now + Self.spread(Self.clamp(answer.ttl ?? limits.minimumTTL, limits), draw)
        case .failed(let failure):
            isAsking = false
            note(failure, &action)
            askAt = now + Self.spread(backOff(limits), draw)
        }
        apply(limits, at: now, &action)
        action.kept = servers.count - action.appeared.count
        return action
    }

    // MARK: - When to ask

    private static func clamp(_ ttl: Interval, _ limits: DiscoveryLimits) -> Interval {
        max(limits.minimumTTL, min(ttl, limits.maximumTTL))
    }

    /// Twice as long with every failure in a row, up to the longest TTL.
    private func backOff(_ limits: DiscoveryLimits) -> Interval {
        let doublings = min(max(0, failures - 1), 20)
        let (time, overflow) = limits.minimumTTL.nanoseconds.multipliedReportingOverflow(by: 1 << UInt64(doublings))
        return Self.clamp(overflow ? .unlimited : Interval(nanoseconds: time), limits)
    }

    /// Up to a tenth more.
    private static func spread(_ interval: Interval, _ draw: UInt32) -> Interval {
        let more = Double(interval.nanoseconds / 10) * (Double(draw) / Double(UInt32.max))
        return Interval(nanoseconds: interval.nanoseconds &+ UInt64(max(0, min(more, 1e18))))
    }

    // MARK: - What was answered

    private mutating func note(_ failure: DiscoveryFailure, _ action: inout Action) {
        failures += 1
        counts.failures[failure.reason, default: 0] += 1
        if counts.failure?.reason != failure.reason {
            action.notices.append(.failing(failure, servers: servers.count))
        }
        counts.failure = failure
    }

    private mutating func take(
        _ answer: DiscoveryAnswer, _ limits: DiscoveryLimits, at now: Instant, _ action: inout Action
    ) {
        counts.answeredAt = now
        if let problem = answer.problem {
            // A part of the answer is missing: what is known of it stays.
            note(problem, &action)
        } else {
            failures = 0
            if counts.failure != nil { action.notices.append(.answersAgain) }
            counts.failure = nil
        }
        var found: [String: DiscoveredServer] = [:]
        for server in answer.servers where found[server.name] == nil { found[server.name] = server }
        if !answer.unanswered.isEmpty {
            for server in wanted ?? servers where found[server.name] == nil {
                // What an earlier process has found has no origin.
                if server.origin.isEmpty || answer.unanswered.contains(server.origin) { found[server.name] = server }
            }
        }
        guard !found.isEmpty else { return }
        wanted = limited(found, limits.maximumServers, &action)
    }

    /// Of too many servers those that are in force already, then the first by name.
    private mutating func limited(
        _ found: [String: DiscoveredServer], _ maximum: Int, _ action: inout Action
    ) -> [DiscoveredServer] {
        let omitted = max(0, found.count - maximum)
        if omitted > 0, counts.omitted == 0 {
            action.notices.append(.tooMany(found: found.count, maximum: maximum))
        }
        counts.omitted = omitted
        let known = Set(servers.map(\.name))
        let order = found.values.sorted {
            let (isFirstKnown, isSecondKnown) = (known.contains($0.name), known.contains($1.name))
            return isFirstKnown == isSecondKnown ? $0.name < $1.name : isFirstKnown
        }
        return order.prefix(maximum).sorted { $0.name < $1.name }
    }

    // MARK: - What comes into force

    /// Brings as much of the last good answer into force as may change now. One that appears makes place for one that vanishes, so
    /// that there are never many more, nor fewer, than there should be. The first servers of all come at once.
    private mutating func apply(_ limits: DiscoveryLimits, at now: Instant, _ action: inout Action) {
        guard let wanted else { return }
        let isFirst = servers.isEmpty
        var current = Dictionary(servers.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let goal = Dictionary(wanted.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var coming = wanted.filter { current[$0.name] == nil }[...]
        var going = servers.filter { goal[$0.name] == nil }[...]
        var available = isFirst ? coming.count : churn.available(limits.maximumChanges, at: now)
        let allowed = available
        while available > 0, let change = coming.count >= going.count ? coming.popFirst() : going.popFirst() {
            available -= 1
            if current[change.name] == nil {
                appear(change, at: now, &action)
            } else {
                vanish(change, at: now, &action)
            }
            current[change.name] = current[change.name] == nil ? change : nil
        }
        if !isFirst { churn.note(allowed - available, at: now) }
        for server in wanted {
            guard let old = current[server.name] else { continue }
            current[server.name] = server
            if !old.isSame(as: server) { action.altered.append(server) }
        }
        let waits = coming.count + going.count
        if waits > 0, counts.waiting == 0 { action.notices.append(.changesWait(waits, limits.maximumChanges)) }
        counts.waiting = waits
        guard action.hasChanges || servers.count != current.count else { return }
        servers = current.values.sorted { $0.name < $1.name }
    }

    private mutating func appear(_ server: DiscoveredServer, at now: Instant, _ action: inout Action) {
        action.appeared.append(server)
        counts.appeared += 1
        guard let time = vanishedAt.removeValue(forKey: server.name), time + DiscoveryLimits.flapWindow > now else {
            return
        }
        counts.flaps += 1
    }

    private mutating func vanish(_ server: DiscoveredServer, at now: Instant, _ action: inout Action) {
        action.vanished.append(server)
        counts.vanished += 1
        if vanishedAt.count >= Self.maximumVanished {
            vanishedAt = vanishedAt.filter { $0.value + DiscoveryLimits.flapWindow > now }
        }
        if vanishedAt.count < Self.maximumVanished { vanishedAt[server.name] = now }
    }
}
