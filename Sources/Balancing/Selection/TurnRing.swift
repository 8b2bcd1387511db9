/// Turns of servers of equal weight, at a constant cost: the next one is the first member behind the one that was chosen
/// last. A server that is passed over waits for the next round.
struct TurnRing: Sendable {
    /// Position of the server that was chosen last, or -1.
    private(set) var last: Int32 = -1
    /// Index of the member whose turn is next.
    private var nextIndex = 0

    /// The index of the member whose turn is `step` turns from now.
    func index(_ step: Int, of count: Int) -> Int {
        let index = nextIndex + step
        return index < count ? index : index - count
    }

    mutating func charge(_ server: Int32, nextIndex: Int) {
        last = server
        self.nextIndex = nextIndex
    }

    /// - Parameter nextIndex: The index of the first member behind `last`, or `count`.
    mutating func membersChanged(nextIndex: Int, count: Int) {
        self.nextIndex = nextIndex < count ? nextIndex : 0
    }
}
