package import Reactor

/// A parsed response head, like `RequestHead`.
package struct ResponseHead: ~Copyable {
    package var status: UInt16 = 0
    package var minorVersion: UInt8 = 1
    /// The reason phrase; may be empty.
    package var reason = ByteRange.empty
    package var framing = BodyFraming.none
    /// The server will take another request on this connection once the body has ended.
    package var isKeepAlive = true
    /// Content-Type is `text/event-stream`, parameters or not.
    package var isEventStream = false
    package var fields = FieldTable()
    package var sessionID: ByteRange?
    /// From `Keep-Alive: timeout=N`, in seconds.
    package var keepAliveSeconds: UInt32?
    package var length = 0

    /// An interim response (1xx): another head follows.
    package var isInformational: Bool { status < 200 }

    package init() {}

    /// As new, without touching the field lines' storage.
    @inline(__always)
    mutating func reset() {
        status = 0
        minorVersion = 1
        reason = .empty
        framing = .none
        isKeepAlive = true
        isEventStream = false
        fields.removeAll()
        sessionID = nil
        keepAliveSeconds = nil
        length = 0
    }
}
