package import Kernel
import Synchronization

/// What is done to the servers behind a balancer while it is under load. The oracles ask it which failed calls, and which
/// sessions that went on with another server, are explained by that. Servers are known by the names in their tool
/// results; one that is started again has a new name. Safe to share between threads.
package final class ServerHistory: Sendable {
    private struct State {
        var ends: [String: Instant] = [:]
        /// Times in which a server's process was stopped; an open one has `Instant.never` as its end.
        var stops: [String: [Range<Instant>]] = [:]
        /// The end of the last disturbance of any kind.
        var disturbedUntil = Instant(nanoseconds: 0)
    }

    private let state = Mutex(State())

    /// How long after its server was killed, or continued, a call may still fail for that: a balancer may have sent it
    /// before it saw the reset.
    private static let slack = Interval.milliseconds(500)

    /// A history in which nothing has happened.
    package init() {}

    /// The server has ended: it answers no more.
    package func ended(_ name: String, at now: Instant = .now()) { state.withLock { $0.ends[name] = now } }

    /// The process of the server was stopped (SIGSTOP).
    package func stopped(_ name: String, at now: Instant = .now()) {
        state.withLock { $0.stops[name, default: []].append(now..<Instant.never) }
    }

    /// The process of the server was continued (SIGCONT).
    package func continued(_ name: String, at now: Instant = .now()) {
        state.withLock { state in
            guard let last = state.stops[name]?.popLast() else { return }
            state.stops[name]?.append(last.lowerBound..<max(last.lowerBound, now))
        }
    }

    /// Something was done; calls that begin before `end` count as disturbed.
    package func disturbed(until end: Instant) {
        state.withLock { $0.disturbedUntil = max($0.disturbedUntil, end) }
    }

    /// The end of the last disturbance.
    var disturbedUntil: Instant { state.withLock { $0.disturbedUntil } }

    /// Whether the server has ended. `name`: nil for any server.
    func hasEnded(_ name: String?) -> Bool {
        state.withLock { state in name.map { state.ends[$0] != nil } ?? !state.ends.isEmpty }
    }

    /// Whether the server ended or stood still in this time. `name`: nil for any server.
    func hasFailed(_ name: String?, from start: Instant, to end: Instant) -> Bool {
        state.withLock { state in
            func overlaps(_ first: Instant, _ last: Instant) -> Bool {
                first <= end && start <= (last == .never ? last : last + Self.slack)
            }
            func failed(_ name: String) -> Bool {
                if let ended = state.ends[name], overlaps(ended, ended) { return true }
                return (state.stops[name] ?? []).contains { overlaps($0.lowerBound, $0.upperBound) }
            }
            if let name { return failed(name) }
            return state.ends.keys.contains(where: failed) || state.stops.keys.contains(where: failed)
        }
    }

    /// Whether a session may have left the server since `start`: it ended at any time, or stood still since then.
    func mayHaveLost(_ name: String, since start: Instant, at now: Instant) -> Bool {
        hasEnded(name) || hasFailed(name, from: start, to: now)
    }
}
