import ASCII

/// Finds the `endpoint` event that an HTTP+SSE session begins with (2024-11-05): the one event of a stream that a
/// balancer must rewrite, as its data is where the client will POST to.
package enum EndpointEventScanner {
    package enum Outcome: Equatable, Sendable {
        /// The first event is not complete: hold the bytes and show them again with what follows.
        case needsMore
        /// The stream does not begin with an endpoint event, or not within `maximumBytes`: nothing to rewrite, ever.
        case notEndpoint
        /// The first event is complete and is the endpoint event; its data stands at this range. Everything round it
        /// passes as it is.
        case endpoint(data: Range<Int>)
    }

    /// How much of a stream is looked at.
    package static var maximumBytes: Int { 4096 }

    /// Looks at all bytes of the stream so far. A blank line without data before it makes no event in any client, so
    /// comments, `retry:` and priming `id:` blocks may come first. An endpoint over two data lines, which no server
    /// sends, is not one that can be rewritten in place.
    package static func scan(_ bytes: Span<UInt8>) -> Outcome {
        let limit = min(bytes.count, maximumBytes)
        var position = hasByteOrderMark(bytes) ? 3 : 0
        var isEndpoint = false
        var data: Range<Int>?
        var dataLines = 0
        while let line = nextLine(bytes.extracting(0..<limit), from: position) {
            position = line.next
            if line.content.isEmpty {
                if let data, dataLines > 1 || !data.isEmpty {
                    return isEndpoint && dataLines == 1 ? .endpoint(data: data) : .notEndpoint
                }
                (isEndpoint, data, dataLines) = (false, nil, 0)
            } else if let value = value(of: "event", in: bytes, line.content) {
                isEndpoint = bytes.extracting(value).equals("endpoint")
            } else if let value = value(of: "data", in: bytes, line.content) {
                data = value
                dataLines += 1
            }
        }
        return bytes.count < maximumBytes ? .needsMore : .notEndpoint
    }

    private static func hasByteOrderMark(_ bytes: Span<UInt8>) -> Bool {
        bytes.count >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF
    }

    /// The line that starts at `start`, if its end is there. A carriage return ends it at once: a line feed after it
    /// belongs to it but need not have arrived.
    private static func nextLine(_ bytes: Span<UInt8>, from start: Int) -> (content: Range<Int>, next: Int)? {
        var end = start
        while end < bytes.count, bytes[end] != 0x0A, bytes[end] != 0x0D { end += 1 }
        guard end < bytes.count else { return nil }
        let isPair = bytes[end] == 0x0D && end + 1 < bytes.count && bytes[end + 1] == 0x0A
        return (start..<end, end + (isPair ? 2 : 1))
    }

    /// The value of a field line of this name: after the colon and one space, or empty if there is no colon.
    private static func value(of name: StaticString, in bytes: Span<UInt8>, _ line: Range<Int>) -> Range<Int>? {
        let count = name.utf8CodeUnitCount
        guard bytes.extracting(line).has(name, at: 0) else { return nil }
        var start = line.lowerBound + count
        guard start < line.upperBound else { return start..<start }
        guard bytes[start] == UInt8(ascii: ":") else { return nil }
        start += 1
        if start < line.upperBound, bytes[start] == UInt8(ascii: " ") { start += 1 }
        return start..<line.upperBound
    }
}
