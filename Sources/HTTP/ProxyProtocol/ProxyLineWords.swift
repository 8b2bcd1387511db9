import ASCII

/// Reads the words of a version 1 line, which are separated by one space each (PROXY protocol section 2.1).
struct ProxyLineWords: ~Escapable {
    private let bytes: Span<UInt8>
    private var position = 0

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>) {
        self.bytes = bytes
    }

    var isAtEnd: Bool { position == bytes.count + 1 }

    /// The next word; empty if there is none.
    mutating func next() -> Range<Int> {
        guard position < bytes.count else { return 0..<0 }
        var end = position
        while end < bytes.count, bytes[end] != 0x20 { end += 1 }
        defer { position = end + 1 }
        return position..<end
    }

    func equals(_ word: Range<Int>, _ text: StaticString) -> Bool {
        bytes.extracting(word).equals(text)
    }

    /// Parses a port: digits without a leading zero, at most 65535.
    func port(_ word: Range<Int>) -> UInt16? {
        guard (1...5).contains(word.count), bytes[word.lowerBound] != 0x30 || word.count == 1 else { return nil }
        var value = 0
        for index in word {
            guard bytes[index].isDigit else { return nil }
            value = value * 10 + Int(bytes[index] &- 0x30)
        }
        return UInt16(exactly: value)
    }

    /// Parses an address of the given family; nil if it is malformed.
    func address(_ word: Range<Int>, _ isIPv4: Bool) -> (high: UInt64, low: UInt64)? {
        isIPv4 ? bytes.ipv4(word).map { (0, 0xffff_0000_0000 | $0) } : bytes.ipv6(word)
    }
}
