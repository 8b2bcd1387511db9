import ASCII

/// Reads a JSON text that is at hand, or the beginning of one, member by member, and gives out ranges of it.
///
/// Every call must be shown the same text. Once something is wrong, `failure` says what, every call answers nil or
/// false, and so every loop over members or elements ends.
package struct JSONReader: Sendable {
    /// Why there is nothing more to read.
    package enum Failure: Sendable {
        /// The text ends where more must follow.
        case truncated
        /// The text is not JSON, is nested too deep, or is not what the caller asked for.
        case malformed
    }

    private var scanner = JSONScanner()
    /// Why reading ended; nil as long as it has not.
    package private(set) var failure: Failure?

    package init() {}

    /// Behind what has been read.
    package var position: Int { scanner.position }

    /// The first byte of what comes next; nil at the end.
    package mutating func peek(_ text: Span<UInt8>) -> UInt8? {
        guard failure == nil else { return nil }
        if let first = scanner.peekWhole(in: text) { return first }
        do throws(JSONScanner.Malformed) {
            return try scanner.peek(in: text)
        } catch {
            return fail(.malformed)
        }
    }

    /// Whether a whole value has been read and nothing but white space is left.
    package mutating func isAtEnd(_ text: Span<UInt8>) -> Bool {
        guard peek(text) == nil, failure == nil else { return false }
        if !scanner.isComplete { failure = .truncated }
        return scanner.isComplete
    }

    /// Steps into an object. False, and nothing is read, if something else comes next.
    package mutating func openObject(_ text: Span<UInt8>) -> Bool {
        peek(text) == UInt8(ascii: "{") && next(text)?.kind == .objectStart
    }

    /// Steps into an array. False, and nothing is read, if something else comes next.
    package mutating func openArray(_ text: Span<UInt8>) -> Bool {
        peek(text) == UInt8(ascii: "[") && next(text)?.kind == .arrayStart
    }

    /// The name of the next member, between its quotes, escapes as written. The member's value must be read before the
    /// next call. Nil at the object's end, which is stepped over.
    package mutating func nextName(_ text: Span<UInt8>) -> Range<Int>? {
        if failure == nil, let name = scanner.nextWholeName(in: text) { return name }
        guard let token = next(text), token.kind != .objectEnd else { return nil }
        return token.kind == .name ? token.range : fail(.malformed)
    }

    /// Whether another element follows, which must be read before the next call. False at the array's end, which is
    /// stepped over.
    package mutating func nextElement(_ text: Span<UInt8>) -> Bool {
        guard let first = peek(text) else {
            if failure == nil { failure = .truncated }
            return false
        }
        guard first == UInt8(ascii: "]") else { return true }
        _ = next(text)
        return false
    }

    /// Reads a string: what stands between its quotes, escapes as written.
    package mutating func string(_ text: Span<UInt8>) -> Range<Int>? {
        guard let token = next(text) else { return nil }
        return token.kind == .string ? token.range : fail(.malformed)
    }

    /// Reads a value of any kind: where it stands, its quotes or brackets included.
    package mutating func value(_ text: Span<UInt8>) -> Range<Int>? {
        if failure == nil, let value = scanner.nextWholeValue(in: text) { return value }
        _ = peek(text)
        let start = scanner.position
        let floor = scanner.depth
        guard let first = next(text) else { return nil }
        switch first.kind {
        case .name, .objectEnd, .arrayEnd: return fail(.malformed)
        case .objectStart, .arrayStart, .string, .number, .true, .false, .null: break
        }
        while scanner.depth > floor {
            if next(text) == nil { return nil }
        }
        return start..<scanner.position
    }

    /// Reads a value of any kind: its number if it is one of 1 to 19 digits and nothing else, else nil.
    package mutating func decimal(_ text: Span<UInt8>) -> UInt64? {
        value(text).flatMap { text.extracting($0).decimal }
    }

    private mutating func next(_ text: Span<UInt8>) -> JSONToken? {
        guard failure == nil else { return nil }
        do throws(JSONScanner.Malformed) {
            guard let token = try scanner.next(in: text), token.isComplete || scanner.isComplete else {
                return fail(.truncated)
            }
            return token
        } catch {
            return fail(.malformed)
        }
    }

    private mutating func fail<Result>(_ failure: Failure) -> Result? {
        self.failure = failure
        return nil
    }
}
