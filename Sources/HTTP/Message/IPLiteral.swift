import ASCII

/// An IPv6 address as 128 bits.
package struct IPv6Literal: Equatable, Sendable {
    /// The first 64 bits.
    package var high: UInt64
    /// The last 64 bits.
    package var low: UInt64

    /// Parses `text[range]` without brackets, in all forms of RFC 4291 section 2.2; nil for anything else, zone
    /// identifiers included.
    package init?(_ text: Span<UInt8>, _ range: Range<Int>) {
        guard let halves = text.ipv6(range) else { return nil }
        (high, low) = halves
    }
}

/// An IPv4 address as 32 bits, the first octet the highest.
package struct IPv4Literal: Equatable, Sendable {
    /// The address.
    package var bits: UInt32

    /// Parses `text[range]`, four decimal octets without leading zeros; nil for anything else.
    package init?(_ text: Span<UInt8>, _ range: Range<Int>) {
        guard let value = text.ipv4(range) else { return nil }
        bits = UInt32(truncatingIfNeeded: value)
    }
}

/// Addresses in text. Ranges must lie within the span.
extension Span where Element == UInt8 {
    /// Parses four decimal octets without leading zeros.
    func ipv4(_ range: Range<Int>) -> UInt64? {
        var value: UInt64 = 0
        var octet = -1
        var octets = 0
        for index in range {
            if self[index] == UInt8(ascii: ".") {
                guard octet >= 0, octets < 3 else { return nil }
                value = value << 8 | UInt64(octet)
                octets += 1
                octet = -1
                continue
            }
            let digit = self[index] &- 0x30
            guard digit < 10, octet != 0 else { return nil }
            octet = Swift.max(octet, 0) * 10 + Int(digit)
            guard octet < 256 else { return nil }
        }
        guard octets == 3, octet >= 0 else { return nil }
        return value << 8 | UInt64(octet)
    }

    /// Parses an IPv6 address (RFC 4291 section 2.2), in all three forms.
    func ipv6(_ range: Range<Int>) -> (high: UInt64, low: UInt64)? {
        var groups = InlineArray<8, UInt16>(repeating: 0)
        var count = 0
        var gap = -1
        var index = range.lowerBound
        if range.count >= 2, self[index] == 0x3a {
            guard self[index + 1] == 0x3a else { return nil }
            gap = 0
            index += 2
        }
        while index < range.upperBound {
            guard count < 8 else { return nil }
            var end = index
            while end < range.upperBound, self[end] != 0x3a { end += 1 }
            if let dotted = ipv4(index..<end), end == range.upperBound {
                guard count <= 6 else { return nil }
                groups[count] = UInt16(dotted >> 16)
                groups[count + 1] = UInt16(dotted & 0xffff)
                count += 2
                break
            }
            guard let group = hexadecimalGroup(index..<end) else { return nil }
            groups[count] = group
            count += 1
            guard end < range.upperBound else { break }
            index = end + 1
            guard index < range.upperBound else { return nil }
            if self[index] == 0x3a {
                guard gap < 0 else { return nil }
                gap = count
                index += 1
            }
        }
        guard gap < 0 ? count == 8 : count < 8 else { return nil }
        return Self.expand(groups, count, gap)
    }

    /// Inserts the zero groups that `::` stands for; `gap` is its position, negative if there is none.
    private static func expand(
        _ groups: InlineArray<8, UInt16>, _ count: Int, _ gap: Int
    ) -> (high: UInt64, low: UInt64) {
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

    private func hexadecimalGroup(_ range: Range<Int>) -> UInt16? {
        guard (1...4).contains(range.count) else { return nil }
        var value: UInt16 = 0
        for index in range {
            guard let digit = self[index].hexadecimalValue else { return nil }
            value = value << 4 | UInt16(digit)
        }
        return value
    }
}
