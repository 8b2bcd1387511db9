import ASCII

/// The members of a message.
extension ReplyScanner {
    /// Reads a message, or the part of it that is there, up to the end of its line in an event stream. Returns the index of
    /// the first byte that was not read.
    mutating func scanMessage(_ piece: Span<UInt8>, from start: Int) -> Int {
        var index = start
        while index < piece.count, mode != .ended {
            let byte = piece[index]
            if byte < 0x20, line != .none, byte == 0x0A || byte == 0x0D {
                endLine()
                return index
            }
            switch mode {
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
        case .message:
            if byte == UInt8(ascii: "{") { mode = .nameOrEnd } else { giveUp(isBatch: byte == UInt8(ascii: "[")) }
        case .nameOrEnd:
            switch byte {
            case UInt8(ascii: "\""): (mode, word) = (.name, WordPair())
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
        case .result where byte == UInt8(ascii: "n"): found.insert(.nullResult)
        case .result: decide(.result)
        case .error where byte != UInt8(ascii: "n"): decide(.error)
        case .isError where byte == UInt8(ascii: "t"): decide([.result, .isError])
        case .isError where byte == UInt8(ascii: "f"): decide(.result)
        case .code: beginCode(byte)
        case .other, .error, .isError, .resultType: break
        }
    }

    /// The object whose members are read has ended.
    private mutating func endObject() {
        switch scope {
        case .result: decide(.result)
        case .error: decide(.error)
        case .message where found.contains(.nullResult): decide(.result)
        case .message: mode = .ended
        }
        if scope == .message, line == .none { decide([]) }
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

// MARK: - Strings and what is nested

extension ReplyScanner {
    /// Reads a name or the value of `resultType`, or the part of it that is there.
    private mutating func scanWord(_ piece: Span<UInt8>, from start: Int) -> Int {
        var index = start
        if word.count == 0, piece.count &- index >= 16 {
            // Nearly all names are whole and have at most 15 bytes.
            let low = piece.word(at: index)
            let length = WordScan.index(of: WordScan.firstStringSpecial(in: low))
            if length < 8, piece[index &+ length] == UInt8(ascii: "\"") {
                word.low = low & ((1 &<< UInt64(length &* 8)) &- 1)
                word.count = UInt8(truncatingIfNeeded: length)
                return endWord(piece, index &+ length)
            }
        }
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
            member = memberNamed()
            mode = .colon
        }
        return index &+ 1
    }

    private func memberNamed() -> Member {
        switch scope {
        case .message:
            word.equals("result\0\0", count: 6) ? .result : word.equals("error\0\0\0", count: 5) ? .error : .other
        case .result: word.equals("isError\0", count: 7) ? .isError : word.isResultType ? .resultType : .other
        case .error: word.equals("code\0\0\0\0", count: 4) ? .code : .other
        }
    }

    /// Skips the rest of a string, or the part of it that is there.
    private mutating func scanString(_ piece: Span<UInt8>, from start: Int) -> Int {
        var index = start
        if isEscaped, index < piece.count {
            isEscaped = false
            if piece[index] >= 0x20 { index &+= 1 }
        }
        while true {
            index = piece.stringSpecial(from: index)
            guard index < piece.count else { return index }
            switch piece[index] {
            case UInt8(ascii: "\""):
                mode = depth > 0 ? .nested : .commaOrEnd
                return index &+ 1
            case UInt8(ascii: "\\"):
                index &+= 1
                guard index < piece.count else {
                    isEscaped = true
                    return index
                }
                if piece[index] >= 0x20 { index &+= 1 }
            default:
                giveUp()
                return index
            }
        }
    }

    /// Skips what is nested, or the part of it that is there.
    private mutating func scanNested(_ piece: Span<UInt8>, from start: Int) -> Int {
        var index = start
        while index < piece.count {
            let byte = piece[index]
            switch byte {
            case UInt8(ascii: "\""):
                mode = .string
                index = scanString(piece, from: index &+ 1)
                if mode != .nested { return index }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                guard depth < .max else {
                    giveUp()
                    return index
                }
                depth &+= 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth &-= 1
                if depth == 0 {
                    mode = .commaOrEnd
                    return index &+ 1
                }
            case 0x0A where line != .none, 0x0D where line != .none: return index
            default: break
            }
            index &+= 1
        }
        return index
    }
}

// MARK: - The code of an error

extension ReplyScanner {
    private mutating func beginCode(_ byte: UInt8) {
        (code, isNegative) = (0, byte == UInt8(ascii: "-"))
        guard isNegative || byte.isDigit else { return }
        mode = .code
        appendToCode(byte)
    }

    private mutating func appendToCode(_ byte: UInt8) {
        guard byte.isDigit else { return }
        let (product, overflow) = code.multipliedReportingOverflow(by: 10)
        let digit = isNegative ? -Int32(byte &- 48) : Int32(byte &- 48)
        let (sum, carry) = product.addingReportingOverflow(digit)
        code = overflow || carry ? (isNegative ? .min : .max) : sum
    }

    private mutating func scanCode(_ piece: Span<UInt8>, from start: Int) -> Int {
        var index = start
        while index < piece.count, piece[index].isDigit {
            appendToCode(piece[index])
            index &+= 1
        }
        if index < piece.count { endCode() }
        return index
    }

    private mutating func endCode() { decide(.error) }
}

extension WordPair {
    var isResultType: Bool { count == 10 && low == UInt64(ascii: "resultTy") && high == 0x6570 }
    var isInputRequired: Bool {
        count == 14 && low == UInt64(ascii: "input_re") && high == UInt64(ascii: "quired\0\0")
    }
}
