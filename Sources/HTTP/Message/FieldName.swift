import ASCII

/// A recognised field name.
struct FieldName {
    var kind: KnownField
    /// Whether the field is never forwarded, whatever `Connection` names (RFC 9110 §7.6.1).
    var isHopByHop: Bool

    /// Recognises the name at `offset`, which must be a token. `hasUnderscore` says whether it has an underscore. Known
    /// names have only hyphens, so it is then `other` or `forwardedLookalike`.
    @inline(__always)
    init(_ bytes: Span<UInt8>, at offset: Int, length: Int, hasUnderscore: Bool) {
        var text = LowercasedASCII(bytes, at: offset, length: length)
        if hasUnderscore {
            text.hyphenate()
            self = FieldName(text).kind == .other ? .other : .lookalike
        } else {
            self = FieldName(text)
        }
    }

    static var other: FieldName { FieldName(.other) }
    static var host: FieldName { FieldName(.host) }
    static var contentLength: FieldName { FieldName(.contentLength) }
    static var transferEncoding: FieldName { FieldName(.transferEncoding, isHopByHop: true) }
    private static var lookalike: FieldName { FieldName(.forwardedLookalike) }

    private init(_ kind: KnownField, isHopByHop: Bool = false) {
        self.kind = kind
        self.isHopByHop = isHopByHop
    }

    @inline(__always)
    private init(_ text: LowercasedASCII) {
        switch text.length {
        case ...9: self = Self.upToNine(text)
        case ...14: self = Self.upToFourteen(text)
        default: self = Self.long(text)
        }
        if kind == .other, text.mayBeClaim { self = Self.claim(text, otherwise: self) }
    }

    /// Recognises what only a proxy may claim of where a request comes from.
    @inline(never)
    private static func claim(_ text: LowercasedASCII, otherwise other: FieldName) -> FieldName {
        let isClaim =
            text.hasForwardedPrefix || text.equals("x-origin", "inal-url", length: 14)
            || text.equals("x-origin", "nal-host", length: 15) || text.equals("x-rewrit", "rite-url", length: 13)
            || text.equals("x-url-sc", "l-scheme", length: 12) || text.equals("front-en", "nd-https", length: 15)
        return isClaim ? FieldName(.forwardedClaim) : other
    }

    @inline(__always)
    private static func upToNine(_ text: LowercasedASCII) -> FieldName {
        switch text.length {
        case 2: choose(text.equals("te      ", length: 2), .te, isHopByHop: true)
        case 4:
            text.equals("host    ", length: 4) ? .host : choose(text.equals("date    ", length: 4), .date)
        case 6:
            text.equals("accept  ", length: 6)
                ? FieldName(.accept) : choose(text.equals("expect  ", length: 6), .expect)
        case 7:
            text.equals("upgrade ", length: 7)
                ? FieldName(.upgrade, isHopByHop: true)
                : choose(text.equals("trailer ", length: 7), .trailer, isHopByHop: true)
        case 8: choose(text.equals("mcp-name", length: 8), .mcpName)
        case 9:
            text.equals("forwarde", "orwarded", length: 9)
                ? FieldName(.forwarded) : choose(text.equals("x-real-i", "-real-ip", length: 9), .xRealIP)
        default: .other
        }
    }

    @inline(__always)
    private static func upToFourteen(_ text: LowercasedASCII) -> FieldName {
        switch text.length {
        case 10:
            if text.equals("connecti", "nnection", length: 10) { return FieldName(.connection, isHopByHop: true) }
            if text.equals("keep-ali", "ep-alive", length: 10) { return FieldName(.keepAlive, isHopByHop: true) }
            return choose(text.equals("mcp-meth", "p-method", length: 10), .mcpMethod)
        case 12: return choose(text.equals("content-", "ent-type", length: 12), .contentType)
        case 13: return choose(text.equals("last-eve", "event-id", length: 13), .lastEventID)
        case 14:
            if text.equals("content-", "t-length", length: 14) { return .contentLength }
            if text.equals("mcp-sess", "ssion-id", length: 14) { return FieldName(.mcpSessionID) }
            return choose(text.equals("http2-se", "settings", length: 14), .http2Settings, isHopByHop: true)
        default: return .other
        }
    }

    @inline(__always)
    private static func long(_ text: LowercasedASCII) -> FieldName {
        switch text.length {
        case 15: return choose(text.equals("x-forwar", "rded-for", length: 15), .xForwardedFor)
        case 16:
            if text.equals("x-forwar", "ded-host", length: 16) { return FieldName(.xForwardedHost) }
            return choose(text.equals("proxy-co", "nnection", length: 16), .proxyConnection, isHopByHop: true)
        case 17:
            if text.equals("x-forwar", "ded-prot", "ed-proto", length: 17) { return FieldName(.xForwardedProto) }
            return text.equals("transfer", "-encodin", "encoding", length: 17) ? .transferEncoding : .other
        case 18: return choose(text.equals("proxy-au", "thentica", "enticate", length: 18), .other, isHopByHop: true)
        case 19: return choose(text.equals("proxy-au", "thorizat", "rization", length: 19), .other, isHopByHop: true)
        case 20: return choose(text.equals("mcp-prot", "ocol-ver", "-version", length: 20), .mcpProtocolVersion)
        case 21: return choose(text.equals("x-client", "-cert-su", "-subject", length: 21), .clientCertificate)
        case 22: return choose(text.equals("x-client", "-cert-ve", "verified", length: 22), .clientCertificate)
        default: return .other
        }
    }

    @inline(__always)
    private static func choose(_ matches: Bool, _ kind: KnownField, isHopByHop: Bool = false) -> FieldName {
        matches ? FieldName(kind, isHopByHop: isHopByHop) : other
    }
}

extension LowercasedASCII {
    /// Whether the text begins as a claim does. Few other names do.
    @inline(__always)
    fileprivate var mayBeClaim: Bool {
        length > 11
            && (first == UInt64(ascii: "x-forwar") || first == UInt64(ascii: "x-origin")
                || first == UInt64(ascii: "x-rewrit") || first == UInt64(ascii: "x-url-sc")
                || first == UInt64(ascii: "front-en"))
    }

    /// Whether the text is `x-forwarded-` and more.
    fileprivate var hasForwardedPrefix: Bool {
        guard length > 12, first == UInt64(ascii: "x-forwar") else { return false }
        // The bytes from the ninth on are in the middle word or, of shorter text, in the last.
        let rest = length > 16 ? middle : last >> UInt64(8 &* (16 &- length))
        return rest & 0xFFFF_FFFF == UInt64(ascii: "ded-\0\0\0\0")
    }
}

extension KnownField {
    /// The kind of the field called `name`, which must be a token, in any case. Any known name with underscores for
    /// hyphens is a `forwardedLookalike`.
    package init(_ name: Span<UInt8>) {
        self = FieldName(name).kind
    }
}

extension FieldName {
    /// Recognises a whole span, which must be a token.
    @inline(__always)
    init(_ name: Span<UInt8>) {
        let text = LowercasedASCII(name, at: 0, length: name.count)
        if text.hasUnderscore || name.count > LowercasedASCII.comparedBytes && name.hasUnderscore {
            self.init(name, at: 0, length: name.count, hasUnderscore: true)
        } else {
            self.init(text)
        }
    }
}

extension Span where Element == UInt8 {
    @inline(never)
    fileprivate var hasUnderscore: Bool {
        for index in indices where self[index] == UInt8(ascii: "_") { return true }
        return false
    }
}
