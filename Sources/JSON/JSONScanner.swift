import ASCII

/// Scans a JSON text (RFC 8259) token by token while it arrives, in pieces of any size.
///
/// It allocates nothing, keeps no byte of the text and never looks back: the state between two pieces is this value.
/// Show it a piece until `next` returns nil, then call `beginPiece` and show it the next one. A token that is cut by the
/// end of a piece comes in parts. Work is linear in the bytes, and so is the number of tokens.
///
/// The grammar is checked in full. What is not checked is the encoding of strings: neither whether they are UTF-8, nor
/// whether surrogates that are escaped come in pairs.
package struct JSONScanner: Sendable {
    /// The text is not JSON, or nests deeper than `maximumDepth`. No call has a meaning after that, and each throws it.
    package struct Malformed: Error {}

    /// How many objects and arrays may be open at once.
    package static var maximumDepth: Int { 512 }

    /// What must come next outside of a token.
    enum Expectation: UInt8 {
        case value, elementOrEnd, nameOrEnd, name, colon, commaOrEnd
        /// White space: the text is complete.
        case nothing
        /// Whatever comes, it is malformed.
        case failed
    }

    var expected = Expectation.value
    /// The token that a piece has cut, if any, and how far it has come.
    var part = Part.none
    var partKind = JSONToken.Kind.null
    /// Bytes of a literal, or digits of an escape, that have come.
    var matched: UInt8 = 0
    private(set) var isInObject = false
    /// Where in the piece the scanner stands.
    package internal(set) var position = 0
    /// How many objects and arrays are open.
    package private(set) var depth = 0
    /// One bit for each that is open: set for an object.
    private var objects = InlineArray<8, UInt64>(repeating: 0)

    package init() {}

    /// The bytes shown from now on are those that follow the last piece.
    package mutating func beginPiece() { position = 0 }

    /// Whether the pieces so far are a whole JSON text, which only white space may follow; after a number that nothing
    /// is nested in, more digits may follow too.
    package var isComplete: Bool {
        part == .none ? expected == .nothing : depth == 0 && part.isWholeNumber
    }

    /// The next token of the piece, or the part of one that is there; nil if the piece is used up.
    package mutating func next(in piece: Span<UInt8>) throws(Malformed) -> JSONToken? {
        if part != .none { return position < piece.count ? try continueToken(piece) : nil }
        guard let first = try peek(in: piece) else { return nil }
        if first == UInt8(ascii: "}") || first == UInt8(ascii: "]") { return try close(first) }
        switch expected {
        case .value, .elementOrEnd:
            if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") { return try open(first) }
            beginScalar(first)
        case .name, .nameOrEnd:
            guard first == UInt8(ascii: "\"") else { throw fail() }
            beginString(.name)
        case .colon, .commaOrEnd, .nothing, .failed: throw fail()
        }
        return try continueToken(piece)
    }

    /// Steps to the next token, over white space and over the colon or comma that must come before it: the token's
    /// first byte, or nil if the piece ends before it. No token may be under way.
    mutating func peek(in piece: Span<UInt8>) throws(Malformed) -> UInt8? {
        while true {
            skipSpace(piece)
            guard position < piece.count else { return nil }
            let byte = piece[position]
            switch expected {
            case .value, .elementOrEnd, .nameOrEnd, .name: return byte
            case .colon:
                guard byte == UInt8(ascii: ":") else { throw fail() }
                expected = .value
            case .commaOrEnd:
                guard byte == UInt8(ascii: ",") else { return byte }
                expected = isInObject ? .name : .value
            case .nothing, .failed: throw fail()
            }
            position &+= 1
        }
    }

    private mutating func skipSpace(_ piece: Span<UInt8>) {
        while position < piece.count {
            switch piece[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position &+= 1
            default: return
            }
            while piece.count &- position >= 8, piece.word(at: position) == 0x2020_2020_2020_2020 { position &+= 8 }
        }
    }

    // MARK: Objects and arrays

    mutating func open(_ byte: UInt8) throws(Malformed) -> JSONToken {
        guard depth < Self.maximumDepth else { throw fail() }
        isInObject = byte == UInt8(ascii: "{")
        let bit: UInt64 = 1 << UInt64(depth & 63)
        if isInObject { objects[depth >> 6] |= bit } else { objects[depth >> 6] &= ~bit }
        depth &+= 1
        expected = isInObject ? .nameOrEnd : .elementOrEnd
        return single(isInObject ? .objectStart : .arrayStart)
    }

    private mutating func close(_ byte: UInt8) throws(Malformed) -> JSONToken {
        let isObject = byte == UInt8(ascii: "}")
        guard isObject == isInObject else { throw fail() }
        switch expected {
        case .commaOrEnd, .nameOrEnd, .elementOrEnd: break
        case .value, .name, .colon, .nothing, .failed: throw fail()
        }
        depth &-= 1
        isInObject = depth > 0 && objects[(depth &- 1) >> 6] >> UInt64((depth &- 1) & 63) & 1 != 0
        expected = depth == 0 ? .nothing : .commaOrEnd
        return single(isObject ? .objectEnd : .arrayEnd)
    }

    private mutating func single(_ kind: JSONToken.Kind) -> JSONToken {
        position &+= 1
        return JSONToken(kind, (position &- 1)..<position)
    }

    /// Remembers that the text is malformed.
    mutating func fail() -> Malformed {
        expected = .failed
        part = .none
        return Malformed()
    }
}
