import Configuration
import Kernel
import Synchronization
import Tokens

/// The keys of an issuer as they were found last, for all workers. They stay when the issuer cannot be reached.
package final class IssuerKeys: Sendable {
    let source: AuthConfiguration.KeySource

    private struct State {
        var keys = KeySet()
        /// What they were read from; the same text again changes nothing.
        var document: [UInt8] = []
        var stamp: FileStamp?
        /// When the source is looked at next, if nobody asks before.
        var nextLook = Instant(nanoseconds: 0)
        /// When it was looked at last.
        var lastLook: Instant?
        /// A token names a key that is not known: from when on the source may be looked at for it.
        var wantedAt: Instant?
        /// When the looks that tokens have caused are paid for, by one for each pause.
        var paidAt = Instant(nanoseconds: 0)
        /// Headers of tokens that are of no key that was there, with the time of that look.
        var absent: [[UInt8]: Instant] = [:]
        var failures = 0
        /// Tokens that wait for the next look.
        var parked: [TokenJob] = []
    }

    private let state = Mutex(State())
    private let versionNumber = Atomic<UInt64>(0)

    init(_ source: AuthConfiguration.KeySource) { self.source = source }

    /// Changes with the keys.
    var version: UInt64 { versionNumber.load(ordering: .relaxed) }

    var current: KeySet { state.withLock { $0.keys } }

    /// From the one look at a URL to the next that tokens may cause, in the long run: one that comes after a while need not wait.
    static var leastPause: Interval { .seconds(10) }
    /// From one look at a URL to the next that time causes.
    static var usualPause: Interval { .seconds(300) }
    /// From one look at a file to the next.
    static var filePause: Interval { .seconds(1) }
    private static var mostParked: Int { 256 }
    private static var mostAbsent: Int { 64 }

    /// Whether a token waits for keys.
    enum Parking { case parked, refused }

    /// A token names a key that is not known. It waits for the next look, for `leastPause` at most, unless that key was looked for a
    /// moment ago.
    func park(_ job: TokenJob, at now: Instant) -> Parking {
        let header = Self.header(of: job)
        return state.withLock { state in
            guard state.parked.count < Self.mostParked else { return .refused }
            if state.wantedAt == nil {
                if state.keys.count == 0 {
                    if let last = state.lastLook, now < last + Self.filePause { return .refused }
                    state.wantedAt = now
                } else {
                    if let looked = state.absent[header], now < looked + Self.leastPause { return .refused }
                    state.wantedAt = wanted(&state, at: now)
                }
            } else if let looked = state.absent[header], now < looked + Self.leastPause {
                return .refused
            }
            state.parked.append(job)
            return .parked
        }
    }

    /// When the source may be looked at next because a token asks for that: at once, unless two of them have done so of late.
    private func wanted(_ state: inout State, at now: Instant) -> Instant {
        let pause: Interval = if case .file = source { Self.filePause } else { Self.leastPause }
        let paid = max(state.paidAt, now)
        state.paidAt = paid + pause
        return paid > now + pause ? Instant(nanoseconds: paid.nanoseconds - pause.nanoseconds) : now
    }

    /// The key of a token that has waited was not there.
    func noteAbsent(_ job: TokenJob, at now: Instant) {
        let header = Self.header(of: job)
        state.withLock { state in
            if state.absent.count >= Self.mostAbsent {
                state.absent = state.absent.filter { now < $0.value + Self.leastPause }
            }
            if state.absent.count < Self.mostAbsent { state.absent[header] = now }
        }
    }

    /// What names its key, as it is written: the same for all tokens of a key.
    private static func header(of job: TokenJob) -> [UInt8] { Array(job.token.prefix { $0 != UInt8(ascii: ".") }) }

    /// Whether the source is to be looked at now.
    func isDue(at now: Instant) -> Bool {
        state.withLock { state in now >= state.nextLook || state.wantedAt.map { now >= $0 } ?? false }
    }

    /// Keys were found. Returns tokens that have waited for them, and whether they are other keys than before.
    func install(_ keys: KeySet, from document: [UInt8], stamp: FileStamp? = nil, at now: Instant) -> (
        waiting: [TokenJob], isNew: Bool
    ) {
        let (waiting, isNew) = state.withLock { state -> ([TokenJob], Bool) in
            let isNew = state.document != document || state.keys.count == 0
            if isNew { (state.keys, state.document) = (keys, document) }
            state.stamp = stamp
            state.failures = 0
            state.nextLook = now + pause(afterFailures: 0)
            return (Self.endLook(&state, at: now), isNew)
        }
        if isNew { versionNumber.add(1, ordering: .relaxed) }
        return (waiting, isNew)
    }

    /// The source could not be read: what was known stays. Returns tokens that have waited, and whether that is the first failure.
    func noteFailure(at now: Instant) -> (waiting: [TokenJob], isFirst: Bool) {
        state.withLock { state in
            state.failures += 1
            state.nextLook = now + pause(afterFailures: state.failures)
            return (Self.endLook(&state, at: now), state.failures == 1)
        }
    }

    /// The file is the same as before.
    func isUnchanged(_ stamp: FileStamp, at now: Instant) -> Bool {
        state.withLock { state in
            guard state.stamp == stamp, stamp.isSettled(at: Int64(WallClock.seconds())), state.wantedAt == nil
            else {
                return false
            }
            state.nextLook = now + Self.filePause
            return true
        }
    }

    private static func endLook(_ state: inout State, at now: Instant) -> [TokenJob] {
        state.lastLook = now
        state.wantedAt = nil
        defer { state.parked = [] }
        return state.parked
    }

    private func pause(afterFailures failures: Int) -> Interval {
        if case .file = source { return Self.filePause }
        return failures == 0 ? Self.usualPause : .seconds(1 << min(6, failures - 1))
    }
}
