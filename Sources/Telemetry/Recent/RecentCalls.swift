package import Kernel
import MCP
import Synchronization

/// What happened lately, for people who look: the calls of the last five minutes by server and by tool, the last ones that failed
/// or were slow, and the sessions used last with the last calls of each.
///
/// Bounded: 1,024 tools, 512 sessions with 20 calls each, 64 failed and 64 slow calls. Listening streams are no calls.
package final class RecentCalls: CallSink {
    /// Sessions that it keeps, and calls of each.
    package static var sessionLimit: Int { 512 }
    /// Calls that are kept of each session.
    package static var callsOfSession: Int { 20 }
    private static var toolLimit: Int { 1_024 }
    private static var historyLimit: Int { 64 }

    fileprivate struct State {
        var number: UInt64 = 0
        /// The mark to be made next, which is the oldest; and when, nil before the first look at a clock.
        var oldest = 0
        var nextMarkAt: Instant?
        /// Calls that went to no server.
        var elsewhere = CallWindow()
        /// By slot, the place in `windows`; -1: it has had no call.
        var places: [Int32] = []
        var windows: [CallWindow] = []
        var tools = RecentTools(limit: RecentCalls.toolLimit)
        var sessions = RecentSessions(limit: RecentCalls.sessionLimit, calls: RecentCalls.callsOfSession)
        var failed = CallHistory(limit: RecentCalls.historyLimit)
        var slow = CallHistory(limit: RecentCalls.historyLimit)
    }

    /// A call that took longer is slow.
    package let slowFrom: Interval
    private let state = Mutex(State())

    /// Keeps calls that took longer than this as slow ones.
    package init(slowFrom: Interval = .seconds(1)) { self.slowFrom = slowFrom }

    /// A call is over.
    package func receive(_ event: borrowing CallEvent, _ names: CallNames) { add(event) }

    /// Half a minute may have passed.
    package func flush(at now: Instant) { advance(to: now) }

    /// Takes note of a call.
    package func add(_ event: borrowing CallEvent) {
        if event.flags.contains(.listening) { return }
        let event = copy event
        let isFailure = event.outcome.isFailure
        let isSlow = event.duration > slowFrom.nanoseconds && !event.flags.contains(.eventStream)
        state.withLock { state in
            state.number &+= 1
            state.count(event)
            if case .toolsCall = event.method, !event.name.isEmpty { state.tools.add(event, oldest: state.oldest) }
            guard isFailure || isSlow || event.session != 0 else { return }
            let record = CallRecord(event, number: state.number)
            if isFailure { state.failed.add(record) }
            if isSlow { state.slow.add(record) }
            if event.session != 0 { state.sessions.add(record) }
        }
    }

    /// Says what time it is, on the monotonic clock; at least every few seconds while there are calls.
    package func advance(to now: Instant) {
        state.withLock { $0.advance(to: now) }
    }

    // MARK: - What is shown

    /// Calls of a server, or of none.
    package struct Measured: Sendable {
        /// Of the last five minutes.
        /// Its calls of the last minutes.
        package var lately: CallTotals
        /// Since this was last asked.
        package var sinceLooked: CallTotals
    }

    /// A tool, and the calls of the last five minutes.
    package struct Tool: Sendable {
        /// As in `CallEvent.upstream`.
        package var upstream: UInt16
        /// The slot of a server that has it.
        package var server: Int32
        /// Its name.
        package var name: CallName
        /// Its calls of the last minutes.
        package var lately: CallTotals
    }

    /// A session that was used lately. Times are nanoseconds since 1970.
    package struct Session: Sendable {
        /// As in `CallEvent.session`.
        package var id: UInt64
        /// Its first call that was seen, and the end of its last.
        package var since: UInt64
        /// When it was used last, in nanoseconds since 1970.
        package var usedAt: UInt64
        /// Its calls so far.
        package var calls: UInt64
        /// Those of them that failed.
        package var failed: UInt64
        /// How often it was recovered.
        package var recoveries: UInt64
        /// The slot of its server; -1: not known.
        package var server: Int32
        /// Newest first.
        package var history: [CallRecord]
    }

    /// Calls by the slot of their server, of those that have had one; -1: calls that went to none.
    package func servers(at now: Instant) -> [Int: Measured] {
        state.withLock { state in
            state.advance(to: now)
            let oldest = state.oldest
            func measure(_ window: inout CallWindow) -> Measured {
                Measured(lately: window.since(mark: oldest), sinceLooked: window.takeSinceLooked())
            }
            var found = [-1: measure(&state.elsewhere)]
            for (slot, place) in state.places.enumerated() where place >= 0 {
                found[slot] = measure(&state.windows[Int(place)])
            }
            return found
        }
    }

    /// The tools called in the last five minutes.
    package func tools(at now: Instant) -> [Tool] {
        let found = state.withLock { state in
            state.advance(to: now)
            return state.tools.called(sinceMark: state.oldest)
        }
        return found.map { Tool(upstream: $0.upstream, server: $0.server, name: $0.name, lately: $0.totals) }
    }

    /// Calls that failed, newest first.
    package var failed: [CallRecord] { state.withLock { $0.failed.newestFirst } }

    /// Calls that were slow, newest first.
    package var slow: [CallRecord] { state.withLock { $0.slow.newestFirst } }

    /// The sessions used last, newest first, at most so many, with the last call of each.
    package func sessions(limit: Int) -> [Session] {
        state.withLock { $0.sessions.newestFirst(limit: limit) }.map {
            Session($0, $0.history.newest.map { [$0] } ?? [])
        }
    }

    /// One session with all calls that are kept of it; nil if it was not used lately.
    package func session(_ id: UInt64) -> Session? {
        state.withLock { $0.sessions.entry(of: id) }.map { Session($0, $0.history.newestFirst) }
    }
}

extension RecentCalls.State {
    /// Slots beyond these are not told apart.
    private static var slotLimit: Int { 1 << 16 }

    fileprivate mutating func count(_ event: borrowing CallEvent) {
        let slot = Int(event.server)
        guard slot >= 0, slot < Self.slotLimit else {
            elsewhere.add(event.duration, event.outcome)
            return
        }
        while places.count <= slot { places.append(-1) }
        if places[slot] < 0 {
            places[slot] = Int32(truncatingIfNeeded: windows.count)
            windows.append(CallWindow())
        }
        windows[Int(places[slot])].add(event.duration, event.outcome)
    }

    /// Makes the marks that are due. After a long pause all marks are of the same time: nothing was called since.
    fileprivate mutating func advance(to now: Instant) {
        guard var due = nextMarkAt else {
            nextMarkAt = now + .seconds(CallWindow.pause)
            return
        }
        var made = 0
        while due <= now, made < CallWindow.marks {
            elsewhere.mark(oldest)
            for place in windows.indices { windows[place].mark(oldest) }
            tools.mark(oldest)
            oldest = (oldest + 1) % CallWindow.marks
            due = due + .seconds(CallWindow.pause)
            made += 1
        }
        nextMarkAt = due <= now ? now + .seconds(CallWindow.pause) : due
    }
}

extension RecentCalls.Session {
    fileprivate init(_ entry: RecentSessions.Entry, _ history: [CallRecord]) {
        self.init(
            id: entry.session, since: entry.since, usedAt: entry.usedAt, calls: entry.calls, failed: entry.failed,
            recoveries: entry.recoveries, server: entry.server, history: history)
    }
}
