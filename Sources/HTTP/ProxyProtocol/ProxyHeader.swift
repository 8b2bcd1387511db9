import ASCII

/// The header of the PROXY protocol, versions 1 and 2, with which a proxy that forwards bytes names its client
/// (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt).
package enum ProxyHeader: Equatable, Sendable {
    /// The bytes may begin a header; more are needed.
    case incomplete
    /// The bytes are no valid header.
    case invalid
    /// A header of `length` bytes. The source is nil if the connection is the proxy's own (LOCAL, as in a health check)
    /// or the client's address is unknown (UNKNOWN).
    case complete(length: Int, source: Source?)

    /// A client's IP address and port. IPv4 addresses are stored as ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2).
    package struct Source: Equatable, Sendable {
        /// The first 64 bits of the address.
        package var high: UInt64
        /// The last 64 bits of the address.
        package var low: UInt64
        /// The port.
        package var port: UInt16
        /// Whether the address is an IPv4 address.
        package var isIPv4: Bool
        /// Whether the client speaks TLS with the proxy (PP2_TYPE_SSL, version 2 only).
        package var usesTLS: Bool

        /// Stores all five.
        package init(high: UInt64, low: UInt64, port: UInt16, isIPv4: Bool, usesTLS: Bool = false) {
            self.high = high
            self.low = low
            self.port = port
            self.isIPv4 = isIPv4
            self.usesTLS = usesTLS
        }
    }

    /// The longest line of version 1 in bytes, CRLF included (PROXY protocol section 2.1).
    package static var maximumLineBytes: Int { 107 }
    /// The most bytes accepted after the first 16 of version 2. Addresses and all known extensions are much shorter.
    package static var maximumPayloadBytes: Int { 2_048 }

    private static let signature: InlineArray<12, UInt8> = [
        0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
    ]

    private static let lineStart = Array("PROXY ".utf8)

    /// Parses the header at the front of `bytes`. Decides at the first invalid byte.
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
            // Version 2; only LOCAL and PROXY are defined.
            guard bytes[12] == 0x20 || bytes[12] == 0x21 else { return .invalid }
        }
        guard bytes.count >= 16 else { return .incomplete }
        let rest = Int(bytes[14]) << 8 | Int(bytes[15])
        guard rest <= maximumPayloadBytes else { return .invalid }
        let isLocal = bytes[12] == 0x20
        let needed: Int
        switch bytes[13] {
        case 0x11: needed = 12
        case 0x21: needed = 36
        // Unspecified, datagrams and Unix sockets: the source is unknown.
        case 0x00, 0x12, 0x22, 0x31, 0x32: needed = -1
        default: return .invalid
        }
        // The addresses of a LOCAL header are skipped (PROXY protocol section 2.2).
        guard isLocal || needed < 0 || rest >= needed else { return .invalid }
        guard bytes.count >= 16 + rest else { return .incomplete }
        guard !isLocal, needed > 0 else { return .complete(length: 16 + rest, source: nil) }
        var source: Source
        if needed == 12 {
            source = Source(
                high: 0, low: 0xffff_0000_0000 | number(bytes, at: 16, count: 4), port: port(bytes, at: 24),
                isIPv4: true)
        } else {
            source = ipv6Source(
                number(bytes, at: 16, count: 8), number(bytes, at: 24, count: 8), port: port(bytes, at: 48))
        }
        source.usesTLS = saysTLS(bytes, 16 + needed..<16 + rest)
        return .complete(length: 16 + rest, source: source)
    }

    /// Whether the extensions say that the client speaks TLS: PP2_TYPE_SSL with PP2_CLIENT_SSL among its flags (PROXY
    /// protocol section 2.2.5). Each extension is a type, a length in two bytes and so many bytes; what does not fit is
    /// ignored with all that follows.
    private static func saysTLS(_ bytes: Span<UInt8>, _ extensions: Range<Int>) -> Bool {
        var start = extensions.lowerBound
        while extensions.upperBound - start >= 3 {
            let length = Int(bytes[start + 1]) << 8 | Int(bytes[start + 2])
            let value = start + 3
            guard length <= extensions.upperBound - value else { return false }
            // One byte of flags, four of the result of verification.
            if bytes[start] == 0x20, length >= 5 { return bytes[value] & 1 != 0 }
            start = value + length
        }
        return false
    }

    private static func number(_ bytes: Span<UInt8>, at start: Int, count: Int) -> UInt64 {
        var value: UInt64 = 0
        for index in start..<start + count { value = value << 8 | UInt64(bytes[index]) }
        return value
    }

    private static func port(_ bytes: Span<UInt8>, at start: Int) -> UInt16 {
        UInt16(bytes[start]) << 8 | UInt16(bytes[start + 1])
    }

    /// A source with an IPv6 address. A dual-stack listener reports an IPv4 client as ::ffff:a.b.c.d.
    private static func ipv6Source(_ high: UInt64, _ low: UInt64, port: UInt16) -> Source {
        Source(high: high, low: low, port: port, isIPv4: high == 0 && low >> 32 == 0xffff)
    }

    // MARK: - Version 1

    private static func line(_ bytes: Span<UInt8>) -> ProxyHeader {
        for index in 0..<min(6, bytes.count) where bytes[index] != lineStart[index] { return .invalid }
        var end = 6
        while end < bytes.count, end < maximumLineBytes - 1, bytes[end] != 0x0d {
            guard bytes[end] >= 0x20, bytes[end] < 0x7f else { return .invalid }
            end += 1
        }
        guard end < maximumLineBytes - 1 else { return .invalid }
        guard end + 1 < bytes.count else { return .incomplete }
        guard bytes[end + 1] == 0x0a else { return .invalid }
        var words = ProxyLineWords(bytes.extracting(6..<end))
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
                : ipv6Source(source.high, source.low, port: port))
    }
}
