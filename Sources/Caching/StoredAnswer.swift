package import Kernel

/// An answer as it stands in a store that several Berths share: a line of text, then the header fields and the two parts of the
/// result.
///
///     1 GENERATION SCOPE FIELDS BEFORE AFTER\n
///
/// SCOPE is `s` for an answer for everybody and `p` for one caller's; the rest are lengths, AFTER is `-` if there is no such part.
/// How long it is good the store says.
package struct StoredAnswer: Sendable, Equatable {
    /// What a store calls the state of the servers in which it was fetched.
    package let generation: [UInt8]
    /// The result; its time is what is left of it.
    package let result: CacheableResult
    /// Whole field lines that go with it.
    package let fields: [UInt8]

    /// Longer ones are not put into a store, in bytes.
    package static var maximumBytes: Int { 128 << 10 }

    /// An answer that was fetched in this generation of its servers.
    package init(_ result: CacheableResult, fields: [UInt8], generation: [UInt8]) {
        self.result = result
        self.fields = fields
        self.generation = generation
    }

    /// Its bytes; nil if there are too many.
    package var encoded: [UInt8]? {
        let scope = result.isShared ? "s" : "p"
        let after = result.afterTTL.map { "\($0.count)" } ?? "-"
        var bytes = Array("1 ".utf8) + generation
        bytes += " \(scope) \(fields.count) \(result.beforeTTL.count) \(after)\n".utf8
        bytes += fields
        bytes += result.beforeTTL
        bytes += result.afterTTL ?? []
        return bytes.count <= Self.maximumBytes ? bytes : nil
    }

    /// Reads what a store has; nil if that is no answer, or of a version that this one does not know. It is good for as long as
    /// `remaining`.
    package init?(_ bytes: [UInt8], remaining: Interval) {
        guard bytes.count <= Self.maximumBytes, let end = bytes.prefix(128).firstIndex(of: UInt8(ascii: "\n")) else {
            return nil
        }
        let words = bytes[..<end].split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard words.count == 6, words[0].elementsEqual("1".utf8), !words[1].isEmpty else { return nil }
        let isShared = words[2].elementsEqual("s".utf8)
        guard isShared || words[2].elementsEqual("p".utf8), let fields = Self.length(words[3]),
            let before = Self.length(words[4])
        else { return nil }
        let after = words[5].elementsEqual("-".utf8) ? nil : Self.length(words[5])
        guard after != nil || words[5].elementsEqual("-".utf8) else { return nil }
        let start = end + 1
        // Each is at most `maximumBytes`: the sum cannot overflow.
        guard start + fields + before + (after ?? 0) == bytes.count else { return nil }
        generation = Array(words[1])
        self.fields = Array(bytes[start..<start + fields])
        result = CacheableResult(
            beforeTTL: Array(bytes[(start + fields)..<(start + fields + before)]),
            afterTTL: after.map { Array(bytes.suffix($0)) }, ttl: remaining, isShared: isShared)
    }

    private static func length(_ word: ArraySlice<UInt8>) -> Int? {
        guard !word.isEmpty, word.count <= 6, word.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return word.reduce(0) { $0 * 10 + Int($1 - 48) }
    }
}
