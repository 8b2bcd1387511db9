/// Makes a scenario happen to a fleet, and keeps account of what becomes of each session.
struct Upheaval {
    private enum Fate: UInt8 { case untouched, orphaned, moved, forgotten }

    private let scheme: Scheme
    private(set) var fleet: Fleet
    private var fates: [Fate]
    private var leftAfterDrain = 0

    init(_ fleet: Fleet, _ scheme: Scheme) {
        precondition(fleet.policy == scheme.policy, "the fleet has placed its sessions as the scheme does")
        self.fleet = fleet
        self.scheme = scheme
        fates = Array(repeating: .untouched, count: fleet.sessions.count)
    }

    /// What comes of a scenario.
    static func result(of scenario: Scenario, _ fleet: Fleet, _ scheme: Scheme) -> ScenarioResult {
        var upheaval = Upheaval(fleet, scheme)
        for step in scenario.steps { upheaval.take(step) }
        return upheaval.finish(scenario.name)
    }

    // MARK: - Steps

    mutating func take(_ step: Scenario.Step) {
        let count = fleet.placement.count
        switch step {
        case .addServers(let added):
            fleet.resize(to: count + added)
            reroute(gone: { _ in false })
        case .removeServers(let removed): remove(removed)
        case .drainServers(let drained): drain(drained)
        case .failServers(let interval):
            let failed = (0..<count).filter { $0 % interval == interval / 2 }
            fleet.placement.exclude(failed)
            reroute(gone: { $0 % interval == interval / 2 })
        case .loseBerths(let lost): loseBerths(min(lost, fleet.plan.berths - 1))
        case .reconnectClients:
            for session in fates.indices { reconnect(session, from: 0) }
        }
    }

    private mutating func remove(_ removed: Int) {
        let left = fleet.placement.count - removed
        for session in fates.indices where Int(fleet.sessions.server[session]) >= left { note(session, .orphaned) }
        fleet.resize(to: left)
        reroute(gone: { $0 >= left })
    }

    private mutating func drain(_ drained: Int) {
        let left = fleet.placement.count - drained
        fleet.placement.exclude(Array(left..<fleet.placement.count))
        // Where a hash decides, a server without new keys has none of the old ones either.
        guard !scheme.isHashing else { return reroute(gone: { _ in false }) }
        fleet.pass(lifetimes: fleet.plan.drainLifetimes)
        leftAfterDrain = fates.indices.count { Int(fleet.sessions.server[$0]) >= left }
        remove(drained)
    }

    private mutating func loseBerths(_ lost: Int) {
        for session in fates.indices where Int(fleet.sessions.berth[session]) < lost { reconnect(session, from: lost) }
    }

    /// The session's client opens a new connection, to a Berth of which `first` is the first that is there.
    private mutating func reconnect(_ session: Int, from first: Int) {
        let berth = UInt16(first + fleet.random.below(fleet.plan.berths - first))
        guard berth != fleet.sessions.berth[session] else { return }
        fleet.sessions.berth[session] = berth
        if scheme == .learned { note(session, .forgotten) }
    }

    // MARK: - Sessions

    /// Looks where the requests of every session go now. `gone` says whether a server is.
    private mutating func reroute(gone: (Int) -> Bool) {
        for session in fates.indices {
            let server = Int(fleet.sessions.server[session])
            if gone(server) {
                note(session, .orphaned)
            } else if scheme.isHashing {
                let key = fleet.sessions.key[session]
                if fleet.placement.choose(0, key: key, random: 0) != server { note(session, .moved) }
            }
        }
    }

    /// The first thing that happens to a session decides.
    private mutating func note(_ session: Int, _ fate: Fate) {
        if fates[session] == .untouched { fates[session] = fate }
    }

    /// Whether the Berth that a request of a session comes to knows how it was opened.
    private func isRecoverable(_ session: Int) -> Bool {
        scheme == .signed && fates[session] == .orphaned
            && fleet.sessions.berth[session] == fleet.sessions.opener[session]
    }

    private func isStateful(_ session: Int) -> Bool {
        fleet.sessions.has(.isStateful, session, share: fleet.plan.statefulShare)
    }

    /// Sessions whose server is gone and which their Berth can open anew.
    var recoverable: [Int32] {
        fates.indices.filter(isRecoverable).map { Int32(truncatingIfNeeded: $0) }
    }

    /// Sessions whose server is gone.
    var orphanCount: Int { fates.count { $0 == .orphaned } }

    /// Opens all displaced sessions anew and sums up.
    private consuming func finish(_ name: String) -> ScenarioResult {
        let recovered = fates.indices.count(where: isRecoverable)
        let clean = fates.indices.count { isRecoverable($0) && !isStateful($0) }
        let moved = fates.count { $0 == .moved }
        let forgotten = fates.count { $0 == .forgotten }
        let orphaned = orphanCount
        for session in fates.indices where fates[session] != .untouched { fleet.displace(session) }
        for session in fates.indices where fates[session] != .untouched { fleet.place(session) }
        return ScenarioResult(
            scenario: name, scheme: scheme, orphaned: orphaned, moved: moved, forgotten: forgotten,
            recovered: recovered, recoveredClean: clean, leftAfterDrain: leftAfterDrain, spread: fleet.spread)
    }
}
