import ASCII

/// An origin: scheme, host and port of the page that a request comes from, as the field `Origin` has it (RFC 6454 section 7).
///
/// Two are the same if these are, scheme and host without regard to case, and the default port said or not (section 5). A host
/// that is an IPv6 address may be spelled in many ways. Everything else is compared byte by byte: a name with the root's
/// dot is another host.
package struct WebOrigin: Sendable {
    /// Its serialisation (section 6.2): in lower case, without the default port; or `null`.
    package let text: [UInt8]
    private let parts: OriginParts?

    /// Parses the serialisation of one origin, or `null`; nil for anything else, a list of origins included.
    package init?(_ value: Span<UInt8>) {
        if value.equals("null") {
            text = Array("null".utf8)
            parts = nil
            return
        }
        guard let parts = OriginParts(value) else { return nil }
        let end = parts.hasDefaultPort ? parts.host.upperBound : value.count
        text = value.extracting(0..<end).copied.map(\.lowercased)
        self.parts = parts
    }

    /// Whether the value of a field `Origin` says this origin.
    package func matches(_ value: Span<UInt8>) -> Bool {
        guard let parts else { return value.equals("null") }
        guard let other = OriginParts(value), other.port == parts.port else { return false }
        let own = text.span
        guard own.extracting(parts.scheme).equalsIgnoringCase(value.extracting(other.scheme)) else { return false }
        if let address = parts.address { return address == other.address }
        return own.extracting(parts.host).equalsIgnoringCase(value.extracting(other.host))
    }
}

/// Where the parts of an origin stand in its text.
private struct OriginParts {
    let scheme: Range<Int>
    /// With its brackets, if it is an IPv6 address.
    let host: Range<Int>
    /// Nil: the default of the scheme, said or not.
    let port: UInt16?
    /// It is said all the same.
    let hasDefaultPort: Bool
    /// The host, if it is an IPv6 address.
    let address: IPv6Literal?

    /// `scheme://host` or `scheme://host:port`, and nothing else.
    init?(_ text: Span<UInt8>) {
        var colon = 0
        while colon < text.count, Self.isScheme(text[colon], isFirst: colon == 0) { colon += 1 }
        guard colon > 0, text.count > colon + 3, text.has("://", at: colon) else { return nil }
        scheme = 0..<colon
        let start = colon + 3
        guard text.isAuthority(start..<text.count) else { return nil }
        var end = start
        if text[start] == UInt8(ascii: "[") {
            while text[end] != UInt8(ascii: "]") { end += 1 }
            address = IPv6Literal(text, start + 1..<end)
            end += 1
        } else {
            while end < text.count, text[end] != UInt8(ascii: ":") { end += 1 }
            address = nil
        }
        host = start..<end
        guard end < text.count else {
            (port, hasDefaultPort) = (nil, false)
            return
        }
        guard let number = text.extracting(end + 1..<text.count).decimal, let said = UInt16(exactly: number) else {
            return nil
        }
        let isDefault = said == Self.defaultPort(text.extracting(scheme))
        (port, hasDefaultPort) = (isDefault ? nil : said, isDefault)
    }

    /// RFC 3986 section 3.1.
    private static func isScheme(_ byte: UInt8, isFirst: Bool) -> Bool {
        if byte.lowercased &- 97 < 26 { return true }
        guard !isFirst else { return false }
        return byte.isDigit || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
    }

    private static func defaultPort(_ scheme: Span<UInt8>) -> UInt16? {
        if scheme.count == 5, scheme.hasIgnoringCase("https", at: 0) { return 443 }
        return scheme.count == 4 && scheme.hasIgnoringCase("http", at: 0) ? 80 : nil
    }
}
