import ASCII

/// The members of a message.
extension ReplyScanner {
    /// Reads a message, or the part of it that is there, up to the end of its line in an event stream. Returns the index of
    /// the first byte that was not read.
    mutating func scanMessage(_ piece: Span<UInt8>, from start: Int, isLast: Bool = false) -> Int {
        var index = start
        while index < piece.count, mode != .ended {
            let byte = piece[index]
            if byte < 0x20, line != .none, byte == 0x0A || byte == 0x0D {
                endLine()
                return index
            }
            switch mode {
            case .message where byte == UInt8(ascii: "{"):
                index = scanBeginning(piece, from: index, isLast: isLast)
            case .nameOrEnd where byte == UInt8(ascii: "\""): index = scanMembers(piece, from: index)
            case .name, .resultType: index = scanWord(piece, from: index)
            case .string: index = scanString(piece, from: index)
            case .nested: index = scanNested(piece, from: index)
            case .code: index = scanCode(piece, from: index)
            case .message, .nameOrEnd, .colon, .value, .commaOrEnd, .ended:
                index &+= 1
                if byte > 0x20 { scanStructure(byte) }
            }
        }
        if mode == .ended, line != .none { line = .ignored }
        return index
    }

    /// A byte outside of strings and numbers that count.
    private mutating func scanStructure(_ byte: UInt8) {
        switch mode {
        case .message: giveUp(isBatch: byte == UInt8(ascii: "["))
        case .nameOrEnd:
            switch byte {
            case UInt8(ascii: "}"): endObject()
            default: giveUp()
            }
        case .colon:
            if byte == UInt8(ascii: ":") { mode = .value } else { giveUp() }
        case .value: beginValue(byte)
        case .commaOrEnd:
            switch byte {
            case UInt8(ascii: ","): mode = .nameOrEnd
            case UInt8(ascii: "}"): endObject()
            case UInt8(ascii: "\""), UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "]"): giveUp()
            // What is left of a number or a literal.
            default: break
            }
        case .name, .resultType, .string, .code, .nested, .ended: break
        }
    }

    /// The first byte of a member's value.
    private mutating func beginValue(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""):
            word = WordPair()
            mode = member == .resultType ? .resultType : .string
        case UInt8(ascii: "{") where member == .result:
            (mode, scope) = (.nameOrEnd, .result)
            return
        case UInt8(ascii: "{") where member == .error:
            (mode, scope) = (.nameOrEnd, .error)
            return
        case UInt8(ascii: "{"), UInt8(ascii: "["): (mode, depth) = (.nested, 1)
        case UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ","), UInt8(ascii: ":"): return giveUp()
        default: mode = .commaOrEnd
        }
        switch member {
        case .method: endWithoutAnswer()
        case .result where byte == UInt8(ascii: "n"): found.insert(.nullResult)
        case .result: decide(.result)
        case .error where byte != UInt8(ascii: "n"): decide(.error)
        case .isError where byte == UInt8(ascii: "t"): decide([.result, .isError])
        case .isError where byte == UInt8(ascii: "f"): decide(.result)
        case .code: beginCode(byte)
        case .other, .error, .isError, .resultType: break
        }
    }

    /// The message is a notification or a request.
    private mutating func endWithoutAnswer() {
        if line == .none { decide([]) } else { mode = .ended }
    }

    /// The object whose members are read has ended.
    private mutating func endObject() {
        switch scope {
        case .result: decide(.result)
        case .error: decide(.error)
        case .message where found.contains(.nullResult): decide(.result)
        case .message: endWithoutAnswer()
        }
    }

    /// The end of a line of data. It is white space, which no string may contain.
    private mutating func endLine() {
        switch mode {
        case .name, .resultType, .string: giveUp()
        case .code: endCode()
        case .message, .nameOrEnd, .colon, .value, .commaOrEnd, .nested, .ended: break
        }
    }

    /// The text is no message.
    mutating func giveUp(isBatch: Bool = false) {
        if line == .none { return decide(.unknown) }
        if isBatch { found.insert(.unknown) }
        mode = .ended
    }

    /// Nothing more can be found in this message, and nothing behind it counts.
    mutating func decide(_ finding: Findings) {
        found.formUnion(finding.union(.decided))
        mode = .ended
    }
}
