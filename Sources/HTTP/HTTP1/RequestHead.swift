package import Reactor

/// A parsed request head: ranges into the bytes it came from, and the few facts a proxy decides by. One lives in
/// each worker and is filled again for every request; nothing in it outlives the turn.
package struct RequestHead: ~Copyable {
    package var method = Method.get
    /// The method's bytes as sent.
    package var methodName = ByteRange.empty
    /// The target in origin-form (path and query), asterisk-form for OPTIONS, or, of an absolute-form target, the
    /// part from the path on; empty if an absolute-form target has no path (send "/").
    package var target = ByteRange.empty
    /// Who is asked for: the authority of an absolute-form target, which wins over Host (RFC 9112 §3.2.2), else Host's
    /// value. Empty if neither is there (HTTP/1.0 only).
    package var authority = ByteRange.empty
    /// 0 or 1 of HTTP/1.x.
    package var minorVersion: UInt8 = 1
    package var framing = BodyFraming.none
    /// The client wants the connection kept after this exchange.
    package var isKeepAlive = true
    package var expectsContinue = false
    /// `Accept` lists `text/event-stream`.
    package var acceptsEventStream = false
    /// The field lines; `fields[i].kind` tells the ones that matter.
    package var fields = FieldTable()
    /// Value of the first field line of that kind, or nil. Repeats of mcpSessionID, mcpProtocolVersion, mcpMethod,
    /// mcpName and lastEventID never get here: the parser refuses them as malformed.
    package var sessionID: ByteRange?
    package var protocolVersion: ByteRange?
    package var lastEventID: ByteRange?
    package var forwardedFor: ByteRange?
    /// Bytes of the head, blank line included.
    package var length = 0

    package init() {}

    /// As new, without touching the field lines' storage.
    @inline(__always)
    mutating func reset() {
        method = .get
        methodName = .empty
        target = .empty
        authority = .empty
        minorVersion = 1
        framing = .none
        isKeepAlive = true
        expectsContinue = false
        acceptsEventStream = false
        fields.removeAll()
        sessionID = nil
        protocolVersion = nil
        lastEventID = nil
        forwardedFor = nil
        length = 0
    }
}
