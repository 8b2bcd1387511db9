/// The order in which a client opens streams (RFC 9113 section 5.1.1): each has a higher identifier than all before it,
/// and those that it skips are closed without ever having been open.
struct StreamOrder {
    /// The highest identifier used.
    private var last: Int32 = 0
    /// Identifiers that were skipped, oldest first. Clients that skip any are rare: the list costs nothing for others.
    private var skipped: [ClosedRange<Int32>] = []

    /// The most ranges of skipped identifiers that are remembered.
    private static var limit: Int { 16 }

    /// Takes note of a HEADERS frame. True if it opens the next stream, as nearly all do.
    @inline(__always)
    mutating func opensNext(_ stream: Int32) -> Bool {
        guard stream == last &+ 2, last > 0 else { return false }
        last = stream
        return true
    }

    /// Takes note of any other HEADERS frame. False if it may not come: on an identifier that was skipped, or, on a
    /// stream that was closed, as a new request rather than as the trailers of an old one, which may have been on their
    /// way.
    mutating func accepts(_ stream: Int32, endsStream: Bool, isOpen: Bool) -> Bool {
        // nghttp2 ends the connection for streams that only a server may open.
        guard stream & 1 == 1, !isOpen else { return true }
        guard stream <= last else {
            let next = last == 0 ? 1 : last &+ 2
            if stream > next { skip(from: next, to: stream &- 2) }
            last = stream
            return true
        }
        return endsStream && !skipped.contains { $0.contains(stream) }
    }

    private mutating func skip(from first: Int32, to last: Int32) {
        if skipped.count == Self.limit { skipped.removeFirst() }
        skipped.append(first...last)
    }
}
