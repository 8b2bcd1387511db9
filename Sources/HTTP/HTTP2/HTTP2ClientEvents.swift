package import Reactor

/// An action of a server, in the order of arrival. `tag` is the tag that the request was made with. After `ended`,
/// `reset` or `unprocessed`, or a call of `cancel`, a request has no more events.
package enum HTTP2ClientEvent: Equatable, Sendable {
    /// The final head of a response. The values are ranges into `HTTP2ClientEvents.bytes`, empty if the field is
    /// absent.
    case response(tag: UInt32, status: UInt16, contentType: ByteRange, sessionID: ByteRange)
    /// Body bytes, as a range of the bytes passed to `receive`.
    case data(tag: UInt32, bytes: ByteRange)
    /// The response is complete. Trailer fields are not reported.
    case ended(tag: UInt32)
    /// The response will not be completed. `code` is the error code of RFC 9113 section 7.
    case reset(tag: UInt32, code: UInt32)
    /// The server has not processed the request, according to its GOAWAY. It may be sent again on another connection
    /// (RFC 9113 section 8.7).
    case unprocessed(tag: UInt32)
    /// The server accepts no more requests on this connection. Those already made continue.
    case goAway(code: UInt32)
}

/// The events of a turn. One is made and used for all connections.
package struct HTTP2ClientEvents: ~Copyable {
    /// The bytes that the ranges of `response` refer to. They must not be consumed.
    package var bytes = ByteBuffer()
    private var events: [HTTP2ClientEvent] = []

    /// An empty list.
    package init() {}

    /// The number of events.
    package var count: Int { events.count }
    /// Whether there are no events.
    package var isEmpty: Bool { events.isEmpty }

    /// The event at `index`, which is below `count`.
    package subscript(index: Int) -> HTTP2ClientEvent { events[index] }

    /// Removes all events and bytes and keeps their memory.
    package mutating func removeAll() {
        events.removeAll(keepingCapacity: true)
        bytes.clear()
    }

    mutating func append(_ event: HTTP2ClientEvent) { events.append(event) }

    /// Appends the values that an event refers to. Returns the offset of the first.
    mutating func store(_ values: borrowing ByteBuffer) -> Int {
        bytes.append(values)
        return bytes.count - values.count
    }
}
