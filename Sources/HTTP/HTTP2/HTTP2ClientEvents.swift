package import Reactor

/// What a server did, in the order of its doing. A request is known by the tag that it was made with: once it is over
/// (`ended`, `reset`, `unprocessed`, or `cancel` was called) nothing more is told of it.
package enum HTTP2ClientEvent: Equatable, Sendable {
    /// The final head of a response. The values are ranges into `HTTP2ClientEvents.bytes`, empty where there is no
    /// such field.
    case response(tag: UInt32, status: UInt16, contentType: ByteRange, sessionID: ByteRange)
    /// Body bytes: a range of the bytes that were received.
    case data(tag: UInt32, bytes: ByteRange)
    /// The response is complete; trailer fields are not told.
    case ended(tag: UInt32)
    /// The response will not be completed. `code` is the error code of RFC 9113 section 7.
    case reset(tag: UInt32, code: UInt32)
    /// The server has said with GOAWAY that it never looked at the request: it may be made again elsewhere (RFC 9113
    /// section 8.7).
    case unprocessed(tag: UInt32)
    /// No more requests can be made on this connection; those that were go on.
    case goAway(code: UInt32)
}

/// The events of a turn. Made once and used for all connections.
package struct HTTP2ClientEvents: ~Copyable {
    /// What the ranges of `response` refer to. Not to be consumed from.
    package var bytes = ByteBuffer()
    private var events: [HTTP2ClientEvent] = []

    package init() {}

    package var count: Int { events.count }
    package var isEmpty: Bool { events.isEmpty }

    package subscript(index: Int) -> HTTP2ClientEvent { events[index] }

    /// Forgets events and bytes and keeps their memory.
    package mutating func removeAll() {
        events.removeAll(keepingCapacity: true)
        bytes.clear()
    }

    mutating func append(_ event: HTTP2ClientEvent) { events.append(event) }

    /// Keeps the values that an event refers to: where they begin.
    mutating func keep(_ values: borrowing ByteBuffer) -> Int {
        bytes.append(values)
        return bytes.count - values.count
    }
}
