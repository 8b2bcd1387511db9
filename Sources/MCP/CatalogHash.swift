import JSON

/// A number that stands for a list of tools, resources or prompts: equal lists have equal numbers, in whatever order a
/// server names the elements, and the members of its objects, and however it spaces them.
///
/// Not cryptographic: it shows that replicas have drifted apart, not that somebody made them look alike.
package struct CatalogHash: Equatable, Sendable {
    /// The sum over the elements so far.
    private var sum: UInt64 = 0
    private var count: UInt64 = 0

    /// An empty list.
    package init() {}

    /// The number, which is not 0.
    package var value: UInt64 { max(1, Self.mix(sum &+ Self.mix(count))) }

    /// Adds the elements of an array, as it stands in a message. False if it is no array of whole values.
    package mutating func add(_ array: Span<UInt8>) -> Bool {
        var scanner = JSONScanner()
        var levels: [Level] = []
        while let token = try? scanner.next(in: array), token.isComplete || scanner.isComplete {
            let text = array.extracting(token.range)
            switch token.kind {
            case .objectStart, .arrayStart:
                levels.append(Level(isObject: token.kind == .objectStart))
            case .objectEnd, .arrayEnd:
                guard let closed = levels.popLast() else { return false }
                if levels.isEmpty {
                    sum &+= closed.sum
                    count &+= closed.count
                    return scanner.isComplete
                }
                levels[levels.count - 1].note(closed.hash)
            case .name:
                levels[levels.count - 1].name = Self.hash(text, kind: .name)
            case .string, .number, .true, .false, .null:
                guard !levels.isEmpty else { return false }
                levels[levels.count - 1].note(Self.hash(text, kind: token.kind))
            }
        }
        return false
    }

    /// An object or array whose end has not come.
    private struct Level {
        let isObject: Bool
        var name: UInt64 = 0
        /// Over members or elements, in any order.
        var sum: UInt64 = 0
        var count: UInt64 = 0

        mutating func note(_ value: UInt64) {
            sum &+= CatalogHash.mix(isObject ? name &* 3 &+ value : value)
            count &+= 1
        }

        var hash: UInt64 { CatalogHash.mix(sum &+ CatalogHash.mix(count) &+ (isObject ? 1 : 2)) }
    }

    /// FNV-1a, with the kind in front, so that "1" is not 1.
    private static func hash(_ text: Span<UInt8>, kind: JSONToken.Kind) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ UInt64(kind.rawValue)
        for index in text.indices {
            hash = (hash ^ UInt64(text[index])) &* 0x100_0000_01b3
        }
        return mix(hash)
    }

    /// The finalizer of SplitMix64.
    private static func mix(_ number: UInt64) -> UInt64 {
        var mixed = number &+ 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
