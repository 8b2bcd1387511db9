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
        isIPv4 ? ipv4(word).map { (0, 0xffff_0000_0000 | $0) } : ipv6(word)
    }

    /// Parses four decimal octets without leading zeros.
    private func ipv4(_ word: Range<Int>) -> UInt64? {
        var value: UInt64 = 0
        var octet = -1
        var octets = 0
        for index in word {
            if bytes[index] == UInt8(ascii: ".") {
                guard octet >= 0, octets < 3 else { return nil }
                value = value << 8 | UInt64(octet)
                octets += 1
                octet = -1
                continue
            }
            let digit = bytes[index] &- 0x30
            guard digit < 10, octet != 0 else { return nil }
            octet = max(octet, 0) * 10 + Int(digit)
            guard octet < 256 else { return nil }
        }
        guard octets == 3, octet >= 0 else { return nil }
        return value << 8 | UInt64(octet)
    }

    /// Parses an IPv6 address (RFC 4291 section 2.2), in all three forms.
    private func ipv6(_ word: Range<Int>) -> (high: UInt64, low: UInt64)? {
        var groups = InlineArray<8, UInt16>(repeating: 0)
        var count = 0
        var gap = -1
        var index = word.lowerBound
        if word.count >= 2, bytes[index] == 0x3a {
            guard bytes[index + 1] == 0x3a else { return nil }
            gap = 0
            index += 2
        }
        while index < word.upperBound {
            guard count < 8 else { return nil }
            var end = index
            while end < word.upperBound, bytes[end] != 0x3a { end += 1 }
            if let dotted = ipv4(index..<end), end == word.upperBound {
                guard count <= 6 else { return nil }
                groups[count] = UInt16(dotted >> 16)
                groups[count + 1] = UInt16(dotted & 0xffff)
                count += 2
                break
            }
            guard let group = hexadecimal(index..<end) else { return nil }
            groups[count] = group
            count += 1
            guard end < word.upperBound else { break }
            index = end + 1
            guard index < word.upperBound else { return nil }
            if bytes[index] == 0x3a {
                guard gap < 0 else { return nil }
                gap = count
                index += 1
            }
        }
        guard gap < 0 ? count == 8 : count < 8 else { return nil }
        return expand(groups, count, gap)
    }

    /// Inserts the zero groups that `::` stands for; `gap` is its position, negative if there is none.
    private func expand(_ groups: InlineArray<8, UInt16>, _ count: Int, _ gap: Int) -> (high: UInt64, low: UInt64) {
        var halves: (UInt64, UInt64) = (0, 0)
        for position in 0..<8 {
            var value: UInt16 = 0
            if gap < 0 || position < gap {
                value = groups[position]
            } else if position >= 8 - (count - gap) {
                value = groups[position - (8 - count)]
            }
            if position < 4 {
                halves.0 = halves.0 << 16 | UInt64(value)
            } else {
                halves.1 = halves.1 << 16 | UInt64(value)
            }
        }
        return halves
    }

    private func hexadecimal(_ word: Range<Int>) -> UInt16? {
        guard (1...4).contains(word.count) else { return nil }
        var value: UInt16 = 0
        for index in word {
            guard let digit = bytes[index].hexadecimalValue else { return nil }
            value = value << 4 | UInt16(digit)
        }
        return value
    }
}
