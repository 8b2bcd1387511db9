import RateLimiting
import Reactor

/// Exchanges of a worker whose routes limit something, by their slots. Empty as long as no route has.
struct LimitedExchanges {
    /// What is known of one.
    struct Entry {
        let limits: RouteLimits
        /// Bits of the rules that are looked at once its session is known.
        var pending: UInt32 = 0
        /// Bits of those by which it was counted.
        var counted: UInt32 = 0
        /// As how many requests it counts.
        var count = 1
        /// Where it counts as a request in progress, until it ends.
        var holds: [UInt32] = []
        /// Why it is refused.
        var refusal: RateLimitRefusal?

        init(_ limits: RouteLimits) { self.limits = limits }
    }

    private var bySlot: [Entry?] = []

    /// No exchange ever had any.
    var isEmpty: Bool { bySlot.isEmpty }

    subscript(slot: UInt32) -> Entry? {
        get { Int(slot) < bySlot.count ? bySlot[Int(slot)] : nil }
        _modify {
            while bySlot.count <= Int(slot) { bySlot.append(nil) }
            yield &bySlot[Int(slot)]
        }
    }

    /// The slot's exchange is over: what it holds is released. This is the one place where that is done.
    mutating func end(_ slot: UInt32) {
        guard Int(slot) < bySlot.count, let entry = bySlot[Int(slot)] else { return }
        for hold in entry.holds { entry.limits.shared.requests.release(hold) }
        bySlot[Int(slot)] = nil
    }
}
