package import Reactor

/// A parsed request head: ranges into the bytes it was parsed from, and the facts that a proxy decides by. Each worker
/// owns one and parses every request into it; its contents are valid only within one turn.
package struct RequestHead: ~Copyable {
    /// The method.
    package var method = Method.get
    /// The method's bytes as sent.
    package var methodName = ByteRange.empty
    /// The target in origin-form (path and query), asterisk-form for OPTIONS, or, of an absolute-form target, the
    /// part from the path on; empty or beginning with `?` if an absolute-form target has no path (send "/" before it).
    package var target = ByteRange.empty
    /// The authority of an absolute-form target, which replaces Host (RFC 9112 §3.2.2), else Host's value. Empty if
    /// neither is there (HTTP/1.0 only).
    package var authority = ByteRange.empty
    /// The minor version of HTTP/1.x: 0, or 1 for all others.
    package var minorVersion: UInt8 = 1
    /// How the end of the body is found.
    package var framing = BodyFraming.none
    /// Whether the connection persists after this exchange (RFC 9112 §9.3).
    package var isKeepAlive = true
    /// Whether the client sent `Expect: 100-continue` (RFC 9110 §10.1.1).
    package var expectsContinue = false
    /// Whether `Accept` lists `text/event-stream`.
    package var acceptsEventStream = false
    /// The field lines, all of them.
    package var fields = FieldTable()
    /// The value of `Mcp-Session-Id`; nil if it is absent. Of this field, `Mcp-Protocol-Version` and
    /// `Last-Event-ID`, equal repeats are one value: the repeat is marked as hop-by-hop. Different ones are refused as
    /// malformed, and so is any repeat of `Mcp-Method` and `Mcp-Name`.
    package var sessionID: ByteRange?
    /// The value of `Mcp-Protocol-Version`; nil if it is absent.
    package var protocolVersion: ByteRange?
    /// The value of `Last-Event-ID`; nil if it is absent.
    package var lastEventID: ByteRange?
    /// The value of the first `X-Forwarded-For` line; nil if there is none.
    package var forwardedFor: ByteRange?
    /// The length of the head in bytes, blank line included.
    package var length = 0

    /// Whether a body follows that has a byte, as far as the head says.
    package var hasBody: Bool { framing != .none && framing != .length(0) }

    /// An empty head; allocates the field table.
    package init() {}

    /// Resets everything and keeps the field table's storage.
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
