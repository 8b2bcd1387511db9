import ASCII

/// Finds the `endpoint` event with which an HTTP+SSE session begins (MCP 2024-11-05, "HTTP with SSE"). It is the only
/// event that a balancer must rewrite, because its data is the URI that the client sends its POSTs to.
package enum EndpointEventScanner {
    /// The result of a scan.
    package enum Outcome: Equatable, Sendable {
        /// The first event is not complete. The caller must hold the bytes back and scan again when more have come.
        case needsMore
        /// The stream does not begin with an endpoint event within `maximumBytes`. Nothing is to be rewritten.
        case notEndpoint
        /// The first event is complete and is the endpoint event, with its data in this range. All other bytes are
        /// forwarded unchanged.
        case endpoint(data: Range<Int>)
    }

    /// The number of bytes of a stream that are scanned.
    package static var maximumBytes: Int { 4096 }

    /// Scans all bytes of the stream so far. A blank line without data before it dispatches no event (HTML Living
    /// Standard, "Server-sent events"), so comments, `retry:` and `id:` lines may come first. An endpoint event with
    /// two data lines, which no known server sends, is `notEndpoint`.
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

    /// The line that starts at `start`; nil if its end has not come. A carriage return ends it at once. A line feed
    /// after the carriage return belongs to it but need not have come.
    private static func nextLine(_ bytes: Span<UInt8>, from start: Int) -> (content: Range<Int>, next: Int)? {
        var end = start
        while end < bytes.count, bytes[end] != 0x0A, bytes[end] != 0x0D { end += 1 }
        guard end < bytes.count else { return nil }
        let isPair = bytes[end] == 0x0D && end + 1 < bytes.count && bytes[end + 1] == 0x0A
        return (start..<end, end + (isPair ? 2 : 1))
    }

    /// The value of a field line of this name: what follows the colon and one optional space; empty without a colon.
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
