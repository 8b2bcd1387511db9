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
        /// A token names a key that is not known.
        var isWanted = false
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

    /// From the one look at a URL to the next that a token may cause.
    static var leastPause: Interval { .seconds(10) }
    /// From one look at a URL to the next that time causes.
    static var usualPause: Interval { .seconds(300) }
    /// From one look at a file to the next.
    static var filePause: Interval { .seconds(1) }
    private static var mostParked: Int { 256 }

    /// Whether a token waits for keys.
    enum Parking { case parked, refused }

    /// A token names a key that is not known. It waits for the next look, unless the last one was a moment ago.
    func park(_ job: TokenJob, at now: Instant) -> Parking {
        state.withLock { state in
            guard state.parked.count < Self.mostParked else { return .refused }
            let pause = state.keys.count == 0 ? Self.filePause : Self.leastPause
            if !state.isWanted, let last = state.lastLook, now < last + pause { return .refused }
            state.isWanted = true
            state.parked.append(job)
            return .parked
        }
    }

    /// Whether the source is to be looked at now.
    func isDue(at now: Instant) -> Bool { state.withLock { $0.isWanted || now >= $0.nextLook } }

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
            guard state.stamp == stamp, stamp.isSettled(at: Int64(WallClock.seconds())), !state.isWanted else {
                return false
            }
            state.nextLook = now + Self.filePause
            return true
        }
    }

    private static func endLook(_ state: inout State, at now: Instant) -> [TokenJob] {
        state.lastLook = now
        state.isWanted = false
        defer { state.parked = [] }
        return state.parked
    }

    private func pause(afterFailures failures: Int) -> Interval {
        if case .file = source { return Self.filePause }
        return failures == 0 ? Self.usualPause : .seconds(1 << min(6, failures - 1))
    }
}
