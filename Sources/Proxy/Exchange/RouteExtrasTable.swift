/// What the routes of exchanges say beside the upstream, by the exchange's slot. Empty as long as no route has said anything.
struct RouteExtrasTable {
    private struct Entry {
        var extras: RouteExtras?
        var verdict = OriginVerdict.served
    }

    private var bySlot: [Entry] = []

    /// No exchange ever had any.
    var isEmpty: Bool { bySlot.isEmpty }

    /// What the route of an exchange says; nil: nothing.
    subscript(slot: UInt32) -> RouteExtras? { Int(slot) < bySlot.count ? bySlot[Int(slot)].extras : nil }

    /// What the route's rules say of where the exchange comes from.
    func verdict(_ slot: UInt32) -> OriginVerdict {
        Int(slot) < bySlot.count ? bySlot[Int(slot)].verdict : .served
    }

    /// Notes that, for an exchange that has extras.
    mutating func setVerdict(_ verdict: OriginVerdict, for slot: UInt32) {
        if Int(slot) < bySlot.count { bySlot[Int(slot)].verdict = verdict }
    }

    /// The slot's exchange has these.
    mutating func insert(_ extras: RouteExtras, for slot: UInt32) {
        while bySlot.count <= Int(slot) { bySlot.append(Entry()) }
        bySlot[Int(slot)] = Entry(extras: extras)
    }

    /// The slot's exchange is over.
    mutating func discard(_ slot: UInt32) {
        if Int(slot) < bySlot.count { bySlot[Int(slot)] = Entry() }
    }
}
