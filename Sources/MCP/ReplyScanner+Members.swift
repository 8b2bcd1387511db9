import ASCII

/// Members as servers write them, and whatever else they may look like.
extension ReplyScanner {
    /// Reads members as long as they are whole and compact, up to a value that counts, which comes next. The first byte is
    /// the quote of a name. What is left is for the slower functions, which take one byte after the other.
    mutating func scanMembers(_ piece: Span<UInt8>, from start: Int) -> Int {
        var index = start
        while piece.count &- index > 8, piece[index] == UInt8(ascii: "\"") {
            let low = piece.word(at: index &+ 1)
            let special = WordScan.firstStringSpecial(in: low)
            let bits = UInt64(special.trailingZeroBitCount & 0x78)
            let end = special != 0 ? index &+ 1 &+ Int(bits >> 3) : piece.stringEnd(from: index &+ 9)
            guard end &+ 2 < piece.count, piece[end] == UInt8(ascii: "\""), piece[end &+ 1] == UInt8(ascii: ":") else {
                break
            }
            if special != 0 {
                member = memberNamed(low & ~(UInt64.max &<< bits))
            } else {
                let isResultType = low == Name.resultTy && end &- index == 11 && piece.has("pe", at: end &- 2)
                member = isResultType && scope == .result ? .resultType : .other
            }
            index = end &+ (piece[end &+ 2] == 0x20 ? 3 : 2)
            mode = .value
            guard member == .other, index < piece.count else { return index }
            index = scanOtherValue(piece, from: index)
            guard mode == .commaOrEnd, piece.count &- index > 1, piece[index] == UInt8(ascii: ",") else { return index }
            mode = .nameOrEnd
            index &+= piece[index &+ 1] == 0x20 ? 2 : 1
        }
        guard index == start else { return index }
        (mode, word) = (.name, WordPair())
        return index &+ 1
    }

    /// The member with a name of up to 7 bytes, the first one the lowest.
    @inline(__always)
    private func memberNamed(_ name: UInt64) -> Member {
        switch scope {
        case .message:
            name == Name.result ? .result : name == Name.error ? .error : name == Name.method ? .method : .other
        case .error: name == Name.code ? .code : .other
        case .result: name == Name.isError ? .isError : .other
        }
    }

    /// Skips a value that does not count, or the part of it that is there.
    @inline(__always)
    private mutating func scanOtherValue(_ piece: Span<UInt8>, from start: Int) -> Int {
        switch piece[start] {
        case UInt8(ascii: "\""):
            (mode, depth) = (.string, 0)
            return scanString(piece, from: start &+ 1)
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            (mode, depth) = (.nested, 1)
            return scanNested(piece, from: start &+ 1)
        case let byte where byte.isScalar:
            mode = .commaOrEnd
            var index = start &+ 1
            while index < piece.count, piece[index].isScalar { index &+= 1 }
            return index
        default: return start
        }
    }

    /// Reads a name or the value of `resultType`, or the part of it that is there.
    mutating func scanWord(_ piece: Span<UInt8>, from start: Int) -> Int {
        var index = start
        while index < piece.count {
            let byte = piece[index]
            if byte < 0x20 {
                giveUp()
                return index
            }
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\"") {
                return endWord(piece, index)
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
                word.count = 17
            } else {
                word.append(byte)
            }
            index &+= 1
        }
        return index
    }

    /// The closing quote of a name or of the value of `resultType`; steps over it.
    private mutating func endWord(_ piece: Span<UInt8>, _ index: Int) -> Int {
        if mode == .resultType {
            if word.isInputRequired { found.insert(.needsInput) }
            mode = .commaOrEnd
        } else {
            member =
                word.count < 8 ? memberNamed(word.low) : word.isResultType && scope == .result ? .resultType : .other
            mode = .colon
        }
        return index &+ 1
    }
}

/// Names that count, as words whose first byte is the lowest.
private enum Name {
    static var result: UInt64 { UInt64(ascii: "result\0\0") }
    static var error: UInt64 { UInt64(ascii: "error\0\0\0") }
    static var method: UInt64 { UInt64(ascii: "method\0\0") }
    static var isError: UInt64 { UInt64(ascii: "isError\0") }
    static var code: UInt64 { UInt64(ascii: "code\0\0\0\0") }
    /// The beginning of `resultType`.
    static var resultTy: UInt64 { UInt64(ascii: "resultTy") }
}

extension WordPair {
    fileprivate var isResultType: Bool { count == 10 && low == Name.resultTy && high == 0x6570 }
    fileprivate var isInputRequired: Bool {
        count == 14 && low == UInt64(ascii: "input_re") && high == UInt64(ascii: "quired\0\0")
    }
}

extension UInt8 {
    /// Whether the byte is of a literal or of a number, as nearly all are written.
    @inline(__always)
    fileprivate var isScalar: Bool { self &- UInt8(ascii: "-") < 13 || self &- UInt8(ascii: "a") < 26 }
}
