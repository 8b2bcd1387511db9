import Kernel

/// When an exchange reached its phases. Later ones are kept as microseconds after the first, at most 71 minutes: every
/// idle stream has these.
struct PhaseTimes {
    let startedAt: Instant
    /// Microseconds from the start until the exchange was queued, until it had a connection, and until the first byte of
    /// its response; `unset` if that did not happen.
    private(set) var queued = PhaseTimes.unset
    private(set) var connected = PhaseTimes.unset
    private(set) var firstByte = PhaseTimes.unset

    static let unset = UInt32.max

    init(startedAt: Instant) { self.startedAt = startedAt }

    mutating func noteQueued(at now: Instant) { if queued == PhaseTimes.unset { queued = since(now) } }
    mutating func noteConnected(at now: Instant) { connected = since(now) }
    mutating func noteFirstByte(at now: Instant) { firstByte = since(now) }

    private func since(_ now: Instant) -> UInt32 {
        UInt32(truncatingIfNeeded: min((now - startedAt).nanoseconds / 1_000, UInt64(PhaseTimes.unset - 1)))
    }
}
