/// The order in which a tier proposes its servers.
enum Order: Equatable, Sendable {
    /// In turn, all weights being equal.
    case ring
    /// In turn by weight, looking at every server: nginx's smooth weighted round-robin, for few servers.
    case smooth
    /// In turn by weight, from a heap.
    case deadline
    case leastRequests
    case randomPair
    /// By consistent hashing of a key.
    case consistentHash
}

/// The choice being made: which servers were proposed so far and what came of it.
struct Choice: Sendable {
    var scope = ServerSelection.Scope.eligible
    /// What consistent hashing places by; nil takes turns.
    var key: UInt64?
    var random: UInt64 = 0
    /// The turn of a rotation that is counted elsewhere; nil: the selection counts it.
    var turn: UInt64?
    /// Index of the present tier in the scope's sequence of tiers.
    var tierStep = 0
    /// Position proposed last, or -1; it is refused unless accepted.
    var proposed: Int32 = -1
    /// Position of the best accepted server, or -1, and its calls in progress.
    var chosen: Int32 = -1
    var chosenCalls: Int32 = 0
    /// No more proposals follow.
    var isDecided = true
    /// Something in a tier must be put back when the choice ends.
    var isUnsettled = false

    // Of the present tier alone.
    /// Proposals made.
    var steps = 0
    /// Proposals accepted.
    var accepted = 0
    /// Index of the proposed member in the tier, or in its heap; of the next point of its ring, or of the next member of
    /// its fallback order.
    var index = -1
    /// Points of the ring that were looked at.
    var walked = 0
    /// The walk over the ring is over, and `index` is one of the fallback order.
    var hasFallenBack = false
    /// Members refused, a bit each: for tiers of at most 64.
    var refused: UInt64 = 0

    init() {}

    init(scope: ServerSelection.Scope, key: UInt64?, random: UInt64, turn: UInt64?) {
        self.scope = scope
        self.key = key
        self.random = random
        self.turn = turn
        isDecided = false
    }

    mutating func enterNextTier() {
        tierStep += 1
        proposed = -1
        steps = 0
        accepted = 0
        index = -1
        walked = 0
        hasFallenBack = false
        refused = 0
    }
}
