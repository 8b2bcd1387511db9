import Kernel
import Reactor

// The loop, and the phases of a run.
extension Engine {
    private static let sweepEvery = Interval.milliseconds(100)

    /// Runs to the end of the run.
    mutating func run() {
        for group in groups.indices { begin(group) }
        while !isOver { turn() }
        leave()
    }

    private var isOver: Bool {
        guard phase == .ending else { return false }
        return calls.count == 0 || now >= assignment.measuring.upperBound + timeout
            || statistics.startFailure != nil
    }

    private mutating func begin(_ group: Int) {
        if groups[group].workload == .churn {
            for slot in groups[group].connections { makeFree(connection(inSlot: slot)) }
        } else {
            for slot in groups[group].connections { dial(connection(inSlot: slot)) }
        }
        for slot in groups[group].sessions { makeReady(session(inSlot: slot)) }
    }

    private mutating func turn() {
        let ready = world.wait(timeToSleep())
        now = world.now()
        for index in 0..<ready {
            let (token, readiness) = world.event(index)
            // Latencies are worth a look at the clock: a turn may take longer than the call it hears of.
            now = world.now()
            hear(token, readiness)
        }
        if !listed.isEmpty { readOn() }
        if now >= nextSweep { sweep() }
        now = world.now()
        for group in groups.indices { pump(group) }
        sendAgain()
        settle()
    }

    private mutating func timeToSleep() -> Interval {
        guard listed.isEmpty else { return Interval(nanoseconds: 0) }
        var wake = nextSweep
        for group in groups.indices {
            if let schedule = groups[group].schedule, !groups[group].ready.isEmpty { wake = min(wake, schedule.next) }
        }
        return wake - world.now()
    }

    /// What is done now and then: phases, deadlines, those who rest.
    private mutating func sweep() {
        changePhase()
        nextSweep = min(now + Engine.sweepEvery, max(nextBoundary, now + .milliseconds(1)))
        wakeRested()
        expireCalls()
        expireConnections()
        for group in groups.indices {
            if let late = groups[group].schedule?.giveUp(olderThan: timeout, at: now), late > 0 {
                counters.failed[.crowded, default: 0] &+= late
            }
        }
        if let limit = assignment.plan.calls, phase != .ending {
            let sum = statistics.addAnswered(untold)
            untold = 0
            if sum >= limit { statistics.stop() }
        }
    }

    private mutating func changePhase() {
        let measuring = assignment.measuring
        if phase == .warmingUp, now >= measuring.lowerBound {
            handInUnmeasured()
            phase = .measuring
        }
        while phase == .measuring, now >= measuring.lowerBound + .seconds(UInt64(secondsTold + 1)) {
            handIn(secondsTold)
            secondsTold += 1
        }
        if phase != .ending, now >= measuring.upperBound || statistics.isStopped {
            // What is left of a last second that was cut short.
            let told = assignment.measuring.lowerBound + .seconds(UInt64(secondsTold))
            if phase == .measuring { handIn(now > told + .milliseconds(100) ? secondsTold : nil) }
            phase = .ending
            statistics.noteEnd(now)
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
        statistics.take(counters, second: second, replicas: replicas.takeCounts())
        counters.clear()
    }

    /// What came before measuring or after it: the bytes are not those of what was measured.
    private mutating func handInUnmeasured() {
        (counters.bytesReceived, counters.bytesSent) = (0, 0)
        handIn(nil)
    }

    /// The run's time is up: streams are closed, sessions say goodbye.
    private mutating func end() {
        for slot in 0..<sessions.slots {
            let s = session(inSlot: slot)
            // The answers to calls of 2024-11-05 are still to come on theirs.
            guard calls.contains(sessions[s].stream), sessions[s].call.isNone else { continue }
            noteAlive(sessions[s].stream)
            finish(s)
        }
    }

    /// A stream that is still there in the end: for `idle` that is all, `fanin` must have heard something of late.
    private mutating func noteAlive(_ stream: Handle) {
        switch groups[sessions[calls[stream].session].group].workload {
        case .idle: counters.completed &+= 1
        case .fanin:
            let patience = max(3, 5 / assignment.plan.eventsPerSecond)
            let silence = now - calls[stream].lastHeard
            if silence > Interval(nanoseconds: UInt64(patience * 1_000_000_000)) { counters.count(.silent) }
        case .sessions, .legacy, .calls, .churn, .bodies: break
        }
    }

    private mutating func leave() {
        for slot in 0..<calls.slots {
            guard let c = calls.handle(inSlot: slot) else { continue }
            if !calls[c].kind.isEndless { counters.count(.timedOut) }
        }
        for slot in 0..<connections.slots { drop(connection(inSlot: slot)) }
        handInUnmeasured()
        statistics.threadEnded()
    }

    private mutating func expireCalls() {
        for slot in 0..<calls.slots {
            guard let c = calls.handle(inSlot: slot), calls[c].deadline <= now else { continue }
            expire(c)
        }
    }
}
