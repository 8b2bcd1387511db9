/// The recoveries after a failure, in steps of a twentieth of a second.
///
/// Requests of lost sessions come when their clients make them: clients with an event stream see it break and open it
/// anew after a second, all at once; the others come with their next call. Berth dials for half a second before it
/// holds a server to be gone. Then it asks another server, which its own selection proposes, to open the session, if no more
/// recoveries are under way than its limit allows, which is that of the proxy; else the request waits its turn, for as long as a
/// recovery may take. `pool.max` bounds the connections to a server. A server does what it was asked in the order in which it was
/// asked, also what nobody waits for any more.
struct RecoveryStorm {
    private static var step: Double { 0.05 }
    private static var stepsPerSecond: Int { 20 }
    /// Seconds that are simulated at most.
    private static var horizon: Int { 300 }
    private static var dialling: Double { 0.5 }
    /// The pause after which the clients of the SDKs open a stream anew, and how often they try after the first time.
    private static var streamPause: Double { 1 }
    private static var streamRetries: Int { 2 }

    private var fleet: Fleet
    private let plan: FleetPlan
    private var result = StormResult()
    /// By step, the sessions whose requests come in it.
    private var due: [[Int32]]
    /// By step, the places of connections (server and Berth) that are free again.
    private var freed: [[Int32]]
    private var connections: [Int16]
    /// By server and of its openings at a time, when it is done with what it has.
    private var busyUntil: [Float]
    private var recoveredByStep: [Int]
    private var turns: [RecoveryTurns]
    /// By step, the recoveries that end in it.
    private var ends: [[End]]
    /// By session, how often it was answered 503.
    private var failures: [UInt8]

    /// A recovery's end, and when it had begun; -1: it was given up.
    private struct End {
        let berth: Int32
        let began: Float
        let isTimedOut: Bool
    }

    init(_ fleet: Fleet, _ sessions: [Int32]) {
        self.fleet = fleet
        self.fleet.forgetArrivals()
        plan = fleet.plan
        let steps = Self.horizon * Self.stepsPerSecond + 1
        due = Array(repeating: [], count: steps)
        freed = due
        recoveredByStep = Array(repeating: 0, count: steps)
        failures = Array(repeating: 0, count: fleet.sessions.count)
        connections = Array(repeating: 0, count: fleet.placement.count * plan.berths)
        turns = Array(
            repeating: RecoveryTurns(servers: fleet.placement.count, isLimited: plan.limitsRecoveries),
            count: plan.berths)
        ends = Array(repeating: [], count: steps)
        busyUntil = Array(repeating: 0, count: fleet.placement.count * plan.opensAtOnce)
        result.sessions = sessions.count
        result.streamShare = plan.streamShare
        result.openSeconds = plan.openSeconds
        for session in sessions { schedule(session, after: Self.dialling + firstRequest(session)) }
    }

    /// What came of it.
    consuming func run() -> StormResult {
        for step in due.indices {
            if step % Self.stepsPerSecond == 0 { closeSecond() }
            for place in freed[step] { connections[Int(place)] -= 1 }
            for end in ends[step] {
                turns[Int(end.berth)].end(began: Double(end.began), isTimedOut: end.isTimedOut, at: step)
            }
            for session in due[step] { turns[Int(fleet.sessions.berth[Int(session)])].enqueue(session, at: step) }
            (due[step], ends[step], freed[step]) = ([], [], [])
            takeTurns(at: step)
        }
        closeSecond()
        result.secondsTo99 = secondsTo99()
        result.peakPerBerth = Double(result.peakPerSecond) / Double(plan.berths)
        return result
    }

    // MARK: - Requests

    private func hasStream(_ session: Int) -> Bool {
        fleet.sessions.has(.hasStream, session, share: plan.streamShare)
    }

    private mutating func firstRequest(_ session: Int32) -> Double {
        hasStream(Int(session)) ? Self.streamPause : fleet.random.unit() * plan.callSeconds
    }

    /// When the client comes again after 503: with its stream, if it has one and has not tried too often, else with its next call.
    private mutating func nextRequest(_ session: Int32) -> Double {
        let failed = failures[Int(session)]
        failures[Int(session)] = failed == .max ? failed : failed + 1
        let opensStream = hasStream(Int(session)) && failed < Self.streamRetries
        return opensStream ? Self.streamPause : fleet.random.unit() * plan.callSeconds + 1
    }

    private mutating func schedule(_ session: Int32, after seconds: Double) {
        let step = Int(seconds / Self.step)
        if due.indices.contains(step) { due[step].append(session) }
    }

    /// Begins what may begin, and sends those away that have waited too long.
    private mutating func takeTurns(at step: Int) {
        for berth in turns.indices {
            while let turn = turns[berth].next() {
                guard Double(step - turn.step) * Self.step < plan.recoverySeconds else {
                    turns[berth].giveBack()
                    result.timedOut += 1
                    schedule(turn.session, after: Double(step) * Self.step + nextRequest(turn.session))
                    continue
                }
                recover(turn.session, at: step)
            }
        }
    }

    private mutating func recover(_ session: Int32, at step: Int) {
        let now = Double(step) * Self.step
        let berth = Int(fleet.sessions.berth[Int(session)])
        guard let server = chooseServer(session, berth) else {
            result.refused += 1
            turns[berth].giveBack()
            return schedule(session, after: now + nextRequest(session))
        }
        send(session, to: server, at: now, place: server * plan.berths + berth)
    }

    /// The server that the Berth's selection proposes, of those that it may open a connection to.
    private mutating func chooseServer(_ session: Int32, _ berth: Int) -> Int? {
        let (berths, most) = (plan.berths, Int16(plan.poolMaximum))
        // Taken out of `self` and put back, so that nothing is copied.
        var open: [Int16] = []
        swap(&open, &connections)
        defer { swap(&open, &connections) }
        return fleet.placement.choose(
            berth, key: fleet.sessions.key[Int(session)], random: 0, nanoseconds: 0
        ) { open[$0 * berths + berth] < most }
    }

    private mutating func send(_ session: Int32, to server: Int, at now: Double, place: Int) {
        fleet.noteArrival(server)
        connections[place] += 1
        result.mostConnections = max(result.mostConnections, Int(connections[place]))
        let took = open(server, at: now) - now
        let waited = min(took, plan.recoverySeconds)
        let end = Int((now + waited) / Self.step) + 1
        if freed.indices.contains(end) {
            freed[end].append(Int32(truncatingIfNeeded: place))
            ends[end].append(
                End(
                    berth: Int32(truncatingIfNeeded: place % plan.berths), began: Float(now),
                    isTimedOut: took > plan.recoverySeconds))
        }
        result.longestSeconds = max(result.longestSeconds, waited)
        if took > plan.recoverySeconds {
            result.timedOut += 1
            schedule(session, after: now + waited + nextRequest(session))
        } else {
            result.recovered += 1
            if recoveredByStep.indices.contains(end) { recoveredByStep[end] += 1 }
        }
    }

    /// A server opens a session as soon as it can. Returns when it has.
    private mutating func open(_ server: Int, at now: Double) -> Double {
        let slots = server * plan.opensAtOnce..<(server + 1) * plan.opensAtOnce
        let slot = slots.min { busyUntil[$0] < busyUntil[$1] } ?? slots.lowerBound
        let end = max(now, Double(busyUntil[slot])) + plan.openSeconds
        busyUntil[slot] = Float(end)
        return end
    }

    // MARK: - Sums

    private mutating func closeSecond() {
        result.peakPerSecond = max(result.peakPerSecond, fleet.arrivals.reduce(0) { $0 + Int($1) })
        result.peakPerServer = max(result.peakPerServer, Int(fleet.arrivals.max() ?? 0))
        fleet.forgetArrivals()
    }

    private func secondsTo99() -> Double {
        var sum = 0
        for step in recoveredByStep.indices {
            sum += recoveredByStep[step]
            if sum * 100 >= result.sessions * 99 { return Double(step) * Self.step }
        }
        return 0
    }
}
