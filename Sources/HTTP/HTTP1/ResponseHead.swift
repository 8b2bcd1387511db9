package import Reactor

/// A parsed response head: ranges into the bytes it was parsed from. Owned and used again like `RequestHead`.
package struct ResponseHead: ~Copyable {
    /// The status code, 100 to 599.
    package var status: UInt16 = 0
    /// The minor version of HTTP/1.x: 0, or 1 for all others.
    package var minorVersion: UInt8 = 1
    /// The reason phrase; may be empty.
    package var reason = ByteRange.empty
    /// How the end of the body is found.
    package var framing = BodyFraming.none
    /// Whether the server accepts another request on this connection after the body (RFC 9112 §9.3).
    package var isKeepAlive = true
    /// Whether Content-Type is `text/event-stream`, with or without parameters.
    package var isEventStream = false
    /// The field lines, all of them.
    package var fields = FieldTable()
    /// Whether there is a `Date`.
    package var hasDate = false
    /// Whether a line cannot be forwarded as it is, and all must be written anew from their names and values.
    package var needsRewriting = false
    /// Why the head was refused.
    package var fault = ResponseFault.none
    /// The value of `Mcp-Session-Id`; nil if it is absent. An equal repeat is marked as hop-by-hop, another is refused.
    package var sessionID: ByteRange?
    /// The idle timeout from `Keep-Alive: timeout=N`, in seconds; nil if it is absent.
    package var keepAliveSeconds: UInt32?
    /// The length of the head in bytes, blank line included.
    package var length = 0

    /// Whether this is an interim response (1xx), which another head follows (RFC 9110 §15.2).
    package var isInformational: Bool { status < 200 }

    /// Whether it ends at the blank line because of its status, whatever its fields say (RFC 9112 §6.3).
    var isBodiless: Bool { status < 200 || status == 204 || status == 304 }

    /// An empty head; allocates the field table.
    package init() {}

    /// Resets everything and keeps the field table's storage.
    @inline(__always)
    mutating func reset() {
        status = 0
        minorVersion = 1
        reason = .empty
        framing = .none
        isKeepAlive = true
        isEventStream = false
        hasDate = false
        needsRewriting = false
        fault = .none
        fields.removeAll()
        sessionID = nil
        keepAliveSeconds = nil
        length = 0
    }
}
