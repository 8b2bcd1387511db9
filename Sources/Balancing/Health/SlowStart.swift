/// Bounds the share of new work of servers that have just come back or appeared: it grows from a tenth of what their weight
/// gives them to all of it. A process that starts has cold caches, and one that comes back alone would get all the work
/// that the others have too much of.
///
/// Such a server earns its turns: with each choice it gains its part of one, and is passed over until it has a whole one.
/// So its share is right whatever the policy is, and the same every time. Choices by a hash know no slow start: a key that
/// went elsewhere for a minute would move twice.
package struct SlowStart: Sendable {
    /// A server whose share grows.
    package struct Entrant: Equatable, Sendable {
        /// Its position in the upstream.
        package var position: Int
        /// When it came, in monotonic nanoseconds.
        package var since: UInt64
        /// Its weight as a part of the weight of all that take turns with it, 0...1.
        package var part: Double

        /// A server that came at `since`.
        package init(position: Int, since: UInt64, part: Double) {
            self.position = position
            self.since = since
            self.part = part
        }
    }

    /// The share at the start.
    private static var least: Double { 0.1 }
    /// Turns that a server may have earned and not taken.
    private static var mostCredit: Double { 2 }

    private var entrants: [(entrant: Entrant, credit: Double)] = [] {
        didSet { isActive = !entrants.isEmpty }
    }

    /// Nobody starts slowly.
    package init() {}

    /// Whether any server is on its way to its whole share. Stored, because it is asked for every request: a question that
    /// another module has to answer costs a copy and a reference count.
    package private(set) var isActive = false

    /// The share of its weight that a server has after so many nanoseconds of `duration`: 0.1...1.
    package static func share(after elapsed: UInt64, of duration: UInt64) -> Double {
        elapsed >= duration ? 1 : least + (1 - least) * Double(elapsed) / Double(duration)
    }

    /// Takes over who starts slowly now; those that did before keep what they have earned.
    package mutating func update(_ now: [Entrant]) {
        entrants = now.map { entrant in
            let known = entrants.first {
                $0.entrant.position == entrant.position && $0.entrant.since == entrant.since
            }
            return (entrant, known?.credit ?? 0)
        }
    }

    /// A choice begins at `now`, in monotonic nanoseconds.
    package mutating func beginChoice(at now: UInt64, duration: UInt64) {
        entrants.removeAll { now - min(now, $0.entrant.since) >= duration }
        for index in entrants.indices {
            let entrant = entrants[index].entrant
            let share = Self.share(after: now - min(now, entrant.since), of: duration)
            entrants[index].credit = min(Self.mostCredit, entrants[index].credit + share * entrant.part)
        }
    }

    /// Whether a server may be chosen.
    package func admits(_ position: Int) -> Bool {
        guard let index = entrants.firstIndex(where: { $0.entrant.position == position }) else { return true }
        return entrants[index].credit >= 1
    }

    /// A server was chosen.
    package mutating func chose(_ position: Int) {
        guard let index = entrants.firstIndex(where: { $0.entrant.position == position }) else { return }
        entrants[index].credit = max(0, entrants[index].credit - 1)
    }
}
