import ASCII

/// The header of the PROXY protocol, versions 1 and 2: who the client is, said by a proxy that passes on bytes
/// (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt).
package enum ProxyHeader: Equatable, Sendable {
    /// More bytes are wanted, and those that are here may still become a header.
    case incomplete
    /// This is no header, or one that says what it must not.
    case invalid
    /// A header of so many bytes. The source is nil where the proxy speaks for itself (LOCAL, a health check) or does
    /// not know (UNKNOWN).
    case complete(length: Int, source: Source?)

    /// An IP address, in 128 bits as ::ffff:a.b.c.d for IPv4, and a port.
    package struct Source: Equatable, Sendable {
        package var high: UInt64
        package var low: UInt64
        package var port: UInt16
        package var isIPv4: Bool

        package init(high: UInt64, low: UInt64, port: UInt16, isIPv4: Bool) {
            self.high = high
            self.low = low
            self.port = port
            self.isIPv4 = isIPv4
        }
    }

    /// The longest line of version 1, CRLF included.
    package static var longestLine: Int { 107 }
    /// The most bytes taken after the 16 of version 2: addresses of any kind and all extensions known fit several
    /// times over.
    package static var longestRest: Int { 2_048 }

    private static let signature: InlineArray<12, UInt8> = [
        0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
    ]

    private static let lineStart = Array("PROXY ".utf8)

    /// Reads the header at the front of `bytes`. Decides at the first byte that cannot be one's.
    package init(_ bytes: Span<UInt8>) {
        guard bytes.count > 0 else {
            self = .incomplete
            return
        }
        self = bytes[0] == Self.signature[0] ? Self.binary(bytes) : Self.line(bytes)
    }

    // MARK: - Version 2

    private static func binary(_ bytes: Span<UInt8>) -> ProxyHeader {
        for index in 0..<min(12, bytes.count) where bytes[index] != signature[index] { return .invalid }
        if bytes.count > 12 {
            // Version 2; LOCAL or PROXY, nothing else is defined.
            guard bytes[12] == 0x20 || bytes[12] == 0x21 else { return .invalid }
        }
        guard bytes.count >= 16 else { return .incomplete }
        let rest = Int(bytes[14]) << 8 | Int(bytes[15])
        guard rest <= longestRest else { return .invalid }
        let isLocal = bytes[12] == 0x20
        let needed: Int
        switch bytes[13] {
        case 0x11: needed = 12
        case 0x21: needed = 36
        // Unspecified, and what does not come by a stream of IP: the connection is taken as the proxy's own.
        case 0x00, 0x12, 0x22, 0x31, 0x32: needed = -1
        default: return .invalid
        }
        // What LOCAL has for addresses is to be skipped unread.
        guard isLocal || needed < 0 || rest >= needed else { return .invalid }
        guard bytes.count >= 16 + rest else { return .incomplete }
        guard !isLocal, needed > 0 else { return .complete(length: 16 + rest, source: nil) }
        let source: Source
        if needed == 12 {
            source = Source(
                high: 0, low: 0xffff_0000_0000 | number(bytes, at: 16, count: 4), port: port(bytes, at: 24),
                isIPv4: true)
        } else {
            source = six(number(bytes, at: 16, count: 8), number(bytes, at: 24, count: 8), port: port(bytes, at: 48))
        }
        return .complete(length: 16 + rest, source: source)
    }

    private static func number(_ bytes: Span<UInt8>, at start: Int, count: Int) -> UInt64 {
        var value: UInt64 = 0
        for index in start..<start + count { value = value << 8 | UInt64(bytes[index]) }
        return value
    }

    private static func port(_ bytes: Span<UInt8>, at start: Int) -> UInt16 {
        UInt16(bytes[start]) << 8 | UInt16(bytes[start + 1])
    }

    /// ::ffff:a.b.c.d is how a dual-stack listener shows an IPv4 client.
    private static func six(_ high: UInt64, _ low: UInt64, port: UInt16) -> Source {
        Source(high: high, low: low, port: port, isIPv4: high == 0 && low >> 32 == 0xffff)
    }

    // MARK: - Version 1

    private static func line(_ bytes: Span<UInt8>) -> ProxyHeader {
        for index in 0..<min(6, bytes.count) where bytes[index] != lineStart[index] { return .invalid }
        var end = 6
        while end < bytes.count, end < longestLine - 1, bytes[end] != 0x0d {
            guard bytes[end] >= 0x20, bytes[end] < 0x7f else { return .invalid }
            end += 1
        }
        guard end < longestLine - 1 else { return .invalid }
        guard end + 1 < bytes.count else { return .incomplete }
        guard bytes[end + 1] == 0x0a else { return .invalid }
        var words = Words(bytes.extracting(6..<end))
        let family = words.next()
        if words.equals(family, "UNKNOWN") { return .complete(length: end + 2, source: nil) }
        let isIPv4 = words.equals(family, "TCP4")
        guard isIPv4 || words.equals(family, "TCP6") else { return .invalid }
        let (from, to, fromPort, toPort) = (words.next(), words.next(), words.next(), words.next())
        guard words.isAtEnd, let source = words.address(from, isIPv4), words.address(to, isIPv4) != nil,
            let port = words.port(fromPort), words.port(toPort) != nil
        else { return .invalid }
        return .complete(
            length: end + 2,
            source: isIPv4
                ? Source(high: source.high, low: source.low, port: port, isIPv4: true)
                : six(source.high, source.low, port: port))
    }
}

/// The words of a line of version 1: one blank between two, none else.
private struct Words: ~Escapable {
    private let bytes: Span<UInt8>
    private var position = 0

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>) {
        self.bytes = bytes
    }

    var isAtEnd: Bool { position == bytes.count + 1 }

    /// Empty if there is none.
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

    /// Digits without a leading zero, at most 65535.
    func port(_ word: Range<Int>) -> UInt16? {
        guard (1...5).contains(word.count), bytes[word.lowerBound] != 0x30 || word.count == 1 else { return nil }
        var value = 0
        for index in word {
            guard bytes[index].isDigit else { return nil }
            value = value * 10 + Int(bytes[index] &- 0x30)
        }
        return UInt16(exactly: value)
    }

    func address(_ word: Range<Int>, _ isIPv4: Bool) -> (high: UInt64, low: UInt64)? {
        isIPv4 ? four(word).map { (0, 0xffff_0000_0000 | $0) } : six(word)
    }

    private func four(_ word: Range<Int>) -> UInt64? {
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

    /// RFC 4291 section 2.2, forms 1 and 2, and 3 for its last 32 bits.
    private func six(_ word: Range<Int>) -> (high: UInt64, low: UInt64)? {
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
            if let dotted = four(index..<end), end == word.upperBound {
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
        return spread(groups, count, gap)
    }

    private func spread(_ groups: InlineArray<8, UInt16>, _ count: Int, _ gap: Int) -> (high: UInt64, low: UInt64) {
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
