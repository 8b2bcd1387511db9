import Kernel
import Reactor

/// The exchanges of one worker: requests that have begun and whose responses have not ended.
struct Exchanges: ~Copyable {
    private(set) var slab: Slab<Exchange>
    var deadlines: SlotDeadlines

    init(limit: Int) {
        slab = Slab(limit: limit)
        deadlines = SlotDeadlines(.exchangeDeadline, limit: limit)
    }

    var count: Int { slab.count }
    /// Slots that were ever occupied: the bound for a walk over all exchanges.
    var slots: Int { slab.slots }
    func contains(_ exchange: Handle) -> Bool { slab.contains(exchange) }
    func handle(inSlot slot: Int) -> Handle? { slab.handle(inSlot: slot) }
    mutating func insert(_ exchange: consuming Exchange) -> Handle? { slab.insert(exchange) }
    mutating func discard(_ exchange: Handle) { slab.discard(exchange) }

    subscript(exchange: Handle) -> Exchange {
        @inline(__always) _read { yield slab[exchange] }
        @inline(__always) _modify { yield &slab[exchange] }
    }

    /// Has the exchange looked at no later than `deadline`.
    mutating func setDeadline(_ exchange: Handle, _ deadline: Instant, _ clock: inout Clock) {
        slab[exchange].deadline = deadline
        deadlines.arm(exchange.slot, at: deadline, now: clock.now, in: &clock.timers)
    }
}
