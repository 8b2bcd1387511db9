import ASCII

/// What a request is to a balancer, told from its request line and headers alone. Each kind has one way to be routed.
///
/// The three eras of MCP share one port and often one path, so the kind is decided per request. Nothing here adds to,
/// defaults or repairs a header: servers disagree on what decides the era, and an edited request would be judged
/// differently by each.
package enum RequestKind: UInt8, Sendable {
    /// Protocol 2026-07-28 or later: no session, any replica. A stray session id means nothing here.
    case modern
    /// A POST of the HTTP+SSE transport of 2024: only the replica that holds the session's GET can answer.
    case legacyMessage
    /// Carries `Mcp-Session-Id`: only the session's replica.
    case session
    /// A GET that opens an event stream without a session: the start of an HTTP+SSE session, or the standalone stream
    /// of a server without sessions. Any replica; the body tells which.
    case streamOpening
    /// A GET with `Last-Event-ID` and no session: nothing says which replica holds the events. Any replica.
    case resumption
    /// A POST without a session: `initialize`, or a call to a server without sessions. Any replica; a session may be
    /// learned from the response.
    case sessionless
    /// OPTIONS: any replica, or an answer of our own.
    case preflight
    /// Not MCP as far as can be seen (metadata documents, health pages): any replica.
    case other

    /// Tells the kind. An empty span stands for an absent header; `sessionID` and `lastEventID` say whether those
    /// headers are there. `target` is the request target, in which only the query is looked at.
    ///
    /// The first rule that matches wins: a modern version beats everything, and the query of an HTTP+SSE message beats
    /// a session header. A method that is neither GET, POST nor OPTIONS counts as a session's if it names one, which
    /// is how DELETE ends it.
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
    /// Whether the version is 2026-07-28 or later, where sessions no longer exist.
    ///
    /// Versions are dates and compare as text, but only when they have the form of one: "3" or "latest" sort after
    /// every date and are no sign of anything. `draft` is the one name that stands for the newest revision. The mere
    /// presence of the header says nothing, as some clients send it for every version.
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
