import Kernel
import Reactor

/// The event streams that get an event each period: whose turn it is, and when. All have the same period, so they fall
/// due in the order in which they joined, round and round, and one deadline serves thousands. An event's time follows
/// from the one before and not from when that was sent: nothing drifts, and what was held up is made up for.
struct Beats {
    struct Beat {
        /// The connection that carries the stream, as long as it is this session's.
        let stream: Handle
        let session: SessionID
        /// Of the event that is due, from 1.
        fileprivate(set) var sequence: UInt64 = 1
        fileprivate var due: Instant
    }

    private let period: Interval
    /// In the order in which they fall due, beginning at `next` and going on at the front.
    private var beats: [Beat] = []
    private var next = 0

    /// Of streams that get `perSecond` events each; 0 for none.
    init(perSecond: Double) {
        period = perSecond > 0 ? Interval(nanoseconds: UInt64(1_000_000_000 / perSecond)) : .unlimited
    }

    /// The first event of the session's stream is due a period from now.
    mutating func join(_ stream: Handle, of session: SessionID, at now: Instant) {
        guard period < .unlimited else { return }
        beats.insert(Beat(stream: stream, session: session, due: now + period), at: next)
        next += 1
        if next == beats.count { next = 0 }
    }

    /// The next event that is due, if any; the one after it in the same stream is put on.
    mutating func popDue(at now: Instant) -> Beat? {
        guard next < beats.count, beats[next].due <= now else { return nil }
        let beat = beats[next]
        beats[next].due = beat.due + period
        beats[next].sequence &+= 1
        next += 1
        if next == beats.count { next = 0 }
        return beat
    }

    /// The stream of the beat that was popped last is gone.
    mutating func dropLast() {
        guard !beats.isEmpty else { return }
        next = next == 0 ? beats.count - 1 : next - 1
        beats.remove(at: next)
        if next == beats.count { next = 0 }
    }

    /// As `TimerWheel.millisecondsUntilNext`: -1 with nothing to wait for, and never early.
    func millisecondsUntilNext(from now: Instant) -> CInt {
        guard next < beats.count else { return -1 }
        let due = beats[next].due
        return due <= now ? 0 : CInt(clamping: ((due - now).nanoseconds + 999_999) / 1_000_000)
    }
}
