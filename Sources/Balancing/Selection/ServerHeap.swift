/// The members of a tier, least loaded first; equals take turns by weight. Where calls are not counted it is a schedule
/// of turns alone: earliest deadline first.
///
/// A server's turn is a point in virtual time, which advances with the turns that are taken: a server of weight w is due
/// every 1/w of a unit. Turns begin spread over their periods, so that servers of one weight are not due at once.
///
/// Servers that are refused leave the heap until the choice ends. After `passLimit` of them the rest is proposed as it
/// stands in the heap, roughly in order: a choice among servers that are nearly all full costs one step for each. When
/// another server is chosen, those that left the heap lose the turn they could not take, so that full servers do not
/// gather at the top; nothing else is charged to them.
struct ServerHeap: Sendable {
    /// A server's standing.
    struct Entry: Sendable {
        /// When its turn is, in virtual time; wraps around.
        var turn: UInt64
        var calls: Int32
        let weight: Int32
        let position: Int32

        /// Virtual time between two of its turns.
        var period: UInt64 { (1 << 44) / UInt64(weight) }
    }

    /// Refused servers that are taken out in one choice.
    private static var passLimit: Int { 16 }
    /// Servers whose calls are verified in one choice.
    private static var verificationLimit: Int { 8 }

    private var entries: [Entry] = []
    private var passedOver: [Entry] = []
    /// Virtual time: the latest turn that was taken.
    private var clock: UInt64 = 0
    /// Index of the member that is verified next for its own sake.
    private var rotation = 0
    private let capacity: Int
    private let isUniform: Bool

    init() {
        self.init(capacity: 0, isUniform: true)
    }

    /// - Parameter isUniform: All weights are equal.
    init(capacity: Int, isUniform: Bool) {
        self.capacity = capacity
        self.isUniform = isUniform
        entries.reserveCapacity(capacity)
        passedOver.reserveCapacity(min(capacity, Self.passLimit))
    }

    // MARK: Members

    /// The standing of a server at the start. Equal weights take their first turns in the order of the list; others are
    /// spread by the golden ratio, which keeps those of any one weight apart.
    func firstStanding(of server: Int32, weight: Int32, ordinal: Int) -> Entry {
        var entry = Entry(turn: 0, calls: 0, weight: weight, position: server)
        entry.turn =
            isUniform
            ? entry.period / UInt64(max(1, capacity)) * UInt64(ordinal)
            : entry.period.multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15 &* UInt64(ordinal + 1)).high
        return entry
    }

    /// Adds a server whose turn is given relative to the present.
    mutating func insert(_ standing: Entry, places: inout [Int32]) {
        var entry = standing
        entry.turn &+= clock
        push(entry, places: &places)
    }

    /// Takes a server out; its turn is made relative to the present, and none that it missed is kept.
    mutating func remove(_ server: Int32, places: inout [Int32]) -> Entry {
        var entry = take(at: Int(places[Int(server)]), places: &places)
        entry.turn = entry.turn.isBefore(clock) ? 0 : entry.turn &- clock
        return entry
    }

    // MARK: Calls

    /// Whether one server stands before another.
    func precedes(_ server: Int32, _ other: Int32, places: [Int32]) -> Bool {
        Self.precedes(entries[Int(places[Int(server)])], entries[Int(places[Int(other)])])
    }

    mutating func setCalls(of server: Int32, _ calls: Int32, places: inout [Int32]) {
        let index = Int(places[Int(server)])
        guard entries[index].calls != calls else { return }
        let isMore = calls > entries[index].calls
        entries[index].calls = calls
        // A server that was busy for long has no turns saved up.
        if entries[index].turn.isBefore(clock) { entries[index].turn = clock }
        if isMore { siftDown(index, places: &places) } else { siftUp(index, places: &places) }
        if isMore { return }
        siftDown(Int(places[Int(server)]), places: &places)
    }

    mutating func adjustCalls(of server: Int32, by change: Int32, places: inout [Int32]) {
        let (sum, hasOverflowed) = entries[Int(places[Int(server)])].calls.addingReportingOverflow(change)
        setCalls(of: server, hasOverflowed ? .max : max(0, sum), places: &places)
    }
}

// MARK: - Proposals

extension ServerHeap {
    mutating func proposeInTurn(_ choice: inout Choice, places: inout [Int32]) -> Int32? {
        passOver(&choice, places: &places)
        return proposeNext(&choice)
    }

    /// Proposes servers for verification of their calls, until the one that stands first is verified. With few members
    /// all are verified; with many, one of them in rotation, whatever its standing: what is known of other workers' calls
    /// grows old.
    mutating func proposeByLoad(_ members: [Int32], _ choice: inout Choice, places: inout [Int32]) -> Int32? {
        passOver(&choice, places: &places)
        if members.count <= Self.verificationLimit {
            return choice.steps < members.count ? members[choice.steps] : nil
        }
        if choice.steps == 0 {
            rotation = rotation + 1 < members.count ? rotation + 1 : 0
            return members[rotation]
        }
        if choice.chosen >= 0 {
            let isVerified = entries.first?.position == choice.chosen || choice.accepted >= Self.verificationLimit
            if isVerified || choice.index >= 0 { return nil }
        }
        return proposeNext(&choice)
    }

    /// Takes the refused server out.
    private mutating func passOver(_ choice: inout Choice, places: inout [Int32]) {
        guard choice.proposed >= 0, choice.index < 0 else { return }
        choice.isUnsettled = true
        passedOver.append(take(at: Int(places[Int(choice.proposed)]), places: &places))
        if passedOver.count >= Self.passLimit { choice.index = 0 }
    }

    private func proposeNext(_ choice: inout Choice) -> Int32? {
        guard choice.index >= 0 else { return entries.first?.position }
        defer { choice.index += 1 }
        return choice.index < entries.count ? entries[choice.index].position : nil
    }

    /// Moves virtual time on to the turn of the chosen server, and that server's turn to its next.
    mutating func charge(_ server: Int32, places: inout [Int32]) {
        let index = Int(places[Int(server)])
        if clock.isBefore(entries[index].turn) { clock = entries[index].turn }
        entries[index].turn = clock &+ entries[index].period
        siftDown(index, places: &places)
        for index in passedOver.indices {
            let turn = passedOver[index].turn.isBefore(clock) ? clock : passedOver[index].turn
            passedOver[index].turn = turn &+ passedOver[index].period
        }
    }

    /// Puts back what left the heap in a choice.
    mutating func settle(places: inout [Int32]) {
        for index in passedOver.indices { push(passedOver[index], places: &places) }
        passedOver.removeAll(keepingCapacity: true)
    }
}

// MARK: - Heap

extension ServerHeap {
    private static func precedes(_ one: Entry, _ other: Entry) -> Bool {
        let load = Int64(one.calls) * Int64(other.weight)
        let otherLoad = Int64(other.calls) * Int64(one.weight)
        if load != otherLoad { return load < otherLoad }
        if one.turn != other.turn { return one.turn.isBefore(other.turn) }
        return one.position < other.position
    }

    private mutating func push(_ entry: Entry, places: inout [Int32]) {
        entries.append(entry)
        siftUp(entries.count - 1, places: &places)
    }

    private mutating func take(at index: Int, places: inout [Int32]) -> Entry {
        let entry = entries[index]
        let last = entries.removeLast()
        places[Int(entry.position)] = -1
        guard index < entries.count else { return entry }
        entries[index] = last
        siftUp(index, places: &places)
        siftDown(Int(places[Int(last.position)]), places: &places)
        return entry
    }

    private mutating func siftUp(_ start: Int, places: inout [Int32]) {
        var index = start
        let entry = entries[index]
        while index > 0 {
            let parent = (index - 1) / 2
            guard Self.precedes(entry, entries[parent]) else { break }
            entries[index] = entries[parent]
            places[Int(entries[index].position)] = Int32(truncatingIfNeeded: index)
            index = parent
        }
        entries[index] = entry
        places[Int(entry.position)] = Int32(truncatingIfNeeded: index)
    }

    private mutating func siftDown(_ start: Int, places: inout [Int32]) {
        var index = start
        let entry = entries[index]
        while true {
            var child = 2 * index + 1
            guard child < entries.count else { break }
            if child + 1 < entries.count, Self.precedes(entries[child + 1], entries[child]) { child += 1 }
            guard Self.precedes(entries[child], entry) else { break }
            entries[index] = entries[child]
            places[Int(entries[index].position)] = Int32(truncatingIfNeeded: index)
            index = child
        }
        entries[index] = entry
        places[Int(entry.position)] = Int32(truncatingIfNeeded: index)
    }
}

extension UInt64 {
    /// Whether a point in virtual time lies before another; both are less than half the range apart.
    fileprivate func isBefore(_ other: UInt64) -> Bool { Int64(bitPattern: self &- other) < 0 }
}
