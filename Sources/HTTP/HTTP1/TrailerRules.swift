/// Decides which trailer fields may be forwarded (RFC 9110 §6.5.1). A server that merges trailers into the head would
/// otherwise get framing, routing or credentials that no parser has validated.
package enum TrailerRules {
    /// Whether the field of that name may be forwarded as a trailer. Fields for framing, routing, authentication,
    /// content, caching, the client's identity or one hop may not. Underscores count as hyphens.
    package static func mayForward(_ name: Span<UInt8>) -> Bool {
        guard name.count > 0, name.tokenEnd(from: 0) == name.count else { return false }
        let known = FieldName(name)
        guard known.kind == .other, !known.isHopByHop else { return false }
        for prefix in refusedPrefixes where name.hasPrefixIgnoringCase(prefix) { return false }
        for refused in refusedNames where refused.utf8.count == name.count && name.hasPrefixIgnoringCase(refused) {
            return false
        }
        return true
    }

    private static let refusedPrefixes = [
        "content-", "x-forwarded-", "mcp-", "proxy-", "if-", "accept", "access-control-", "sec-", "cf-", "x-real-",
    ]

    private static let refusedNames = [
        "age", "authentication-info", "authorization", "cache-control", "connection", "cookie", "cookie2", "date",
        "expect", "expires", "forwarded", "host", "http2-settings", "keep-alive", "last-event-id", "location",
        "max-forwards", "origin", "pragma", "range", "referer", "retry-after", "set-cookie", "set-cookie2", "te",
        "trailer", "transfer-encoding", "true-client-ip", "upgrade", "user-agent", "vary", "via", "warning",
        "www-authenticate", "x-client-ip", "x-http-method-override", "x-original-url", "x-rewrite-url",
    ]
}

extension Span where Element == UInt8 {
    /// Whether it begins with `text`, which is in lower case, regardless of case and with `_` read as `-`.
    fileprivate func hasPrefixIgnoringCase(_ text: String) -> Bool {
        var index = 0
        for expected in text.utf8 {
            guard index < count else { return false }
            let byte = self[index]
            let lowercased = byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
            guard lowercased == expected || (byte == UInt8(ascii: "_") && expected == UInt8(ascii: "-")) else {
                return false
            }
            index &+= 1
        }
        return true
    }
}
