import Kernel
import Reactor

/// Recoveries that wait for a store, because another Berth may know how the session was opened.
struct RecordSearches {
    private struct Search {
        let start: Recoveries.Start
        let name: [UInt8]
        let store: SharedStore
        let until: Instant
    }

    private var searches: [UInt32: Search] = [:]
    private var lastID: UInt32 = 0

    var isEmpty: Bool { searches.isEmpty }

    /// Begins one; its number.
    mutating func begin(_ start: Recoveries.Start, name: [UInt8], in store: SharedStore, until: Instant) -> UInt32 {
        lastID &+= 1
        searches[lastID] = Search(start: start, name: name, store: store, until: until)
        return lastID
    }

    /// It is over; nil if it was before.
    mutating func end(_ id: UInt32) -> (start: Recoveries.Start, name: [UInt8])? {
        searches.removeValue(forKey: id).map { ($0.start, $0.name) }
    }

    /// When the search for a session's record is given up; `never` if there is none.
    func end(for key: SessionKey) -> Instant {
        var end = Instant.never
        for search in searches.values where search.start.key == key { end = min(end, search.until) }
        return end
    }

    /// Takes those of a session whose time is over.
    mutating func takeLate(for key: SessionKey, at now: Instant) -> [(start: Recoveries.Start, store: SharedStore)] {
        if searches.isEmpty { return [] }
        let late = searches.filter { $0.value.start.key == key && $0.value.until <= now }
        for id in late.keys { searches[id] = nil }
        return late.values.map { ($0.start, $0.store) }
    }
}
