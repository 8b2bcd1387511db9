/// What the routes of exchanges say beside the upstream, by the exchange's slot. Empty as long as no route has said anything.
struct RouteExtrasTable {
    private var bySlot: [RouteExtras?] = []

    /// No exchange ever had any.
    var isEmpty: Bool { bySlot.isEmpty }

    /// What the route of an exchange says; nil: nothing.
    subscript(slot: UInt32) -> RouteExtras? { Int(slot) < bySlot.count ? bySlot[Int(slot)] : nil }

    /// The slot's exchange has these.
    mutating func insert(_ extras: RouteExtras, for slot: UInt32) {
        while bySlot.count <= Int(slot) { bySlot.append(nil) }
        bySlot[Int(slot)] = extras
    }

    /// The slot's exchange is over.
    mutating func discard(_ slot: UInt32) {
        if Int(slot) < bySlot.count { bySlot[Int(slot)] = nil }
    }
}
