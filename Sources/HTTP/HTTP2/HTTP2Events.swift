package import Reactor

/// The head of a request that an HTTP/2 client has sent.
package struct HTTP2RequestHead: Equatable, Sendable {
    /// Its HTTP/1.1 text, blank line included, in `HTTP2Events.bytes`. If the body's length is unknown the text has
    /// `transfer-encoding: chunked`, but the bytes of `data` are not chunked.
    package var text: ByteRange
    /// Its lines in `HTTP2Events.lines`; empty if they were not noted.
    package var lines: Range<Int>
}

/// An action of a client on a stream, in the order of arrival. Ranges refer to `HTTP2Events.bytes`.
///
/// The last event of every stream with a `request` is `reset` or `closed`. After a call of `reset(stream:code:)` a
/// stream has no more events.
package enum HTTP2Event: Equatable, Sendable {
    /// A request's head.
    case request(stream: Int32, head: HTTP2RequestHead, endsStream: Bool)
    /// Body bytes, without framing. They count against the client's window until `consumed(stream:_:)` is called.
    case data(stream: Int32, bytes: ByteRange)
    /// The body is complete. Trailer fields are HTTP/1.1 field lines without the blank line; the range may be empty. It
    /// does not follow a `request` that ended its stream.
    case requestEnd(stream: Int32, trailers: ByteRange)
    /// The exchange ended early: the client cancelled it, or the stream failed. `code` is the error code of RFC 9113
    /// section 7.
    case reset(stream: Int32, code: UInt32)
    /// The response's pending bytes fell to `HTTP2Limits.lowWatermarkBytes` or to zero, and more may be written.
    case drained(stream: Int32)
    /// The response is complete, and the request is complete or its rest was declined.
    case closed(stream: Int32)
    /// An event for the metrics, which needs no action.
    case protocolEvent(HTTP2ProtocolEvent)
    /// The client opens no more streams. Open ones continue.
    case goAway
}

/// The events of a turn with their bytes. One is made and used for all connections of a worker.
package struct HTTP2Events: ~Copyable {
    /// The bytes that the ranges of events refer to. They must not be consumed.
    package var bytes = ByteBuffer()
    /// The field lines of the requests' heads. Their ranges count from the first byte of the head's text. `removeAll` keeps
    /// them, because requests are read when all of a turn's frames are.
    package internal(set) var lines = FieldTable(limit: HTTP2Events.notedLines)
    private var events: [HTTP2Event] = []

    /// An empty list.
    package init() {}

    /// The number of events.
    package var count: Int { events.count }
    /// Whether there are no events.
    package var isEmpty: Bool { events.isEmpty }

    /// The event at `index`, which is below `count`.
    package subscript(index: Int) -> HTTP2Event { events[index] }

    /// Removes all events and bytes. Keeps their memory unless it exceeds 4,096 events or 1 MiB.
    package mutating func removeAll() {
        events.removeAll(keepingCapacity: events.capacity <= Self.keptEvents)
        if bytes.allocated > Self.keptBytes { bytes.release() } else { bytes.clear() }
    }

    /// Removes the lines of all heads, at the end of a turn.
    package mutating func removeLines() { lines.removeAll() }

    /// The most lines that are noted: those of some 300 requests. The lines of others are to be searched for in the text.
    static var notedLines: Int { 4_096 }

    private static var keptEvents: Int { 4_096 }
    private static var keptBytes: Int { 1_048_576 }

    mutating func append(_ event: HTTP2Event) { events.append(event) }

    /// Reports the last `count` bytes of `bytes` as body data. Extends the last event if it is data of the same stream.
    mutating func appendData(stream: Int32, count: Int) {
        let start = bytes.count - count
        if case .data(stream, let range) = events.last, range.upperBound == start {
            events[events.count - 1] = .data(
                stream: stream, bytes: ByteRange(start: range.lowerBound, count: Int(range.count) + count))
        } else {
            events.append(.data(stream: stream, bytes: ByteRange(start: start, count: count)))
        }
    }
}
