import ASCII

extension JSONScanner {
    /// Where within a token the scanner stands.
    enum Part: UInt8 {
        /// Between tokens.
        case none
        case string
        /// Behind a backslash.
        case escape
        /// Among the four digits behind `\u`.
        case escapedDigits
        case literal
        // Parts of a number (RFC 8259 section 6), each named after what came last.
        case numberStart, minus, zero, integer, point, fraction, exponentMark, exponentSign, exponent

        /// Whether a number may end here.
        var isWholeNumber: Bool {
            switch self {
            case .zero, .integer, .fraction, .exponent: true
            case .none, .string, .escape, .escapedDigits, .literal: false
            case .numberStart, .minus, .point, .exponentMark, .exponentSign: false
            }
        }

        /// Where in a number this byte leads; nil if it is none of the number's.
        func after(_ byte: UInt8) -> Part? {
            switch byte {
            case UInt8(ascii: "0"): afterDigit(isZero: true)
            case UInt8(ascii: "1")...UInt8(ascii: "9"): afterDigit(isZero: false)
            case UInt8(ascii: "."): self == .zero || self == .integer ? .point : nil
            case UInt8(ascii: "e"), UInt8(ascii: "E"): isWholeNumber && self != .exponent ? .exponentMark : nil
            case UInt8(ascii: "-"): self == .numberStart ? .minus : self == .exponentMark ? .exponentSign : nil
            case UInt8(ascii: "+"): self == .exponentMark ? .exponentSign : nil
            default: nil
            }
        }

        private func afterDigit(isZero: Bool) -> Part? {
            switch self {
            case .numberStart, .minus: isZero ? .zero : .integer
            case .integer: .integer
            case .point, .fraction: .fraction
            case .exponentMark, .exponentSign, .exponent: .exponent
            case .zero, .none, .string, .escape, .escapedDigits, .literal: nil
            }
        }
    }

    /// Prepares for the string, literal or number that begins with this byte.
    mutating func beginScalar(_ first: UInt8) {
        matched = 0
        switch first {
        case UInt8(ascii: "\""): beginString(.string)
        case UInt8(ascii: "t"): (part, partKind) = (.literal, .true)
        case UInt8(ascii: "f"): (part, partKind) = (.literal, .false)
        case UInt8(ascii: "n"): (part, partKind) = (.literal, .null)
        default: (part, partKind) = (.numberStart, .number)
        }
    }

    /// Steps over an opening quote.
    mutating func beginString(_ kind: JSONToken.Kind) {
        position &+= 1
        (part, partKind) = (.string, kind)
    }

    /// Goes on with the token that is under way, up to its end or that of the piece.
    mutating func continueToken(_ piece: Span<UInt8>) throws(Malformed) -> JSONToken {
        switch part {
        case .string, .escape, .escapedDigits: try string(piece)
        case .literal: try literal(piece)
        default: try number(piece)
        }
    }

    private mutating func string(_ piece: Span<UInt8>) throws(Malformed) -> JSONToken {
        let start = position
        while position < piece.count {
            if part == .string {
                position = piece.stringSpecial(from: position)
                guard position < piece.count else { break }
            }
            let byte = piece[position]
            position &+= 1
            switch part {
            case .string where byte == UInt8(ascii: "\""): return complete(start..<(position &- 1))
            case .string where byte == UInt8(ascii: "\\"): part = .escape
            case .escape: try escape(byte)
            case .escapedDigits where byte.hexadecimalValue != nil:
                matched &+= 1
                if matched == 4 { part = .string }
            default: throw fail()
            }
        }
        return JSONToken(partKind, start..<position, isComplete: false)
    }

    /// The byte behind a backslash (RFC 8259 section 7).
    private mutating func escape(_ byte: UInt8) throws(Malformed) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            part = .string
        case UInt8(ascii: "u"):
            part = .escapedDigits
            matched = 0
        default: throw fail()
        }
    }

    private mutating func literal(_ piece: Span<UInt8>) throws(Malformed) -> JSONToken {
        let text =
            switch partKind {
            case .true: UInt64(ascii: "true    ")
            case .false: UInt64(ascii: "false   ")
            default: UInt64(ascii: "null    ")
            }
        let length: UInt8 = partKind == .false ? 5 : 4
        let start = position
        while position < piece.count {
            guard piece[position] == UInt8(truncatingIfNeeded: text >> UInt64(matched &* 8)) else { throw fail() }
            position &+= 1
            matched &+= 1
            if matched == length { return complete(start..<position) }
        }
        return JSONToken(partKind, start..<position, isComplete: false)
    }

    /// Only the byte behind a number says that it has ended.
    private mutating func number(_ piece: Span<UInt8>) throws(Malformed) -> JSONToken {
        let start = position
        while position < piece.count {
            guard let following = part.after(piece[position]) else {
                guard part.isWholeNumber else { throw fail() }
                return complete(start..<position)
            }
            part = following
            position &+= 1
        }
        return JSONToken(.number, start..<position, isComplete: false)
    }

    private mutating func complete(_ range: Range<Int>) -> JSONToken {
        part = .none
        expected = partKind == .name ? .colon : depth == 0 ? .nothing : .commaOrEnd
        return JSONToken(partKind, range)
    }
}
