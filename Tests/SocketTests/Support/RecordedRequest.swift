/// A request as a simple server reads it: the head up to the blank line, the body by Content-Length or chunks.
struct RecordedRequest: Sendable {
    var connection: Int
    var head: [UInt8]
    /// The body as received, chunk framing included.
    var wireBody: [UInt8] = []
    /// The body without framing.
    var body: [UInt8] = []
    /// Trailer lines of a chunked body.
    var trailers: [String] = []

    var lines: [String] {
        String(decoding: head, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: true).map(String.init)
    }

    /// "GET /path".
    var start: String {
        let words = (lines.first ?? "").split(separator: " ")
        return words.prefix(2).joined(separator: " ")
    }

    var target: String {
        let words = (lines.first ?? "").split(separator: " ")
        return words.count > 1 ? String(words[1]) : ""
    }

    /// The values of all fields of that name, which is in lower case.
    func values(_ name: String) -> [String] {
        lines.dropFirst().compactMap { line in
            guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == name else { return nil }
            return line[line.index(after: colon)...].trimmingSpaces()
        }
    }

    /// Names of all fields, in lower case.
    var names: [String] {
        lines.dropFirst().map { String($0.prefix { $0 != ":" }).lowercased() }
    }
}

extension Substring {
    func trimmingSpaces() -> String {
        var text = drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return String(text)
    }
}

/// Reads requests from the bytes of one connection as they come. It is lenient, because the tests check what the proxy
/// forwards.
struct RequestReader {
    private var position = 0
    private var searched = 0
    private var open: RecordedRequest?
    private var left: Int?

    /// The number of bytes that belong to complete requests.
    private(set) var consumed = 0

    /// The next complete request in `bytes`, which grow only at the end; nil if there is none yet.
    mutating func next(in bytes: [UInt8], connection: Int) -> RecordedRequest? {
        if open == nil {
            guard let end = find("\r\n\r\n", in: bytes, from: max(position, searched - 3)) else {
                searched = bytes.count
                return nil
            }
            let request = RecordedRequest(connection: connection, head: Array(bytes[position..<end + 4]))
            position = end + 4
            open = request
            left = request.values("content-length").first.flatMap { Int($0) } ?? 0
            if request.values("transfer-encoding").contains(where: { $0.lowercased() == "chunked" }) { left = nil }
        }
        guard let left else { return nextChunked(bytes) }
        guard bytes.count - position >= left else { return nil }
        let body = Array(bytes[position..<position + left])
        open?.body = body
        open?.wireBody = body
        position += left
        return finish()
    }

    private mutating func nextChunked(_ bytes: [UInt8]) -> RecordedRequest? {
        while let lineEnd = find("\r\n", in: bytes, from: position) {
            let line = String(decoding: bytes[position..<lineEnd], as: UTF8.self)
            let size = Int(line.prefix { $0 != ";" }, radix: 16) ?? 0
            guard size > 0 else { return trailers(bytes, from: lineEnd + 2) }
            let end = lineEnd + 2 + size + 2
            guard bytes.count >= end else { return nil }
            open?.body += bytes[lineEnd + 2..<end - 2]
            open?.wireBody += bytes[position..<end]
            position = end
        }
        return nil
    }

    private mutating func trailers(_ bytes: [UInt8], from start: Int) -> RecordedRequest? {
        var (line, lines) = (start, [String]())
        while let end = find("\r\n", in: bytes, from: line) {
            if end == line {
                open?.trailers = lines
                open?.wireBody += bytes[position..<end + 2]
                position = end + 2
                return finish()
            }
            lines.append(String(decoding: bytes[line..<end], as: UTF8.self))
            line = end + 2
        }
        return nil
    }

    private mutating func finish() -> RecordedRequest? {
        defer { open = nil }
        consumed = position
        searched = position
        return open
    }
}
