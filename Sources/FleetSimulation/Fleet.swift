/// A fleet under way: sessions that were placed by one policy, begin and end, while their number stays the same.
package struct Fleet: Sendable {
    /// What is simulated.
    package internal(set) var plan: FleetPlan
    /// How its sessions are placed.
    package let policy: PlacementPolicy
    var placement: Placement
    var sessions: SessionColumns
    var random: RandomNumbers
    private let addresses: ClientAddresses
    /// Seconds since the start.
    private(set) var clock = 0.0
    /// By server, its sessions.
    private(set) var load: [Int32]
    /// By server, the sessions that were placed there since `forgetArrivals`.
    private(set) var arrivals: [Int32]

    /// A fleet whose sessions have all been opened.
    package init(_ plan: FleetPlan, _ policy: PlacementPolicy) {
        precondition(plan.problems.isEmpty, "the plan can be simulated")
        self.plan = plan
        self.policy = policy
        placement = Placement(policy, plan)
        sessions = SessionColumns(count: plan.sessions)
        random = RandomNumbers(seed: plan.seed)
        addresses = ClientAddresses(sessions: plan.sessions, each: plan.sessionsPerAddress)
        load = Array(repeating: 0, count: plan.servers)
        arrivals = load
        for session in 0..<plan.sessions { open(session) }
    }

    /// How sessions are spread over the servers that get new ones.
    package var spread: LoadSpread { LoadSpread(load.indices.filter { placement.isEligible[$0] }.map { load[$0] }) }

    /// Sessions that are open.
    package var sessionCount: Int { sessions.count }

    // MARK: - Time

    /// Time passes, in lives of a session: each session that ends is followed by a new one.
    package mutating func pass(lifetimes: Double) {
        for _ in 0..<Int(lifetimes * Double(plan.sessions)) { replaceOne() }
    }

    /// Time passes, in seconds.
    mutating func pass(seconds: Double) {
        let end = clock + seconds
        while clock < end { replaceOne() }
    }

    /// One session ends, whichever, and another begins.
    private mutating func replaceOne() {
        let session = random.below(sessions.count)
        close(session)
        open(session)
        clock += plan.secondsPerArrival
    }

    /// A request to open a session was sent to a server.
    mutating func noteArrival(_ server: Int) { arrivals[server] += 1 }

    mutating func forgetArrivals() {
        arrivals = Array(repeating: 0, count: placement.count)
    }

    // MARK: - Sessions

    /// A client opens a session through a Berth that chance has chosen, as a balancer of layer 4 before them does.
    private mutating func open(_ session: Int) {
        let berth = UInt16(random.below(plan.berths))
        sessions.berth[session] = berth
        sessions.opener[session] = berth
        let key = policy == .addressHash ? addresses.key(random.unit()) : random.next()
        sessions.key[session] = key
        place(session)
    }

    /// Gives a session a server by the policy.
    mutating func place(_ session: Int) {
        let berth = Int(sessions.berth[session])
        let drawn = policy == .powerOfTwo ? random.next() : 0
        let chosen = placement.choose(
            berth, key: sessions.key[session], random: drawn, nanoseconds: UInt64(clock * 1e9))
        guard let chosen else {
            sessions.server[session] = -1
            return
        }
        sessions.server[session] = Int32(truncatingIfNeeded: chosen)
        load[chosen] += 1
        arrivals[chosen] += 1
        if isBusy(session) { placement.callBegan(berth, chosen) }
    }

    private mutating func close(_ session: Int) {
        let server = Int(sessions.server[session])
        guard server >= 0 else { return }
        load[server] -= 1
        if isBusy(session) { placement.callEnded(Int(sessions.berth[session]), server) }
    }

    private func isBusy(_ session: Int) -> Bool {
        policy.comparesCalls && sessions.has(.isBusy, session, share: plan.busyShare)
    }

    /// Takes a session from its server, which may be gone.
    mutating func displace(_ session: Int) {
        let server = Int(sessions.server[session])
        if load.indices.contains(server) { load[server] -= 1 }
        sessions.server[session] = -1
    }

    // MARK: - Servers

    /// The configuration has another number of servers from now on.
    mutating func resize(to count: Int) {
        load = Array(load.prefix(count))
        load += Array(repeating: 0, count: count - load.count)
        placement.resize(to: count)
        forgetArrivals()
    }
}
