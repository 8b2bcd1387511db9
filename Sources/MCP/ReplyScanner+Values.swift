import ASCII

/// Values of which nothing counts.
extension ReplyScanner {
    /// Skips the rest of a string, or the part of it that is there.
    mutating func scanString(_ piece: Span<UInt8>, from start: Int) -> Int {
        var index = start
        if isEscaped, index < piece.count, piece[index] >= 0x20 { index &+= 1 }
        let end = piece.stringEnd(from: index)
        guard end < piece.count else {
            isEscaped = piece.isEscaped(end, since: index) || (isEscaped && index == start)
            return end
        }
        isEscaped = false
        guard piece[end] == UInt8(ascii: "\"") else {
            giveUp()
            return end
        }
        mode = depth > 0 ? .nested : .commaOrEnd
        return end &+ 1
    }

    /// Skips what is nested, or the part of it that is there.
    mutating func scanNested(_ piece: Span<UInt8>, from start: Int) -> Int {
        var index = start
        var open = depth
        while index < piece.count {
            let byte = piece[index]
            index &+= 1
            switch byte {
            case UInt8(ascii: "\""):
                let end = piece.stringEnd(from: index)
                guard end < piece.count, piece[end] == UInt8(ascii: "\"") else {
                    (mode, depth) = (.string, open)
                    return scanString(piece, from: index)
                }
                index = end &+ 1
            case UInt8(ascii: ","), UInt8(ascii: ":"): break
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                guard open < .max else {
                    giveUp()
                    return index
                }
                open &+= 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                open &-= 1
                if open == 0 {
                    (mode, depth) = (.commaOrEnd, 0)
                    return index
                }
            case 0x0A where line != .none, 0x0D where line != .none:
                depth = open
                return index &- 1
            default: index = piece.nestedSpecial(from: index)
            }
        }
        depth = open
        return index
    }
}

extension Span where Element == UInt8 {
    /// The index of the next quote, bracket, brace or control character, or of one of the last bytes before it.
    @inline(__always)
    fileprivate func nestedSpecial(from offset: Int) -> Int {
        var index = offset
        while count &- index >= 8 {
            let found = WordScan.firstBracketQuoteOrControl(in: word(at: index))
            if found != 0 { return index &+ WordScan.index(of: found) }
            index &+= 8
        }
        return index
    }
}

// MARK: - The code of an error

extension ReplyScanner {
    mutating func beginCode(_ byte: UInt8) {
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

    mutating func scanCode(_ piece: Span<UInt8>, from start: Int) -> Int {
        var index = start
        while index < piece.count, piece[index].isDigit {
            appendToCode(piece[index])
            index &+= 1
        }
        if index < piece.count { endCode() }
        return index
    }

    mutating func endCode() { decide(.error) }
}
