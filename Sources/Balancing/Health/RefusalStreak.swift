/// Dials of one server that were refused, one after the other: what they say about the process that had its sessions.
///
/// One refusal proves nothing. A server that restarts with its sessions kept, a firewall or a kube-proxy that rejects for a
/// second, and a full backlog look the same. Only when every dial over some time is refused, and nothing else is
/// connected, is the process gone.
package struct RefusalStreak: Equatable, Sendable {
    /// What is to be made of the last refusal.
    package enum Verdict: Equatable, Sendable {
        /// Dial again after `RefusalStreak.pause`.
        case undecided
        /// Refused every time, for long enough.
        case refusesAll
    }

    /// Nanoseconds that a streak must last before it proves anything.
    package static var proof: UInt64 { 500_000_000 }
    /// Nanoseconds between two dials of one request that waits for the proof.
    package static var pause: UInt64 { 170_000_000 }
    /// Dials that must have been refused.
    private static var minimumDials: UInt8 { 3 }
    /// Nanoseconds after which an earlier refusal says nothing about now.
    private static var memory: UInt64 { 2_000_000_000 }

    private var firstAt: UInt64 = 0
    private var lastAt: UInt64 = 0
    private var count: UInt8 = 0

    /// No dial was refused.
    package init() {}

    /// What the last refusal showed.
    package var verdict: Verdict {
        let hasLasted = lastAt - min(lastAt, firstAt) >= RefusalStreak.proof
        return hasLasted && count >= RefusalStreak.minimumDials ? .refusesAll : .undecided
    }

    /// A dial was refused. `now` is monotonic time in nanoseconds.
    @discardableResult
    package mutating func refused(at now: UInt64) -> Verdict {
        if count == 0 || now - min(now, lastAt) > RefusalStreak.memory {
            firstAt = now
            count = 0
        }
        lastAt = now
        if count < .max { count += 1 }
        return verdict
    }

    /// A connection was established: somebody listens.
    package mutating func connected() { count = 0 }
}
