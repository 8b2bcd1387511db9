import Histogram
import Kernel
import Reactor

// Runs whose servers are disturbed: what that explains, and what clients do about it.
extension Engine {
    /// Time from the end of a session's event stream to the next attempt to open it.
    private static let resumeDelay = Interval.milliseconds(100)
    /// Streams without an event for this long are looked at: was their server disturbed?
    private static let notableSilence = Interval.milliseconds(500)

    /// Counts a failure of a call, which the history of its session's server may explain.
    mutating func countFailure(_ failure: Failure, of c: Handle) {
        counters.count(failure)
        guard let history = assignment.history else { return }
        let isStream = calls[c].kind.isEndless && calls[c].status == 200
        let start = isStream ? calls[c].lastEventAt : calls[c].sentAt
        if history.hasFailed(runningServer(calls[c].session), from: start, to: now) {
            counters.trial?.explained[failure, default: 0] &+= 1
        }
    }

    /// Counts a lost session; explained if its server has ended.
    mutating func countLostSession(_ s: Handle) {
        counters.count(.lostSession)
        guard let history = assignment.history else { return }
        if history.hasEnded(sessions[s].oracle.replica.map { replicas.name($0) }) {
            counters.trial?.explained[.lostSession, default: 0] &+= 1
        }
    }

    /// Whether the session may be gone because its server is: ending it has nothing to end.
    func hasEndedWithServer(_ s: Handle) -> Bool {
        assignment.history?.hasEnded(sessions[s].oracle.replica.map { replicas.name($0) }) ?? false
    }

    /// The name of the session's server; nil if it is unknown, or another one has the session by now.
    private func runningServer(_ s: Handle) -> String? {
        guard !groups[sessions[s].group].workload.isStateless, let number = sessions[s].oracle.replica else {
            return nil
        }
        let name = replicas.name(number)
        return assignment.history?.hasEnded(name) ?? false ? nil : name
    }

    /// Another server than before has answered: true if the session may have moved there, which is then counted.
    mutating func hasMoved(_ s: Handle, to name: UInt16) -> Bool {
        guard let history = assignment.history, let known = sessions[s].oracle.replica, known != name,
            history.mayHaveLost(replicas.name(known), since: sessions[s].namedAt, at: now)
        else { return false }
        counters.trial?.recovered &+= 1
        return true
    }

    /// Records the latency of a session's call that passed all checks.
    mutating func recordTrialCall(_ c: Handle) {
        guard counters.trial != nil else { return }
        counters.trial?.calls &+= 1
        let workload = groups[sessions[calls[c].session].group].workload
        guard phase == .measuring, workload == .sessions else { return }
        let latency = (now - calls[c].due).nanoseconds / 100
        if calls[c].due < disturbedUntil {
            counters.trial?.disturbed.record(latency)
        } else {
            counters.trial?.quiet.record(latency)
        }
    }

    // MARK: Event streams

    /// An event came: checks who sent it, and how long the session has waited for it.
    mutating func recordTrialEvent(_ c: Handle, _ facts: AnswerFacts, _ text: Span<UInt8>) {
        let s = calls[c].session
        guard let history = assignment.history else { return }
        let last = sessions[s].lastEventAt
        sessions[s].lastEventAt = now
        if let last {
            let silence = now - last
            let isExplained =
                silence > Engine.notableSilence && history.hasFailed(runningServer(s), from: last, to: now)
            counters.trial?.record(silence, isExplained: isExplained)
        }
        sessions[s].events += 1
        guard let range = facts.replica else { return }
        let guess = sessions[s].oracle.replica
        let name = replicas.number(text.extracting(range), guess: guess)
        if let guess, name != guess, !hasMoved(s, to: name) {
            counters.count(.strayed)
            counters.addExample("an event of \(replicas.name(name)) on a stream of \(replicas.name(guess))")
        }
        sessions[s].oracle.guess(name)
        sessions[s].namedAt = now
    }

    /// Ends a session whose stream has brought as many events as a session may make calls.
    mutating func endLongStream(_ c: Handle) {
        guard calls.contains(c), assignment.history != nil else { return }
        let s = calls[c].session
        guard sessions[s].events >= assignment.plan.callsPerSession, phase != .ending else { return }
        closeStream(c)
        sessions[s].step = .delete
        makeReady(s)
    }

    /// Whether the session opens its event stream again when it ends.
    func resumesStreams(_ s: Handle) -> Bool {
        assignment.history != nil && groups[sessions[s].group].workload == .fanin
    }

    /// The event stream of a session has ended, or could not be opened: opens it again shortly.
    mutating func resumeStream(_ s: Handle) {
        sessions[s].stream = .none
        sessions[s].call = .none
        sessions[s].step = .stream
        sessions[s].isResuming = true
        resting.append((s, now + Engine.resumeDelay))
    }

    /// Continues the sessions that have waited long enough.
    mutating func endRests() {
        var count = 0
        while count < resting.count, resting[count].until <= now {
            makeReady(resting[count].session)
            count += 1
        }
        resting.removeFirst(count)
    }
}
