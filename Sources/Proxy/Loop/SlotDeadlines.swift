import Kernel
import Reactor

/// Which slots of one slab have a timer in the wheel, and for when.
///
/// Deadlines move with every request; timers do not. A slot asks for one only if none is due before its new
/// deadline, so a keep-alive connection schedules about once per timeout however many requests it carries. The
/// record is by slot and outlives occupants: whoever lives there when the timer comes is looked at.
struct SlotDeadlines {
    private let kind: Token.Kind
    private var armed: [Instant] = []

    /// For slots below `limit`.
    init(_ kind: Token.Kind, limit: Int) {
        self.kind = kind
        armed.reserveCapacity(limit)
    }

    /// Makes sure that the slot is looked at no later than `deadline` (plus a tick). A far deadline is looked at on the
    /// way as well: a slot then has one timer outstanding, not one for each of the timeouts its occupants have had.
    mutating func arm(_ slot: UInt32, at deadline: Instant, now: Instant, in wheel: inout TimerWheel) {
        guard deadline < .never else { return }
        let slot = Int(slot)
        while armed.count <= slot { armed.append(.never) }
        let timer = min(deadline, now + .seconds(10))
        guard timer < armed[slot] else { return }
        armed[slot] = timer
        wheel.schedule(Token(kind, slot: slot).raw, at: timer)
    }

    /// A timer for `slot` came: whether it is the one that the slot has.
    mutating func timerFired(_ slot: Int, at now: Instant) -> FiredTimer {
        guard slot < armed.count, armed[slot] <= now else { return .superseded }
        armed[slot] = .never
        return .due
    }
}
