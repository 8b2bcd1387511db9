import ASCII

/// The kind of a request, which decides how it is routed. It is derived from the request line and the header fields
/// only.
///
/// All protocol revisions of MCP share one port and often one path, so the kind is decided for each request. No header
/// field is added, defaulted or corrected: servers derive the revision in different ways and would read an edited
/// request differently.
package enum RequestKind: UInt8, Sendable {
    /// Protocol revision 2026-07-28 or later: there are no sessions, so any server will do. A session id is ignored.
    case modern
    /// A POST of the HTTP+SSE transport (2024-11-05): only the server with the session's GET can answer.
    case legacyMessage
    /// A request with `Mcp-Session-Id`: only the session's server can answer.
    case session
    /// A GET that opens an event stream without a session: the start of an HTTP+SSE session, or the standalone stream
    /// of a server without sessions. Any server will do. The response's first event says which of the two it is.
    case streamOpening
    /// A GET with `Last-Event-ID` and no session: any server will do, because nothing says which one has the events.
    case resumption
    /// A POST without a session: `initialize`, or a call to a server without sessions. Any server will do. The response
    /// may have the id of a new session.
    case sessionless
    /// OPTIONS: any server will do.
    case preflight
    /// Not recognised as MCP (metadata documents, health pages): any server will do.
    case other

    /// Returns the kind. `sessionID` and `lastEventID` say whether those fields are there; `protocolVersion` is empty
    /// if its field is absent. Of `target`, the request target, only the query is read.
    ///
    /// The first rule that matches decides: a modern version has precedence over all others, and the query of an
    /// HTTP+SSE message over a session id. A request of any other method is a session's if it has a session id, like
    /// the DELETE that ends a session.
    package static func classify(
        isGet: Bool, isPost: Bool, isOptions: Bool, protocolVersion: Span<UInt8>, sessionID: Bool, lastEventID: Bool,
        acceptsEventStream: Bool, target: Span<UInt8>
    ) -> RequestKind {
        if ProtocolVersion.isModern(protocolVersion) { return .modern }
        if isPost, LegacyTarget.isMessage(target) { return .legacyMessage }
        if isOptions { return .preflight }
        if sessionID { return .session }
        if isGet {
            if lastEventID { return .resumption }
            return acceptsEventStream ? .streamOpening : .other
        }
        return isPost ? .sessionless : .other
    }
}

/// Reads the value of `MCP-Protocol-Version`.
package enum ProtocolVersion {
    /// Whether the version is 2026-07-28 or later, which have no sessions.
    ///
    /// Versions are dates in the form YYYY-MM-DD. Text of another form is not modern, except `draft`, which stands for
    /// the newest revision. The presence of the field alone means nothing, because some clients send it for every
    /// version.
    package static func isModern(_ version: Span<UInt8>) -> Bool {
        if version.count == 5 { return version.equals("draft") }
        guard version.count == 10 else { return false }
        var value = 0
        for index in version.indices {
            let byte = version[index]
            if index == 4 || index == 7 {
                guard byte == UInt8(ascii: "-") else { return false }
            } else {
                let digit = byte &- UInt8(ascii: "0")
                guard digit < 10 else { return false }
                value = value &* 10 &+ Int(digit)
            }
        }
        return value >= 2026_07_28
    }
}
