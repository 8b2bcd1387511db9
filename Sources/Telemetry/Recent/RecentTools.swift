/// The tools that were called in the last five minutes, bounded in number.
struct RecentTools: Sendable {
    struct Entry: Sendable {
        let upstream: UInt16
        let name: CallName
        /// The slot of the server that was called last.
        var server: Int32 = -1
        var window = CallWindow()
    }

    private var entries: [Entry] = []
    private var places: PlaceTable
    private let limit: Int
    /// All are in use, as far as is known.
    private var isFull = false

    init(limit: Int) {
        self.limit = max(1, limit)
        places = PlaceTable(limit: self.limit)
    }

    /// A tool was called. A name that is new is taken only from a call that a tool answered: callers can make names up.
    /// `oldest`: the mark from which on calls count.
    mutating func add(_ event: borrowing CallEvent, oldest: Int) {
        let name = event.name
        let upstream = event.upstream
        let key = Self.key(name, upstream)
        let place: Int
        if let known = places.first(
            key, where: { entries[$0].upstream == upstream && Self.isEqual(entries[$0].name, name) })
        {
            place = known
        } else {
            guard event.outcome.isToolsAnswer, makeSpace(oldest) else { return }
            place = entries.count
            entries.append(Entry(upstream: upstream, name: name))
            places.insert(key, place)
        }
        if event.server >= 0 { entries[place].server = event.server }
        entries[place].window.add(event.duration, event.outcome)
    }

    /// Half a minute has passed.
    mutating func mark(_ index: Int) {
        for place in entries.indices { entries[place].window.mark(index) }
        isFull = false
    }

    /// Whether there is space for one more, if need be in place of those that are not called any more.
    private mutating func makeSpace(_ oldest: Int) -> Bool {
        if entries.count < limit { return true }
        guard !isFull else { return false }
        entries.removeAll { $0.window.isQuiet(sinceMark: oldest) }
        places.removeAll()
        for (place, entry) in entries.enumerated() { places.insert(Self.key(entry.name, entry.upstream), place) }
        isFull = entries.count == limit
        return !isFull
    }

    /// Those with calls since a mark.
    func called(sinceMark index: Int) -> [(upstream: UInt16, server: Int32, name: CallName, totals: CallTotals)] {
        entries.lazy.filter { !$0.window.isQuiet(sinceMark: index) }.map {
            ($0.upstream, $0.server, $0.name, $0.window.since(mark: index))
        }
    }

    /// A hash of a name: what follows it is zero, so that equal names are equal as words.
    private static func key(_ name: CallName, _ upstream: UInt16) -> UInt64 {
        withUnsafeBytes(of: name) { bytes in
            var mixed = UInt64(upstream) &+ 0x9e37_79b9_7f4a_7c15
            for start in stride(from: 0, to: bytes.count, by: 8) {
                mixed = (mixed ^ bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self)) &* 0xbf58_476d_1ce4_e5b9
                mixed ^= mixed >> 32
            }
            return mixed
        }
    }

    private static func isEqual(_ left: CallName, _ right: CallName) -> Bool {
        withUnsafeBytes(of: left) { left in
            withUnsafeBytes(of: right) { right in
                stride(from: 0, to: left.count, by: 8).allSatisfy {
                    left.loadUnaligned(fromByteOffset: $0, as: UInt64.self)
                        == right.loadUnaligned(fromByteOffset: $0, as: UInt64.self)
                }
            }
        }
    }
}

extension CallEvent.Outcome {
    /// Whether the tool itself has answered.
    fileprivate var isToolsAnswer: Bool {
        switch self {
        case .success, .toolError: true
        case .rpcError, .httpError, .timeout, .cancelled, .aborted, .rejected: false
        }
    }
}
