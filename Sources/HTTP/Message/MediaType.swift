import Reactor

/// The one media type a proxy of MCP has to know.
enum MediaType {
    /// Whether a Content-Type is `text/event-stream`, with or without parameters.
    static func isEventStream(_ value: Range<Int>, in bytes: Span<UInt8>) -> Bool {
        var end = value.lowerBound
        while end < value.upperBound, bytes[end] != UInt8(ascii: ";") { end &+= 1 }
        end = bytes.trimBlanks(from: value.lowerBound, to: end)
        let essence = FoldedText(bytes, at: value.lowerBound, length: end &- value.lowerBound)
        return essence.equals("text/eve", "nt-strea", "t-stream", length: 17)
    }

    /// Whether an Accept lists `text/event-stream`, with or without parameters (RFC 9110 §12.5.1). Weights are not
    /// looked at, and wildcards are not event streams: only a client that means streams names them.
    static func listsEventStream(_ value: Range<Int>, in bytes: Span<UInt8>) -> Bool {
        var start = value.lowerBound
        while start < value.upperBound {
            start = bytes.skipBlanks(from: start, to: value.upperBound)
            let end = elementEnd(from: start, to: value.upperBound, in: bytes)
            if end &- start >= 17, isEventStream(start..<end, in: bytes) { return true }
            start = end &+ 1
        }
        return false
    }

    /// The comma that ends a list element, quoted strings skipped, or `end`.
    private static func elementEnd(from start: Int, to end: Int, in bytes: Span<UInt8>) -> Int {
        var index = start
        var isQuoted = false
        while index < end {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if isQuoted, byte == UInt8(ascii: "\\") {
                index &+= 1
            } else if !isQuoted, byte == UInt8(ascii: ",") {
                return index
            }
            index &+= 1
        }
        return end
    }
}
