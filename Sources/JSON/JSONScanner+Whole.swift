import ASCII

/// The same steps over a text that is at hand as a whole, or its beginning. Each reads what it says if that is there and
/// well-formed; else it reads nothing, and `next` says what is wrong.
extension JSONScanner {
    /// Steps over white space to what comes next, if neither a colon nor a comma has to come before it; its first byte.
    @inline(__always)
    mutating func peekWhole(in text: Span<UInt8>) -> UInt8? {
        switch expected {
        case .value, .elementOrEnd, .nameOrEnd, .name: break
        case .colon, .commaOrEnd, .nothing, .failed: return nil
        }
        guard part == .none else { return nil }
        position = text.spaceEnd(from: position)
        return position < text.count ? text[position] : nil
    }

    /// Reads the name of a member, the comma before it and the colon behind it.
    mutating func nextWholeName(in text: Span<UInt8>) -> Range<Int>? {
        var index = text.spaceEnd(from: position)
        guard part == .none, index < text.count else { return nil }
        switch expected {
        case .nameOrEnd, .name: break
        case .commaOrEnd where isInObject && text[index] == UInt8(ascii: ","): index = text.spaceEnd(from: index &+ 1)
        case .commaOrEnd, .value, .elementOrEnd, .colon, .nothing, .failed: return nil
        }
        guard index < text.count, text[index] == UInt8(ascii: "\""), let end = text.stringEndChecked(from: index &+ 1)
        else {
            return nil
        }
        let colon = text.spaceEnd(from: end)
        guard colon < text.count, text[colon] == UInt8(ascii: ":") else { return nil }
        position = colon &+ 1
        expected = .value
        return (index &+ 1)..<(end &- 1)
    }

    /// Reads a value of any kind, and gives out where it stands.
    mutating func nextWholeValue(in text: Span<UInt8>) -> Range<Int>? {
        guard part == .none, expected == .value || expected == .elementOrEnd, depth <= Self.maximumDepth &- 64 else {
            return nil
        }
        let start = text.spaceEnd(from: position)
        guard let end = text.valueEnd(from: start) else { return nil }
        position = end
        expected = depth == 0 ? .nothing : .commaOrEnd
        return start..<end
    }
}
