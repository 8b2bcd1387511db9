import ASCII

/// The names of members as the most lenient readers compare them: without case, up to a NUL.
enum FoldedName {
    /// Whether a reader may take the string with this content between its quotes for `name`, which is in lower case.
    ///
    /// Besides the letters of ASCII, four others fold to one of them: U+017F to s and U+212A to k (Unicode, simple case
    /// folding, which Go's reader uses), U+0130 and U+0131 to i.
    static func content(_ content: Span<UInt8>, equals name: StaticString) -> Bool {
        var string = JSONStringBytes()
        for index in 0..<name.utf8CodeUnitCount {
            guard let byte = next(&string, content), byte == name[byte: index] else { return false }
        }
        let end = string.next(in: content)
        return end == nil || end == 0
    }

    /// Whether a string that may be taken for a name of the protocol is one, letter by letter.
    static func isExact(_ content: Span<UInt8>) -> Bool {
        var string = JSONStringBytes()
        var text: [UInt8] = []
        while let byte = string.next(in: content) { text.append(byte) }
        let spellings: [StaticString] = [
            "jsonrpc", "id", "method", "params", "result", "error", "name", "uri", "taskId", "_meta", "arguments",
            "io.modelcontextprotocol/protocolVersion", "traceparent", "progressToken",
        ]
        return spellings.contains { text.span.equals($0) }
    }

    /// Whether all of the string's text is Unicode without a NUL.
    static func isSound(_ content: Span<UInt8>) -> Bool {
        var string = JSONStringBytes()
        while let byte = string.next(in: content) {
            if byte == 0 { return false }
        }
        return string.isAtEnd(of: content)
    }

    /// The next byte in lower case.
    private static func next(_ string: inout JSONStringBytes, _ content: Span<UInt8>) -> UInt8? {
        guard let byte = string.next(in: content) else { return nil }
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): return byte | 0x20
        case 0xC4:
            let second = string.next(in: content)
            return second == 0xB0 || second == 0xB1 ? UInt8(ascii: "i") : 0xFF
        case 0xC5: return string.next(in: content) == 0xBF ? UInt8(ascii: "s") : 0xFF
        case 0xE2:
            let isKelvin = string.next(in: content) == 0x84 && string.next(in: content) == 0xAA
            return isKelvin ? UInt8(ascii: "k") : 0xFF
        default: return byte
        }
    }
}
