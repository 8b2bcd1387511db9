import ASCII

/// Short cuts for messages as servers write them: compact, the usual members first, and all in one piece.
extension ReplyScanner {
    /// Reads the brace of a message, and `jsonrpc`, `id` and the name `result` behind it where they stand as usual. Returns
    /// the index behind that.
    mutating func scanBeginning(_ piece: Span<UInt8>, from start: Int, isLast: Bool) -> Int {
        mode = .nameOrEnd
        var index = start &+ 1
        guard piece.count &- index >= 64 else { return index }
        if piece.word(at: index) == UInt64(ascii: "\"jsonrpc"),
            piece.word(at: index &+ 8) == UInt64(ascii: "\":\"2.0\",")
        {
            index &+= 16
        }
        if piece.word(at: index) & 0xFF_FFFF_FFFF == UInt64(ascii: "\"id\":\0\0\0") {
            var end = index &+ 5
            while piece[end].isDigit, end &- index < 24 { end &+= 1 }
            if piece[end] == UInt8(ascii: ","), end &- index > 5 { index = end &+ 1 }
        }
        if piece.word(at: index) == UInt64(ascii: "\"result\""), piece[index &+ 8] == UInt8(ascii: ":"),
            piece[index &+ 9] == UInt8(ascii: "{")
        {
            index &+= 10
            scope = .result
            let isShort = piece.count &- index <= Self.maximumWholeBytes
            if isShort, isLast || line != .none, isPlainResult(piece, from: index) { decide(.result) }
        }
        return index
    }

    /// Longer results are mostly strings, over which the walk is faster.
    private static var maximumWholeBytes: Int { 4_096 }

    /// Whether the rest of a message, which begins within its result, is here up to its end and has neither an `isError`
    /// that is not false nor an `input_required`, at whatever depth. Where that is so nothing need be known of depths. That
    /// the message is well-formed is not checked, only that its last byte is a brace.
    private func isPlainResult(_ piece: Span<UInt8>, from start: Int) -> Bool {
        var index = start
        while true {
            index = piece.resultMark(from: index)
            guard index < piece.count else { return line == .none && piece.endsWithBrace(before: index, after: start) }
            switch piece[index] {
            case UInt8(ascii: "E"):
                if piece.has("\"isError\"", at: index &- 3), !piece.has(":false", at: index &+ 6) { return false }
            case UInt8(ascii: "q"):
                if piece.has("\"input_required\"", at: index &- 9) { return false }
            default:
                guard line != .none else { break }
                return piece.endsWithBrace(before: index, after: start) && piece.isBlankLineNext(from: index)
            }
            index &+= 1
        }
    }
}

extension Span where Element == UInt8 {
    /// The index of the next `E`, `q` or control character, or `count`.
    fileprivate func resultMark(from offset: Int) -> Int {
        var index = offset
        while count &- index >= 64,
            !hasControl(or: UInt8(ascii: "E"), or: UInt8(ascii: "q"), inBlockAt: index)
        { index &+= 64 }
        while count &- index >= 8 {
            let word = word(at: index)
            let found =
                WordScan.first(UInt8(ascii: "E"), in: word) | WordScan.first(UInt8(ascii: "q"), in: word)
                | WordScan.first(below: 0x20, in: word)
            if found != 0 { return index &+ WordScan.index(of: found) }
            index &+= 8
        }
        while index < count {
            let byte = self[index]
            if byte < 0x20 || byte == UInt8(ascii: "E") || byte == UInt8(ascii: "q") { return index }
            index &+= 1
        }
        return index
    }

    /// Whether the last byte before `end` that is no white space is a closing brace.
    fileprivate func endsWithBrace(before end: Int, after start: Int) -> Bool {
        var index = end
        while index > start, self[index &- 1] <= 0x20 { index &-= 1 }
        return index > start && self[index &- 1] == UInt8(ascii: "}")
    }

    /// Whether a blank line follows the line end at `offset`, which may be any of the three.
    fileprivate func isBlankLineNext(from offset: Int) -> Bool {
        guard self[offset] == 0x0D || self[offset] == 0x0A else { return false }
        let isPair = self[offset] == 0x0D && offset &+ 1 < count && self[offset &+ 1] == 0x0A
        let next = offset &+ (isPair ? 2 : 1)
        return next < count && (self[next] == 0x0A || self[next] == 0x0D)
    }
}
