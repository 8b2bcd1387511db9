import ASCII

/// Protocol revisions of MCP that a server speaks, as far as it is known.
package struct ProtocolRevisions: OptionSet, Hashable, Sendable {
    /// A bit for each revision.
    package private(set) var rawValue: UInt16

    /// The revisions whose bits are set.
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// One bit for each published revision, oldest first, and one for all that are later.
    private static let dates = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"]

    /// Revisions without sessions: 2026-07-28 and whatever comes after it.
    package static let modern: ProtocolRevisions = [
        ProtocolRevisions(rawValue: 1 << 4), ProtocolRevisions(rawValue: 1 << 5),
    ]

    /// The revision that a version names; empty if it is none that is published, unless it is later than all.
    package init(version: Span<UInt8>) {
        self = []
        if version.count == 10 {
            let index: UInt16? =
                switch version.word(at: 0) {
                case UInt64(ascii: "2024-11-") where version.has("05", at: 8): 0
                case UInt64(ascii: "2025-03-") where version.has("26", at: 8): 1
                case UInt64(ascii: "2025-06-") where version.has("18", at: 8): 2
                case UInt64(ascii: "2025-11-") where version.has("25", at: 8): 3
                case UInt64(ascii: "2026-07-") where version.has("28", at: 8): 4
                default: nil
                }
            if let index {
                self = ProtocolRevisions(rawValue: 1 << index)
                return
            }
        }
        if ProtocolVersion.isModern(version) { self = ProtocolRevisions(rawValue: 1 << 5) }
    }

    /// Nothing is known of what the server speaks.
    package var isUnknown: Bool { isEmpty }

    /// Whether requests of 2026-07-28 and later may go to the server: it speaks that, or nothing is known.
    package var mayBeModern: Bool { isUnknown || !isDisjoint(with: .modern) }

    /// The revisions' names, oldest first.
    package var names: [String] {
        let known = Self.dates.indices.filter { contains(ProtocolRevisions(rawValue: 1 << UInt16($0))) }
        return known.map { Self.dates[$0] } + (contains(ProtocolRevisions(rawValue: 1 << 5)) ? ["later"] : [])
    }
}
