/// What keys have used of their rates since a store was told: decides which key it is told of next, and how much.
///
/// A key has one report under way at a time; what it uses meanwhile is told with the next one. So a key costs the store one command
/// in the time of a reply, however many requests it makes. Both the keys and the reports under way are bounded: if there are too many
/// keys, what the one has used is forgotten that has waited longest, which then was counted here alone.
package struct RateReports: Sendable {
    /// The name of a key, which is the same wherever it is counted: 128 bits.
    package struct Key: Hashable, Sendable {
        /// The first 64 bits.
        package let high: UInt64
        /// The last 64 bits.
        package let low: UInt64

        package init(high: UInt64, low: UInt64) {
            self.high = high
            self.low = low
        }
    }

    /// What a store is to be told.
    package struct Report: Equatable, Sendable {
        /// Of which key.
        package let key: Key
        /// The time that the key has used, in ticks; below 0: it was given back.
        package let used: Int64
        /// What it may have used at most, in ticks.
        package let most: UInt64
    }

    /// What is known of a key when its report is over.
    package struct Ended: Equatable, Sendable {
        /// The key in the table of this process.
        package let local: UInt64
        /// What it has used since, in ticks.
        package let untold: Int64
        /// What it may have used at most, in ticks.
        package let most: UInt64
    }

    private struct Entry {
        var local: UInt64
        var untold: Int64
        var most: UInt64
        var isUnderWay = false
    }

    private let maximumKeys: Int
    private let maximumUnderWay: Int
    private var entries: [Key: Entry] = [:]
    /// Keys whose reports are not under way, in the order in which they came.
    private var waiting: [Key] = []
    /// Index of the first one in `waiting`.
    private var first = 0
    /// Reports that were given out and are not over.
    package private(set) var underWay = 0
    /// Keys that were forgotten because others came.
    package private(set) var dropped = 0

    /// For so many keys, and reports under way, at most; each at least 1.
    package init(keys: Int = 8_192, underWay: Int = 512) {
        maximumKeys = max(1, keys)
        maximumUnderWay = max(1, underWay)
    }

    /// There is nothing to be told and nothing under way.
    package var isEmpty: Bool { entries.isEmpty }

    /// A report may be given out.
    package var hasNext: Bool { underWay < maximumUnderWay && entries.count > underWay }

    /// The key has used some of its time, in ticks; below 0: it was given back. `local` is its key in the table of this process.
    package mutating func note(_ key: Key, local: UInt64, used: Int64, most: UInt64) {
        if let entry = entries[key] {
            entries[key]?.untold = Self.sum(entry.untold, used)
            return
        }
        if entries.count >= maximumKeys { dropOldest() }
        guard entries.count < maximumKeys else {
            dropped += 1
            return
        }
        entries[key] = Entry(local: local, untold: used, most: most)
        waiting.append(key)
    }

    /// The next report, which is under way from now on until `finish`.
    package mutating func next() -> Report? {
        guard underWay < maximumUnderWay else { return nil }
        while let key = takeWaiting() {
            guard let entry = entries[key], entry.untold != 0 else {
                // All of it was given back.
                entries[key] = nil
                continue
            }
            entries[key]?.isUnderWay = true
            entries[key]?.untold = 0
            underWay += 1
            return Report(key: key, used: entry.untold, most: entry.most)
        }
        return nil
    }

    /// The key's report is over, whatever came of it.
    package mutating func finish(_ key: Key) -> Ended? {
        guard let entry = entries[key], entry.isUnderWay else { return nil }
        underWay -= 1
        if entry.untold == 0 {
            entries[key] = nil
        } else {
            entries[key]?.isUnderWay = false
            waiting.append(key)
        }
        return Ended(local: entry.local, untold: entry.untold, most: entry.most)
    }

    /// Forgets what was not told, because the store is not to be had. Returns of how many keys.
    package mutating func dropWaiting() -> Int {
        var count = 0
        while let key = takeWaiting() {
            entries[key] = nil
            count += 1
        }
        return count
    }

    private mutating func dropOldest() {
        guard let key = takeWaiting() else { return }
        entries[key] = nil
        dropped += 1
    }

    private mutating func takeWaiting() -> Key? {
        guard first < waiting.count else { return nil }
        let key = waiting[first]
        first += 1
        if first == waiting.count {
            waiting.removeAll(keepingCapacity: true)
            first = 0
        } else if first >= 1_024 {
            waiting.removeFirst(first)
            first = 0
        }
        return key
    }

    private static func sum(_ one: Int64, _ other: Int64) -> Int64 {
        let (sum, overflow) = one.addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }
}
