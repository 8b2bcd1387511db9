package import Reactor

/// What a client did on a stream, in the order of its doing. Ranges are into `HTTP2Events.bytes`.
///
/// Every stream that a `request` was reported for has one last event, `reset` or `closed`, unless `reset(stream:code:)`
/// was called for it: that is the last word.
package enum HTTP2Event: Equatable, Sendable {
    /// A request, as HTTP/1.1 text up to and with the blank line. A body of unknown length is announced with
    /// `transfer-encoding: chunked`, yet its `data` is not chunked.
    case request(stream: Int32, head: ByteRange, endsStream: Bool)
    /// Body bytes, unframed. They count against the client's window until they are `consumed`.
    case data(stream: Int32, bytes: ByteRange)
    /// The body is complete. Trailer fields are HTTP/1.1 field lines without the blank line, or empty. Does not follow
    /// a `request` that ended its stream.
    case requestEnd(stream: Int32, trailers: ByteRange)
    /// The exchange is cut short: cancelled by the client or in error. `code` is the error code of RFC 9113 section 7.
    case reset(stream: Int32, code: UInt32)
    /// The response's pending bytes fell to `HTTP2Limits.lowWatermarkBytes`, or to nothing, and more may be written.
    case drained(stream: Int32)
    /// Request and response are complete, or the response is and the rest of the request was declined.
    case closed(stream: Int32)
    /// Something to be counted; nothing is to be done about it.
    case protocolEvent(HTTP2ProtocolEvent)
    /// The client will open no more streams; those that are open go on.
    case goAway
}

/// The events of a turn with their bytes. Made once and used for all connections of a worker.
package struct HTTP2Events: ~Copyable {
    /// What the ranges of events refer to. Not to be consumed from.
    package var bytes = ByteBuffer()
    private var events: [HTTP2Event] = []

    package init() {}

    package var count: Int { events.count }
    package var isEmpty: Bool { events.isEmpty }

    package subscript(index: Int) -> HTTP2Event { events[index] }

    /// Forgets events and bytes and keeps their memory, unless it is much more than is usual.
    package mutating func removeAll() {
        events.removeAll(keepingCapacity: events.capacity <= Self.keptEvents)
        if bytes.allocated > Self.keptBytes { bytes.release() } else { bytes.clear() }
    }

    private static var keptEvents: Int { 4_096 }
    private static var keptBytes: Int { 1_048_576 }

    mutating func append(_ event: HTTP2Event) { events.append(event) }

    /// Takes `count` bytes just appended as body data: lengthens the last event if that is where they belong.
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
