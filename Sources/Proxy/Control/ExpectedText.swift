/// Looks for a text in the body of a health check's response.
enum ExpectedText {
    /// Whether a text stands in a body byte by byte. In a JSON body white space between tokens does not count, neither in
    /// the body nor in the text: `"status":"ok"` is in `{ "status": "ok" }`.
    static func isFound(_ text: [UInt8], in body: [UInt8]) -> Bool {
        if contains(body, text) { return true }
        let first = body.first { !isSpace($0) }
        guard first == UInt8(ascii: "{") || first == UInt8(ascii: "[") else { return false }
        return contains(compact(body), compact(text))
    }

    private static func contains(_ body: [UInt8], _ text: [UInt8]) -> Bool {
        guard let first = text.first else { return true }
        guard body.count >= text.count else { return false }
        for start in 0...(body.count - text.count) where body[start] == first {
            if body[start..<(start + text.count)].elementsEqual(text) { return true }
        }
        return false
    }

    /// Without the white space outside of strings (RFC 8259 section 2).
    private static func compact(_ json: [UInt8]) -> [UInt8] {
        var isInString = false
        var isEscaped = false
        return json.filter { byte in
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                return true
            }
            if byte == UInt8(ascii: "\"") { isInString = true }
            return !isSpace(byte)
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }
}
