import ASCII

/// The one text of a JSON value (RFC 8785, JSON Canonicalization Scheme): members in the order of their names, no white
/// space, strings and numbers in one spelling.
///
/// One thing differs from the RFC, which knows doubles only: a number that a double cannot hold stands as it is written, so
/// that two that differ never become one.
///
/// Work and memory are linear in the text, but for sorting; texts are bounded by the caller.
package struct CanonicalJSON {
    /// Values may nest so deep.
    package static var maximumDepth: Int { 64 }

    /// The text so far.
    package private(set) var text: [UInt8]
    private var depth = 0

    /// Appends to `text`, whose memory it takes over.
    package init(appendingTo text: consuming [UInt8] = []) {
        self.text = text
    }

    /// What an appended value was.
    package enum Result: Sendable {
        case appended
        /// The value is malformed, nests too deep, has a name twice or text that is not Unicode. What was appended of it
        /// means nothing.
        case refused
    }

    /// Appends the value that `source` is, and nothing else.
    package mutating func append(_ source: Span<UInt8>) -> Result {
        var reader = JSONReader()
        guard append(source, &reader) == .appended, reader.isAtEnd(source) else { return .refused }
        return .appended
    }

    /// Appends the string with this content between its quotes.
    package mutating func append(quoted content: Span<UInt8>) -> Result { CanonicalString.append(content, to: &text) }

    /// The content of a string, as it stands between its quotes, in its one spelling; nil if it has half a surrogate pair or is
    /// not UTF-8.
    package static func spelling(ofString content: Span<UInt8>) -> [UInt8]? {
        var text: [UInt8] = []
        guard CanonicalString.append(content, to: &text) == .appended else { return nil }
        return Array(text.dropFirst().dropLast())
    }

    /// Appends a byte that stands between values.
    package mutating func append(byte: UInt8) { text.append(byte) }

    /// Appends the value that comes next in `source`.
    package mutating func append(_ source: Span<UInt8>, _ reader: inout JSONReader) -> Result {
        switch reader.peek(source) {
        case UInt8(ascii: "{"): return appendObject(source, &reader)
        case UInt8(ascii: "["): return appendArray(source, &reader)
        case UInt8(ascii: "\""):
            guard let content = reader.string(source) else { return .refused }
            return CanonicalString.append(source.extracting(content), to: &text)
        case nil: return .refused
        default:
            guard let value = reader.value(source) else { return .refused }
            CanonicalNumber.append(source.extracting(value), to: &text)
            return .appended
        }
    }

    private mutating func appendArray(_ source: Span<UInt8>, _ reader: inout JSONReader) -> Result {
        guard depth < Self.maximumDepth, reader.openArray(source) else { return .refused }
        depth += 1
        defer { depth -= 1 }
        text.append(UInt8(ascii: "["))
        var isFirst = true
        while reader.nextElement(source) {
            if !isFirst { text.append(UInt8(ascii: ",")) }
            isFirst = false
            guard append(source, &reader) == .appended else { return .refused }
        }
        text.append(UInt8(ascii: "]"))
        return reader.failure == nil ? .appended : .refused
    }

    /// A member as it stands in `text`: its canonical name, and the whole of it.
    private struct Member {
        let name: Range<Int>
        let all: Range<Int>
    }

    private mutating func appendObject(_ source: Span<UInt8>, _ reader: inout JSONReader) -> Result {
        guard depth < Self.maximumDepth, reader.openObject(source) else { return .refused }
        depth += 1
        defer { depth -= 1 }
        text.append(UInt8(ascii: "{"))
        let start = text.count
        var members: [Member] = []
        var isSorted = true
        while let name = reader.nextName(source) {
            let begin = text.count
            guard CanonicalString.append(source.extracting(name), to: &text) == .appended else { return .refused }
            let canonical = begin + 1..<text.count - 1
            text.append(UInt8(ascii: ":"))
            guard append(source, &reader) == .appended else { return .refused }
            if let last = members.last, isSorted { isSorted = order(last.name, canonical) == .ascending }
            members.append(Member(name: canonical, all: begin..<text.count))
            text.append(UInt8(ascii: ","))
        }
        guard reader.failure == nil else { return .refused }
        if !members.isEmpty { text.removeLast() }
        if !isSorted, sort(members, from: start) == .refused { return .refused }
        text.append(UInt8(ascii: "}"))
        return .appended
    }

    /// Puts members in order. Two of one name are refused: readers disagree about which one counts.
    private mutating func sort(_ members: [Member], from start: Int) -> Result {
        let sorted = members.sorted { order($0.name, $1.name) == .ascending }
        for (one, next) in zip(sorted, sorted.dropFirst()) where order(one.name, next.name) == .same { return .refused }
        var ordered: [UInt8] = []
        ordered.reserveCapacity(text.count - start)
        for member in sorted {
            if !ordered.isEmpty { ordered.append(UInt8(ascii: ",")) }
            ordered += text[member.all]
        }
        text.replaceSubrange(start..<text.count, with: ordered)
        return .appended
    }

    private enum Order { case ascending, same, descending }

    /// Compares names by their UTF-16 code units (RFC 8785 section 3.2.3). Canonical names have escapes only for control
    /// characters, quotes and backslashes, so the texts between the quotes are compared after undoing those.
    private func order(_ left: Range<Int>, _ right: Range<Int>) -> Order {
        if isPlain(left), isPlain(right) {
            let count = min(left.count, right.count)
            for offset in 0..<count {
                let (one, other) = (text[left.lowerBound + offset], text[right.lowerBound + offset])
                if one != other { return one < other ? .ascending : .descending }
            }
            return left.count == right.count ? .same : left.count < right.count ? .ascending : .descending
        }
        let one = CanonicalString.units(text[left])
        let other = CanonicalString.units(text[right])
        return one == other ? .same : one.lexicographicallyPrecedes(other) ? .ascending : .descending
    }

    /// Whether a canonical name is ASCII without escapes, whose bytes are its code units.
    private func isPlain(_ name: Range<Int>) -> Bool {
        text[name].allSatisfy { $0 < 0x80 && $0 != UInt8(ascii: "\\") }
    }
}
