/// A request as people write it down, in the form that it has on the wire.
enum RequestText {
    /// The text with CRLF in its head, with an end of the head, and with a length if there is a body and nothing says how long it
    /// is.
    static func normalized(_ text: [UInt8]) -> [UInt8] {
        let (newline, carriage) = (UInt8(ascii: "\n"), UInt8(ascii: "\r"))
        var lines: [[UInt8]] = []
        var line: [UInt8] = []
        var index = 0
        var isEnded = false
        while index < text.count, !isEnded {
            let byte = text[index]
            index += 1
            guard byte == newline else {
                line.append(byte)
                continue
            }
            if line.last == carriage { line.removeLast() }
            if line.isEmpty { isEnded = true } else { lines.append(line) }
            line = []
        }
        if !line.isEmpty { lines.append(line) }
        var body = Array(text[index...])
        let hasLength = lines.contains { isField($0, "content-length") || isField($0, "transfer-encoding") }
        if !body.isEmpty, !hasLength {
            // What an editor has put behind the last line is no part of it.
            while body.last == newline || body.last == carriage { body.removeLast() }
            lines.append(Array("Content-Length: \(body.count)".utf8))
        }
        if !lines.contains(where: { isField($0, "host") }) { lines.append(Array("Host: localhost".utf8)) }
        return lines.flatMap { $0 + [carriage, newline] } + [carriage, newline] + body
    }

    private static func isField(_ line: [UInt8], _ name: String) -> Bool {
        String(decoding: line.prefix(name.utf8.count + 1), as: UTF8.self).lowercased() == name + ":"
    }
}
