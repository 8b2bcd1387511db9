import ASCII

/// Recognises `text/event-stream`, the media type of MCP's streams.
enum MediaType {
    /// Whether a Content-Type is `text/event-stream`, with or without parameters.
    static func isEventStream(_ value: Range<Int>, in bytes: Span<UInt8>) -> Bool {
        guard value.count >= 17 else { return false }
        let essence = LowercasedASCII(bytes, at: value.lowerBound, length: 17)
        guard essence.equals("text/eve", "nt-strea", "t-stream", length: 17) else { return false }
        let next = bytes.skipBlanks(from: value.lowerBound &+ 17, to: value.upperBound)
        return next == value.upperBound || bytes[next] == UInt8(ascii: ";")
    }

    /// Whether an Accept lists `text/event-stream`, with or without parameters (RFC 9110 §12.5.1). Weights are ignored,
    /// and wildcards do not count: MCP clients that accept streams name the type.
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

    /// The index of the comma that ends a list element, outside quoted strings, or `end`.
    private static func elementEnd(from start: Int, to end: Int, in bytes: Span<UInt8>) -> Int {
        var index = start
        while end &- index >= 8 {
            let word = bytes.word(at: index)
            let stop = WordScan.first(UInt8(ascii: ","), in: word) | WordScan.first(UInt8(ascii: "\""), in: word)
            index &+= WordScan.index(of: stop)
            if stop != 0 { break }
        }
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
