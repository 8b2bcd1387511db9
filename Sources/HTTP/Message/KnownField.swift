/// The field names a proxy acts on, recognised without regard to case. All others are `other` and pass through.
package enum KnownField: UInt8, Sendable {
    case other
    // Framing and routing.
    case host, contentLength, transferEncoding, contentType, expect, date
    // Hop-by-hop (RFC 9110 §7.6.1): never forwarded.
    case connection, keepAlive, proxyConnection, te, trailer, upgrade, http2Settings
    // Said of the client by proxies in front of us; believed only from those we trust.
    case forwarded, xForwardedFor, xForwardedProto, xForwardedHost, xRealIP
    /// `x-client-cert-subject` and `x-client-cert-verified`, which only we may say: dropped, whoever sends them.
    case clientCertificate
    /// `x_forwarded_for` and its like: some servers read an underscore as a hyphen, so they are dropped as forgeries.
    /// Every name in this list counts when it is spelled with underscores, `content_length` and `mcp_session_id` too.
    case forwardedLookalike
    // MCP.
    case accept, mcpSessionID, mcpProtocolVersion, mcpMethod, mcpName, lastEventID
}
