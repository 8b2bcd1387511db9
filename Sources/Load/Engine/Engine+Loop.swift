import Kernel
import Reactor

// The event loop, and the phases of a run.
extension Engine {
    private static let housekeepingInterval = Interval.milliseconds(100)

    /// Blocks until the run has ended.
    mutating func run() {
        for group in groups.indices { start(group) }
        while !isOver { turn() }
        finishRun()
    }

    private var isOver: Bool {
        guard phase == .ending else { return false }
        return calls.count == 0 || now >= assignment.measuring.upperBound + timeout
            || statistics.startFailure != nil
    }

    /// Dials the group's connections and queues its sessions.
    private mutating func start(_ group: Int) {
        if groups[group].workload == .churn {
            for slot in groups[group].connections { markFree(connection(inSlot: slot)) }
        } else {
            for slot in groups[group].connections { dial(connection(inSlot: slot)) }
        }
        for slot in groups[group].sessions { makeReady(session(inSlot: slot)) }
    }

    /// One iteration of the event loop: wait, handle events, do housekeeping, start calls, send.
    private mutating func turn() {
        let ready = world.wait(timeToSleep())
        now = world.now()
        for index in 0..<ready {
            let (token, readiness) = world.event(index)
            // The clock is read for each event: a turn may take longer than the call it completes.
            now = world.now()
            handleSocketEvent(token, readiness)
        }
        if !pendingReads.isEmpty { continueReads() }
        if now >= nextHousekeeping { runHousekeeping() }
        now = world.now()
        for group in groups.indices { dispatchCalls(group) }
        resendUnprocessed()
        flushHTTP2()
    }

    /// How long epoll may wait: until the next housekeeping or scheduled call.
    private mutating func timeToSleep() -> Interval {
        guard pendingReads.isEmpty else { return Interval(nanoseconds: 0) }
        var wake = nextHousekeeping
        for group in groups.indices {
            if let schedule = groups[group].schedule, !groups[group].ready.isEmpty { wake = min(wake, schedule.next) }
        }
        return wake - world.now()
    }

    /// Periodic work: phase changes, timeouts, reconnects, calls that are overdue.
    private mutating func runHousekeeping() {
        changePhase()
        nextHousekeeping = min(now + Engine.housekeepingInterval, max(nextBoundary, now + .milliseconds(1)))
        endBackoffs()
        endRests()
        if let history = assignment.history { disturbedUntil = history.disturbedUntil }
        expireCalls()
        expireConnections()
        for group in groups.indices {
            if let skipped = groups[group].schedule?.skip(overdueBy: timeout, at: now), skipped > 0 {
                counters.failed[.notSent, default: 0] &+= skipped
            }
        }
        if let limit = assignment.plan.calls, phase != .ending {
            let sum = statistics.addAnswered(unreportedCalls)
            unreportedCalls = 0
            if sum >= limit { statistics.stop() }
        }
    }

    /// Enters the next phase when its time has come, and reports each second that has passed.
    private mutating func changePhase() {
        let measuring = assignment.measuring
        if phase == .warmingUp, now >= measuring.lowerBound {
            reportUnmeasuredCounters()
            phase = .measuring
        }
        while phase == .measuring, now >= measuring.lowerBound + .seconds(UInt64(secondsReported + 1)) {
            reportCounters(secondsReported)
            secondsReported += 1
        }
        if phase != .ending, now >= measuring.upperBound || statistics.isStopped {
            // The last second may be incomplete; below 100 ms it does not get an entry of its own.
            let reported = assignment.measuring.lowerBound + .seconds(UInt64(secondsReported))
            if phase == .measuring { reportCounters(now > reported + .milliseconds(100) ? secondsReported : nil) }
            phase = .ending
            statistics.measuringEnded(at: now)
            endSessions()
        }
    }

    /// When the phase changes or a second of measuring ends.
    private var nextBoundary: Instant {
        switch phase {
        case .warmingUp: assignment.measuring.lowerBound
        case .measuring:
            min(
                assignment.measuring.lowerBound + .seconds(UInt64(secondsReported + 1)), assignment.measuring.upperBound
            )
        case .ending: .never
        }
    }

    /// Adds the thread's counters to the run's statistics and clears them. `second`: which second of measuring they
    /// belong to; nil if to none.
    private mutating func reportCounters(_ second: Int?) {
        statistics.add(counters, second: second, replicas: replicas.takeCounts())
        counters.clear()
    }

    /// Reports counters from before or after measuring. Their byte counts do not belong to the measurement.
    private mutating func reportUnmeasuredCounters() {
        (counters.bytesReceived, counters.bytesSent) = (0, 0)
        reportCounters(nil)
    }

    /// Measuring has ended: checks and closes event streams, and ends the sessions that have one.
    private mutating func endSessions() {
        for slot in 0..<sessions.slots {
            let s = session(inSlot: slot)
            // The stream of a 2024-11-05 session is kept while a call waits for its response on it.
            guard calls.contains(sessions[s].stream), sessions[s].call.isNone else { continue }
            checkOpenStream(sessions[s].stream)
            finishSession(s)
        }
    }

    /// Checks a stream that is still open at the end. For `idle` an open stream counts as completed; a `fanin` stream
    /// must have brought an event recently: within 3 s, or within 5 event intervals if those are longer.
    private mutating func checkOpenStream(_ stream: Handle) {
        switch groups[sessions[calls[stream].session].group].workload {
        case .idle: counters.completed &+= 1
        case .fanin:
            let limit = max(3, 5 / assignment.plan.eventsPerSecond)
            let silence = now - calls[stream].lastEventAt
            if silence > Interval(nanoseconds: UInt64(limit * 1_000_000_000)) { countFailure(.silent, of: stream) }
        case .sessions, .legacy, .calls, .churn, .bodies: break
        }
    }

    /// Counts the calls that never ended, closes all sockets and reports the last counters.
    private mutating func finishRun() {
        for slot in 0..<calls.slots {
            guard let c = calls.handle(inSlot: slot) else { continue }
            if !calls[c].kind.isEndless { countFailure(.timedOut, of: c) }
        }
        for slot in 0..<connections.slots { closeSocket(connection(inSlot: slot)) }
        reportUnmeasuredCounters()
        statistics.threadEnded()
    }

    /// Fails the calls whose deadline has passed.
    private mutating func expireCalls() {
        for slot in 0..<calls.slots {
            guard let c = calls.handle(inSlot: slot), calls[c].deadline <= now else { continue }
            callTimedOut(c)
        }
    }
}
