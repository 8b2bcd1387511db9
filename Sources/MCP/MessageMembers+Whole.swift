import ASCII
import JSON

/// Messages as clients write them, whole and without anything unusual.
extension MessageMembers {
    /// Reads a whole message. False, and nothing else is said, if `read` has to look at it.
    mutating func readWhole(_ text: Span<UInt8>) -> Bool {
        var cursor = JSONCursor()
        guard cursor.enter(text) else { return false }
        while true {
            let name = cursor.nextName(text)
            guard name.count >= 0 else { return name.count == -1 && cursor.isAtEnd(text) }
            let key = Key(name)
            if let key, !see(key) { return false }
            let start = cursor.position
            let first = text[start]
            if key == .params, first == UInt8(ascii: "{") {
                guard readWholeParams(text, &cursor) else { return false }
                continue
            }
            guard cursor.skipValue(text) else { return false }
            if let key, !note(key, first, start..<cursor.position, text) { return false }
        }
    }

    private mutating func readWholeParams(_ text: Span<UInt8>, _ cursor: inout JSONCursor) -> Bool {
        let start = cursor.position
        guard cursor.enter(text) else { return false }
        while true {
            let name = cursor.nextName(text)
            guard name.count >= 0 else {
                params = start..<cursor.position
                return name.count == -1
            }
            let value = cursor.position
            let first = text[value]
            let key = Parameter(name)
            if key == .meta, first == UInt8(ascii: "{") {
                guard readWholeMeta(text, &cursor) else { return false }
                continue
            }
            guard cursor.skipValue(text) else { return false }
            if let key { note(key, value..<cursor.position, first) }
        }
    }

    private mutating func readWholeMeta(_ text: Span<UInt8>, _ cursor: inout JSONCursor) -> Bool {
        guard cursor.enter(text) else { return false }
        while true {
            let name = cursor.nextName(text)
            guard name.count >= 0 else { return name.count == -1 }
            let start = cursor.position
            guard cursor.skipValue(text) else { return false }
            let value = start..<cursor.position
            if name.word == UInt64(ascii: "tracepar"), name.count == 11, text.has("ent", at: name.start &+ 8) {
                traceparent.note(value, text[start])
            } else if name.word == UInt64(ascii: "io.model"), name.count == 39,
                text.has("io.modelcontextprotocol/protocolVersion", at: name.start)
            {
                protocolVersion.note(value, text[start])
            }
        }
    }
}
