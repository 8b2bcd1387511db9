/// The servers of an upstream that are alike in being primaries or backups, and in being eligible or not.
struct Tier: Sendable {
    /// Positions, ascending.
    private(set) var members: [Int32] = []
    /// In what order its servers take turns.
    let turnOrder: Order
    /// The policy's order.
    private let policyOrder: Order
    private var ring = TurnRing()
    var heap = ServerHeap()
    /// All servers of the kind, eligible or not.
    var hashRing = HashRing()
    private var fallbackOrder = FallbackOrder()
    private var draw = RandomDraw()

    /// - Parameter weights: Those of all servers that may become members.
    init(policy: Policy, weights: [Int32]) {
        let isUniform = weights.allSatisfy { $0 == weights.first }
        turnOrder = isUniform ? .ring : weights.count <= SmoothTurns.maximumCount ? .smooth : .deadline
        policyOrder =
            switch policy {
            case .roundRobin: turnOrder
            case .ipHash, .sessionHash: .consistentHash
            case .leastRequests: .leastRequests
            case .powerOfTwo: .randomPair
            }
        members.reserveCapacity(weights.count)
        if usesHeap { heap = ServerHeap(capacity: weights.count, isUniform: isUniform) }
        if policyOrder == .consistentHash { fallbackOrder = FallbackOrder(capacity: weights.count) }
        if policyOrder == .randomPair { draw = RandomDraw(capacity: weights.count) }
    }

    /// The order in which servers are proposed; without a key, hashing takes turns.
    func order(hasKey: Bool) -> Order {
        policyOrder == .consistentHash && !hasKey ? turnOrder : policyOrder
    }

    var usesHeap: Bool {
        switch policyOrder {
        case .leastRequests, .deadline: true
        case .consistentHash: turnOrder == .deadline
        case .ring, .smooth, .randomPair: false
        }
    }

    // MARK: Tiers of a selection, in the order in which they are asked

    static var indexCount: Int { 4 }
    /// Those with eligible servers come first.
    static var eligibleIndexCount: Int { 2 }

    static func index(isBackup: Bool, isEligible: Bool) -> Int { (isEligible ? 0 : 2) + (isBackup ? 1 : 0) }

    static func isBackup(_ index: Int) -> Bool { index & 1 == 1 }

    static func isEligible(_ index: Int) -> Bool { index < eligibleIndexCount }

    // MARK: Members

    /// Adds a server behind all others, when the selection is made.
    mutating func append(_ position: Int, _ entry: ServerSelection.Entry, places: inout [Int32]) {
        let server = Int32(truncatingIfNeeded: position)
        let standing = usesHeap ? heap.firstStanding(of: server, weight: entry.weight, ordinal: members.count) : nil
        insert(position, entry, standing: standing, places: &places)
    }

    /// Adds a server with the standing that it had in its old tier.
    mutating func insert(
        _ position: Int, _ entry: ServerSelection.Entry, standing: ServerHeap.Entry?, places: inout [Int32]
    ) {
        let server = Int32(truncatingIfNeeded: position)
        let index = lowerBound(of: server)
        members.insert(server, at: index)
        if policyOrder == .consistentHash { fallbackOrder.insert(entry, at: server) }
        if let standing { heap.insert(standing, places: &places) }
        ring.membersChanged(nextIndex: lowerBound(of: ring.last + 1), count: members.count)
    }

    /// Removes a server and returns its standing in the heap, if the tier has one.
    mutating func remove(_ position: Int, _ entry: ServerSelection.Entry, places: inout [Int32]) -> ServerHeap.Entry? {
        let server = Int32(truncatingIfNeeded: position)
        let index = lowerBound(of: server)
        precondition(index < members.count && members[index] == server, "a server is a member of its tier")
        members.remove(at: index)
        if policyOrder == .consistentHash { fallbackOrder.remove(entry, at: server) }
        ring.membersChanged(nextIndex: lowerBound(of: ring.last + 1), count: members.count)
        return usesHeap ? heap.remove(server, places: &places) : nil
    }

    /// Puts back what a choice took out.
    mutating func settle(places: inout [Int32]) {
        draw.undo(&members)
        heap.settle(places: &places)
    }

    /// The index of the first member that is not below `server`.
    private func lowerBound(of server: Int32) -> Int {
        var (low, high) = (0, members.count)
        while low < high {
            let middle = (low + high) / 2
            if members[middle] < server { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

// MARK: - Proposals

extension Tier {
    mutating func proposeInTurn(_ choice: inout Choice) -> Int32? {
        guard choice.steps < members.count else { return nil }
        if let turn = choice.turn {
            choice.index = Int((turn &+ UInt64(choice.steps)) % UInt64(members.count))
        } else {
            choice.index = ring.index(choice.steps, of: members.count)
        }
        return members[choice.index]
    }

    mutating func chargeRing(_ server: Int32, index: Int) {
        ring.charge(server, nextIndex: index + 1 == members.count ? 0 : index + 1)
    }

    mutating func proposeDrawn(_ choice: inout Choice) -> Int32? {
        draw.propose(from: &members, &choice)
    }

    /// Walks on over the ring and, when the walk is over, through the fallback order.
    func proposeHashed(
        _ choice: inout Choice, key: UInt64, eligibility: [Bool], isEligible: Bool, refused: PositionSet
    ) -> Int32? {
        guard choice.steps < members.count else { return nil }
        return hashRing.walk(
            &choice, key: key, eligibility: eligibility, isEligible: isEligible, refused: refused)
            ?? fallbackOrder.propose(&choice, key: key, refused: refused)
    }

    mutating func proposeByLoad(_ choice: inout Choice, places: inout [Int32]) -> Int32? {
        heap.proposeByLoad(members, &choice, places: &places)
    }
}
