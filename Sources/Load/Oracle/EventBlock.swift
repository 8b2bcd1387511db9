import ASCII

/// One event of a stream (HTML Living Standard, "Server-sent events"): the lines up to a blank line.
struct EventBlock {
    /// The value of its first `data` line, within the block; nil without one. MCP servers send a message as one line,
    /// so further lines are ignored.
    private(set) var data: Range<Int>?
    private var name = 0..<0

    /// `text`: the block with the blank line that ends it.
    init(_ text: Span<UInt8>) {
        var start = 0
        while start < text.count {
            var end = start
            while end < text.count, text[end] != 0x0a, text[end] != 0x0d { end &+= 1 }
            if text.has("data:", at: start) {
                if data == nil { data = Self.value(text, start + 5, end) }
            } else if text.has("event:", at: start) {
                name = Self.value(text, start + 6, end)
            }
            start = end &+ 1
        }
    }

    /// Whether it is the `endpoint` event of 2024-11-05.
    func isEndpoint(_ text: Span<UInt8>) -> Bool { text.extracting(name).equals("endpoint") }

    private static func value(_ text: Span<UInt8>, _ start: Int, _ end: Int) -> Range<Int> {
        start < end && text[start] == 0x20 ? (start + 1)..<end : start..<max(start, end)
    }

    /// The offset after the first blank line that ends at or after `offset`: CRLF CRLF, LF LF or CR CR. Nil if there is
    /// none.
    static func end(_ bytes: Span<UInt8>, from offset: Int) -> Int? {
        var index = offset
        while index < bytes.count {
            let byte = bytes[index]
            index &+= 1
            if byte != 0x0a && byte != 0x0d { continue }
            guard index < bytes.count else { return nil }
            if bytes[index] == byte { return index + 1 }
            if byte == 0x0d, bytes[index] == 0x0a {
                // The end of a line; a blank line follows if another CRLF does.
                if bytes.count - index >= 3 {
                    if bytes[index + 1] == 0x0d, bytes[index + 2] == 0x0a { return index + 3 }
                } else if index + 1 < bytes.count ? bytes[index + 1] == 0x0d : true {
                    return nil
                }
                index &+= 1
            }
        }
        return nil
    }
}
