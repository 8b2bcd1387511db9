import Kernel
import Reactor

// The loop, and the phases of a run.
extension Engine {
    private static let sweepEvery = Interval.milliseconds(100)

    /// Runs to the end of the run.
    mutating func run() {
        for lane in lanes.indices { begin(lane) }
        while !isOver { turn() }
        leave()
    }

    private var isOver: Bool {
        guard phase == .ending else { return false }
        return calls.count == 0 || now >= assignment.measuring.upperBound + timeout
            || ledger.startFailure != nil
    }

    private mutating func begin(_ lane: Int) {
        if lanes[lane].workload == .churn {
            for slot in lanes[lane].connections { makeFree(connection(inSlot: slot)) }
        } else {
            for slot in lanes[lane].connections { dial(connection(inSlot: slot)) }
        }
        for slot in lanes[lane].sessions { makeReady(session(inSlot: slot)) }
    }

    private mutating func turn() {
        let ready = world.wait(milliseconds: millisecondsToSleep)
        now = world.now()
        for index in 0..<ready {
            let (token, readiness) = world.event(index)
            hear(token, readiness)
        }
        if !listed.isEmpty { readOn() }
        if now >= nextSweep { sweep() }
        for lane in lanes.indices { pump(lane) }
        sendAgain()
        settle()
    }

    private var millisecondsToSleep: CInt {
        guard listed.isEmpty else { return 0 }
        var wake = nextSweep
        for lane in lanes.indices {
            if let schedule = lanes[lane].schedule, !lanes[lane].ready.isEmpty { wake = min(wake, schedule.next) }
        }
        return CInt(clamping: (wake - now).nanoseconds / 1_000_000)
    }

    /// What is done now and then: phases, deadlines, those who rest.
    private mutating func sweep() {
        changePhase()
        nextSweep = min(now + Engine.sweepEvery, max(nextBoundary, now + .milliseconds(1)))
        wakeRested()
        expireCalls()
        expireConnections()
        for lane in lanes.indices {
            if let late = lanes[lane].schedule?.giveUp(olderThan: timeout, at: now), late > 0 {
                tally.failed[.crowded, default: 0] &+= late
            }
        }
        if let limit = assignment.plan.calls, phase != .ending {
            let sum = ledger.addAnswered(untold)
            untold = 0
            if sum >= limit { ledger.stop() }
        }
    }

    private mutating func changePhase() {
        let measuring = assignment.measuring
        if phase == .warmingUp, now >= measuring.lowerBound {
            handIn(nil)
            phase = .measuring
        }
        while phase == .measuring, now >= measuring.lowerBound + .seconds(UInt64(secondsTold + 1)) {
            handIn(secondsTold)
            secondsTold += 1
        }
        if phase != .ending, now >= measuring.upperBound || ledger.isStopped {
            // What is left of a last second that was cut short.
            let told = assignment.measuring.lowerBound + .seconds(UInt64(secondsTold))
            if phase == .measuring { handIn(now > told + .milliseconds(100) ? secondsTold : nil) }
            phase = .ending
            end()
        }
    }

    /// When the phase changes or a second of measuring is over.
    private var nextBoundary: Instant {
        switch phase {
        case .warmingUp: assignment.measuring.lowerBound
        case .measuring:
            min(assignment.measuring.lowerBound + .seconds(UInt64(secondsTold + 1)), assignment.measuring.upperBound)
        case .ending: .never
        }
    }

    private mutating func handIn(_ second: Int?) {
        ledger.take(tally, second: second, replicas: replicas.takeCounts())
        tally.clear()
    }

    /// The run's time is up: streams are closed, sessions say goodbye.
    private mutating func end() {
        for slot in 0..<sessions.slots {
            let s = session(inSlot: slot)
            // The answers to calls of 2024-11-05 are still to come on theirs.
            guard calls.contains(sessions[s].stream), sessions[s].call.isNone else { continue }
            if lanes[sessions[s].lane].workload == .idle, phase == .ending { tally.completed &+= 1 }
            finish(s)
        }
    }

    private mutating func leave() {
        for slot in 0..<calls.slots {
            guard let c = calls.handle(inSlot: slot) else { continue }
            if !calls[c].kind.isEndless { tally.count(.timedOut) }
        }
        for slot in 0..<connections.slots { drop(connection(inSlot: slot)) }
        handIn(nil)
        ledger.threadEnded()
    }

    private mutating func expireCalls() {
        for slot in 0..<calls.slots {
            guard let c = calls.handle(inSlot: slot), calls[c].deadline <= now else { continue }
            expire(c)
        }
    }
}
