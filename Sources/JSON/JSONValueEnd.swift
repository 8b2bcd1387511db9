import ASCII

/// Steps over values of a text that is at hand as a whole, several times faster than token by token.
///
/// What is stepped over is checked as `JSONScanner` checks it. Of anything that is not well-formed, whole and nested up to
/// 64 deep nothing is said: the caller asks the scanner.
extension Span where Element == UInt8 {
    /// The index of the first byte from `offset` on that is no white space, or `count`.
    @inlinable
    @inline(__always)
    public func spaceEnd(from offset: Int) -> Int {
        offset < count && self[offset] <= 0x20 ? longSpaceEnd(from: offset) : offset
    }

    @inline(never)
    @usableFromInline
    func longSpaceEnd(from offset: Int) -> Int {
        var index = offset
        while index < count, self[index].isSpace {
            index &+= 1
            while count &- index >= 8, word(at: index) == 0x2020_2020_2020_2020 { index &+= 8 }
        }
        return index
    }

    /// The index behind the string whose opening quote stands before `offset`; nil if it is not well-formed, or cut off.
    @inline(__always)
    func stringEndChecked(from offset: Int) -> Int? {
        guard count &- offset >= 16 else { return longStringEndChecked(from: offset) }
        let first = WordScan.firstStringSpecial(in: word(at: offset))
        let second = first != 0 ? first : WordScan.firstStringSpecial(in: word(at: offset &+ 8))
        let end = offset &+ (first != 0 ? 0 : 8) &+ WordScan.index(of: second)
        guard second != 0, self[end] == UInt8(ascii: "\"") else { return longStringEndChecked(from: offset) }
        return end &+ 1
    }

    @inline(never)
    private func longStringEndChecked(from offset: Int) -> Int? {
        var index = offset
        while true {
            index = stringSpecial(from: index)
            guard index < count else { return nil }
            switch self[index] {
            case UInt8(ascii: "\""): return index &+ 1
            case UInt8(ascii: "\\"):
                guard let end = escapeEnd(from: index &+ 1) else { return nil }
                index = end
            default: return nil
            }
        }
    }

    /// The index behind an escape whose backslash stands before `offset` (RFC 8259 section 7).
    private func escapeEnd(from offset: Int) -> Int? {
        guard offset < count else { return nil }
        switch self[offset] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return offset &+ 1
        case UInt8(ascii: "u"):
            guard count &- offset >= 5 else { return nil }
            for index in (offset &+ 1)..<(offset &+ 5) where self[index].hexadecimalValue == nil { return nil }
            return offset &+ 5
        default: return nil
        }
    }

    /// The index behind the value that begins at `offset`, where no white space stands.
    @inline(never)
    public func valueEnd(from offset: Int) -> Int? {
        guard offset < count else { return nil }
        switch self[offset] {
        case UInt8(ascii: "\""): return stringEndChecked(from: offset &+ 1)
        case UInt8(ascii: "{"), UInt8(ascii: "["): return containerEnd(from: offset)
        default: return scalarEnd(from: offset)
        }
    }

    private func containerEnd(from offset: Int) -> Int? {
        var index = offset
        var open = OpenContainers()
        while index < count {
            switch self[index] {
            case UInt8(ascii: "\""):
                guard let end = stringEndChecked(from: index &+ 1) else { return nil }
                index = end
            case UInt8(ascii: "{"):
                guard open.push(isObject: true) else { return nil }
                index = spaceEnd(from: index &+ 1)
                guard index < count else { return nil }
                if self[index] != UInt8(ascii: "}") {
                    guard let value = memberValue(from: index) else { return nil }
                    index = value
                    continue
                }
                open.pop()
                index &+= 1
            case UInt8(ascii: "["):
                guard open.push(isObject: false) else { return nil }
                index = spaceEnd(from: index &+ 1)
                guard index < count else { return nil }
                if self[index] != UInt8(ascii: "]") { continue }
                open.pop()
                index &+= 1
            default:
                guard let end = scalarEnd(from: index) else { return nil }
                index = end
            }
            guard let next = nextValue(from: index, &open) else { return nil }
            if open.isEmpty { return next }
            index = next
        }
        return nil
    }

    /// Steps behind a value, over what is closed and over a comma, to where the next value begins; or only over what is
    /// closed, if that is everything.
    @inline(__always)
    private func nextValue(from offset: Int, _ open: inout OpenContainers) -> Int? {
        var index = offset
        while !open.isEmpty {
            index = spaceEnd(from: index)
            guard index < count else { return nil }
            let byte = self[index]
            index &+= 1
            if byte == UInt8(ascii: ",") {
                index = spaceEnd(from: index)
                return open.isInObject ? memberValue(from: index) : index
            }
            guard byte == (open.isInObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else { return nil }
            open.pop()
        }
        return index
    }

    /// Where the value of the member begins whose name begins at `offset`.
    @inline(__always)
    private func memberValue(from offset: Int) -> Int? {
        guard offset < count, self[offset] == UInt8(ascii: "\""), let end = stringEndChecked(from: offset &+ 1) else {
            return nil
        }
        let colon = spaceEnd(from: end)
        guard colon < count, self[colon] == UInt8(ascii: ":") else { return nil }
        return spaceEnd(from: colon &+ 1)
    }

    /// The index behind a number or a literal. A number that ends the text may go on, so nothing is said of it.
    private func scalarEnd(from offset: Int) -> Int? {
        switch self[offset] {
        case UInt8(ascii: "t"): return has("true", at: offset) ? offset &+ 4 : nil
        case UInt8(ascii: "f"): return has("false", at: offset) ? offset &+ 5 : nil
        case UInt8(ascii: "n"): return has("null", at: offset) ? offset &+ 4 : nil
        case UInt8(ascii: "1")...UInt8(ascii: "9"):
            var index = offset &+ 1
            while index < count, self[index].isDigit { index &+= 1 }
            guard index < count, !self[index].continuesInteger else { return numberEnd(from: offset) }
            return index
        default: return numberEnd(from: offset)
        }
    }

    private func numberEnd(from offset: Int) -> Int? {
        var part = JSONScanner.Part.numberStart
        var index = offset
        while index < count {
            guard let following = part.after(self[index]) else { return part.isWholeNumber ? index : nil }
            part = following
            index &+= 1
        }
        return nil
    }
}

/// The objects and arrays that are open, up to 64.
private struct OpenContainers {
    /// One bit for each, the innermost the lowest: set for an object.
    private var objects: UInt64 = 0
    private var count: UInt8 = 0

    var isEmpty: Bool { count == 0 }
    var isInObject: Bool { objects & 1 != 0 }

    @inline(__always)
    mutating func push(isObject: Bool) -> Bool {
        guard count < 64 else { return false }
        count &+= 1
        objects = objects &<< 1 | (isObject ? 1 : 0)
        return true
    }

    @inline(__always)
    mutating func pop() {
        count &-= 1
        objects = objects &>> 1
    }
}

extension UInt8 {
    @inline(__always)
    fileprivate var isSpace: Bool { self == 0x20 || self == 0x0A || self == 0x0D || self == 0x09 }
    @inline(__always)
    fileprivate var continuesInteger: Bool {
        self == UInt8(ascii: ".") || self == UInt8(ascii: "e") || self == UInt8(ascii: "E")
    }
}
