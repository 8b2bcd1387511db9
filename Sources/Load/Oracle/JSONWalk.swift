import Reactor

/// Steps through one JSON text member by member. Reads structure, strings and brackets; does not judge numbers and
/// words, as no answer becomes untrue by those.
struct JSONWalk {
    private(set) var position: Int
    /// Something was not JSON; nothing that follows means anything.
    private(set) var hasFailed = false

    init(at position: Int = 0) { self.position = position }

    /// The next byte that is no white space; 0 at the end.
    @inline(__always)
    mutating func peek(_ text: Span<UInt8>) -> UInt8 {
        while position < text.count {
            let byte = text[position]
            if byte > 0x20 { return byte }
            position &+= 1
        }
        return 0
    }

    @inline(__always)
    mutating func take(_ byte: UInt8, _ text: Span<UInt8>) -> Bool {
        guard peek(text) == byte else { return false }
        position &+= 1
        return true
    }

    /// Whether nothing but white space is left.
    mutating func isAtEnd(_ text: Span<UInt8>) -> Bool {
        // Answers may be filled up to a length with hundreds of spaces.
        while text.count &- position >= 8, text.word(at: position) == 0x2020_2020_2020_2020 { position &+= 8 }
        _ = peek(text)
        return !hasFailed && position == text.count
    }

    /// Steps into an object if one comes next.
    mutating func openObject(_ text: Span<UInt8>) -> Bool { take(UInt8(ascii: "{"), text) }

    /// Steps into an array if one comes next.
    mutating func openArray(_ text: Span<UInt8>) -> Bool { take(UInt8(ascii: "["), text) }

    /// The next member's name, between its quotes, with its colon stepped over; nil at the object's end, which is
    /// stepped over.
    mutating func nextKey(_ text: Span<UInt8>) -> Range<Int>? {
        if hasFailed { return nil }
        if take(UInt8(ascii: "}"), text) { return nil }
        _ = take(UInt8(ascii: ","), text)
        guard let name = string(text), take(UInt8(ascii: ":"), text) else { return fail() }
        return name
    }

    /// Whether an element of the array follows; false at its end, which is stepped over.
    mutating func nextElement(_ text: Span<UInt8>) -> Bool {
        if hasFailed || take(UInt8(ascii: "]"), text) { return false }
        _ = take(UInt8(ascii: ","), text)
        return true
    }

    /// Steps over a string: what stands between its quotes, escapes as written.
    mutating func string(_ text: Span<UInt8>) -> Range<Int>? {
        guard take(UInt8(ascii: "\""), text) else { return fail() }
        let start = position
        while position < text.count {
            let byte = text[position]
            position &+= 1
            if byte == UInt8(ascii: "\"") { return start..<(position &- 1) }
            if byte == UInt8(ascii: "\\") { position &+= 1 }
        }
        return fail()
    }

    /// Steps over any value: the range it takes.
    mutating func value(_ text: Span<UInt8>) -> Range<Int> {
        let first = peek(text)
        let start = position
        switch first {
        case UInt8(ascii: "\""): _ = string(text)
        case UInt8(ascii: "{"), UInt8(ascii: "["): container(text)
        default: word(text)
        }
        return start..<Swift.min(position, text.count)
    }

    /// The value as a number in decimal digits; nil, and stepped over, if it is anything else.
    mutating func number(_ text: Span<UInt8>) -> UInt64? {
        let range = value(text)
        return text.extracting(range).decimal
    }

    private mutating func container(_ text: Span<UInt8>) {
        var depth = 0
        while position < text.count {
            let byte = text[position]
            switch byte {
            case UInt8(ascii: "\""):
                _ = string(text)
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth &+= 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth &-= 1
            default: break
            }
            position &+= 1
            if depth == 0 { return }
        }
        hasFailed = true
    }

    private mutating func word(_ text: Span<UInt8>) {
        let start = position
        while position < text.count {
            switch text[position] {
            case 0...0x20, UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ":"):
                if position == start { hasFailed = true }
                return
            default: position &+= 1
            }
        }
        if position == start { hasFailed = true }
    }

    private mutating func fail() -> Range<Int>? {
        hasFailed = true
        return nil
    }
}

extension Span<UInt8> {
    /// True if these bytes are exactly `text`.
    @inline(__always)
    func equals(_ text: StaticString) -> Bool {
        let length = text.utf8CodeUnitCount
        guard count == length else { return false }
        for index in 0..<length where self[index] != text.utf8Start[index] { return false }
        return true
    }

    /// True if the bytes of both are the same.
    @inline(__always)
    func equals(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in 0..<count where self[index] != other[index] { return false }
        return true
    }

    /// True if `text` stands at `offset`.
    @inline(__always)
    func has(_ text: StaticString, at offset: Int) -> Bool {
        let length = text.utf8CodeUnitCount
        guard offset >= 0, length <= count &- offset else { return false }
        for index in 0..<length where self[offset &+ index] != text.utf8Start[index] { return false }
        return true
    }

    /// The bytes as a number of 1 to 19 decimal digits; nil if they are anything else.
    var decimal: UInt64? {
        guard 1...19 ~= count else { return nil }
        var value: UInt64 = 0
        for index in 0..<count {
            let digit = self[index] &- 48
            guard digit < 10 else { return nil }
            value = value &* 10 &+ UInt64(digit)
        }
        return value
    }

    /// As text for people: at most so many bytes of it.
    func excerpt(_ limit: Int = 120) -> String {
        var bytes: [UInt8] = []
        for index in 0..<Swift.min(count, limit) { bytes.append(self[index]) }
        return String(decoding: bytes, as: UTF8.self) + (count > limit ? "…" : "")
    }
}
