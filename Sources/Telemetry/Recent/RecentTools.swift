/// The tools that were called in the last five minutes, bounded in number.
struct RecentTools: Sendable {
    /// A tool of an upstream. Equal names have equal hashes, which are cheap to make.
    private struct Key: Hashable {
        let upstream: UInt16
        let name: CallName

        static func == (left: Key, right: Key) -> Bool {
            guard left.upstream == right.upstream, left.name.count == right.name.count else { return false }
            return (0..<Int(left.name.count)).allSatisfy { left.name[$0] == right.name[$0] }
        }

        func hash(into hasher: inout Hasher) {
            // FNV-1a; the dictionary's own seed comes on top of it.
            var mixed: UInt64 = 0xcbf2_9ce4_8422_2325 ^ UInt64(upstream)
            for index in 0..<Int(name.count) { mixed = (mixed ^ UInt64(name[index])) &* 0x100_0000_01b3 }
            hasher.combine(mixed)
        }
    }

    struct Entry: Sendable {
        var upstream: UInt16
        var name: CallName
        /// The slot of the server that was called last.
        var server: Int32 = -1
        var window = CallWindow()
    }

    private var entries: [Entry] = []
    private var places: [Key: Int] = [:]
    /// Before this second it makes no sense to look for a tool that is not called any more.
    private var nextEviction: UInt64 = 0
    private let limit: Int

    init(limit: Int) { self.limit = max(1, limit) }

    /// A tool was called. A name that is new is taken only from a call that a tool answered: callers can make names up.
    mutating func add(_ event: borrowing CallEvent, at second: UInt64) {
        let key = Key(upstream: event.upstream, name: event.name)
        let place: Int
        if let known = places[key] {
            place = known
        } else {
            guard event.outcome == .success || event.outcome == .toolError, makeSpace(at: second) else { return }
            place = entries.count
            entries.append(Entry(upstream: event.upstream, name: event.name))
            places[key] = place
        }
        if event.server >= 0 { entries[place].server = event.server }
        entries[place].window.add(event.duration, event.outcome, at: second)
    }

    /// Whether there is space for one more.
    private mutating func makeSpace(at second: UInt64) -> Bool {
        if entries.count < limit { return true }
        guard second >= nextEviction else { return false }
        nextEviction = second &+ 30
        entries.removeAll { $0.window.isEmpty(at: second) }
        places = Dictionary(
            uniqueKeysWithValues: entries.indices.map { place in
                (Key(upstream: entries[place].upstream, name: entries[place].name), place)
            })
        return entries.count < limit
    }

    /// Those with calls in the last five minutes.
    func summaries(at second: UInt64) -> [(
        upstream: UInt16, server: Int32, name: CallName, summary: CallWindow.Summary
    )] {
        entries.lazy.filter { !$0.window.isEmpty(at: second) }.map {
            ($0.upstream, $0.server, $0.name, $0.window.summary(at: second))
        }
    }
}
