/// The sessions used last, with the last calls of each. When there are as many as may be, a new one takes the place of the one
/// that was not used for longest.
struct RecentSessions: Sendable {
    struct Entry: Sendable {
        var session: UInt64
        /// The first call that was seen, and the end of the last, in nanoseconds since 1970.
        var since: UInt64
        var usedAt: UInt64
        var calls: UInt64 = 0
        var failed: UInt64 = 0
        var recoveries: UInt64 = 0
        /// The server of the last call that had one.
        var server: Int32 = -1
        var history: CallHistory
        /// Neighbours by use; -1: there is none.
        var newer = -1
        var older = -1
    }

    private var entries: [Entry] = []
    private var places: PlaceTable
    private var newest = -1
    private var oldest = -1
    private let limit: Int
    private let callLimit: Int

    init(limit: Int, calls: Int) {
        self.limit = max(1, limit)
        places = PlaceTable(limit: self.limit)
        callLimit = calls
    }

    mutating func add(_ record: CallRecord) {
        let place = place(of: record)
        let end = record.startedAt &+ record.duration
        entries[place].usedAt = max(entries[place].usedAt, end)
        entries[place].calls &+= 1
        if record.outcome.isFailure { entries[place].failed &+= 1 }
        if record.isRecovered { entries[place].recoveries &+= 1 }
        if record.server >= 0 { entries[place].server = record.server }
        entries[place].history.add(record)
    }

    /// Where the record's session is, which is the newest from now on.
    private mutating func place(of record: CallRecord) -> Int {
        // One agent often makes several calls in a row.
        if newest >= 0, entries[newest].session == record.session { return newest }
        if let place = place(of: record.session) {
            unlink(place)
            link(place)
            return place
        }
        let entry = Entry(
            session: record.session, since: record.startedAt, usedAt: record.startedAt,
            history: CallHistory(limit: callLimit))
        guard entries.count == limit else {
            entries.append(entry)
            return admit(entries.count - 1, record.session)
        }
        let place = oldest
        unlink(place)
        places.remove(entries[place].session, place)
        var history = entries[place].history
        history.removeAll()
        entries[place] = entry
        entries[place].history = history
        return admit(place, record.session)
    }

    private mutating func admit(_ place: Int, _ session: UInt64) -> Int {
        places.insert(session, place)
        link(place)
        return place
    }

    private mutating func unlink(_ place: Int) {
        let (newer, older) = (entries[place].newer, entries[place].older)
        if newer >= 0 { entries[newer].older = older } else { newest = older }
        if older >= 0 { entries[older].newer = newer } else { oldest = newer }
    }

    private mutating func link(_ place: Int) {
        entries[place].newer = -1
        entries[place].older = newest
        if newest >= 0 { entries[newest].newer = place } else { oldest = place }
        newest = place
    }

    /// The entry of a session; nil if it was not used lately.
    func entry(of session: UInt64) -> Entry? { place(of: session).map { entries[$0] } }

    private func place(of session: UInt64) -> Int? { places.first(session) { entries[$0].session == session } }

    /// The sessions used last, at most so many, newest first.
    func newestFirst(limit: Int) -> [Entry] {
        var found: [Entry] = []
        var place = newest
        while place >= 0, found.count < limit {
            found.append(entries[place])
            place = entries[place].older
        }
        return found
    }
}
