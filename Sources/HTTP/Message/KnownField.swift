/// The field names that a proxy acts on, recognised regardless of case. All others are `other` and are forwarded.
package enum KnownField: UInt8, BitwiseCopyable, Sendable {
    case other
    // Framing and routing.
    case host, contentLength, transferEncoding, contentType, expect, date
    // Hop-by-hop (RFC 9110 §7.6.1): never forwarded.
    case connection, keepAlive, proxyConnection, te, trailer, upgrade, http2Settings
    // Set by proxies in front of this one; used only if the proxy is trusted.
    case forwarded, xForwardedFor, xForwardedProto, xForwardedHost, xRealIP
    /// Any other `x-forwarded-` field, and fields of the same kind by other names, such as `x-original-url`.
    case forwardedClaim
    /// `x-client-cert-subject` and `x-client-cert-verified`, which only this proxy sets: dropped from every request.
    case clientCertificate
    /// A name of this list with underscores for hyphens, such as `x_forwarded_for` or `content_length`. Some servers
    /// read an underscore as a hyphen, so these fields are dropped.
    case forwardedLookalike
    // MCP.
    case accept, mcpSessionID, mcpProtocolVersion, mcpMethod, mcpName, lastEventID
}
