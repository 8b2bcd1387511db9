/// What JSON strings say.
package enum JSONText {
    /// The text of a string, whose content between its quotes this is, with its escapes undone; nil if they are malformed.
    package static func unescaped(_ content: Span<UInt8>) -> [UInt8]? {
        var bytes = JSONStringBytes()
        var text: [UInt8] = []
        while let byte = bytes.next(in: content) { text.append(byte) }
        return bytes.isAtEnd(of: content) ? text : nil
    }

    /// Whether such a content has an escape in it, so that its bytes are not its text.
    package static func hasEscape(_ content: Span<UInt8>) -> Bool {
        for index in content.indices where content[index] == UInt8(ascii: "\\") { return true }
        return false
    }
}
