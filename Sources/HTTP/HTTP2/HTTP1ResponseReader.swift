import ASCII

/// Reads a response's head, which is HTTP/1.1 text, line by line for HTTP/2. The proxy itself has written the text, so
/// it is read leniently: lines that are no field lines are left out.
enum HTTP1ResponseReader {
    /// A field line: the ranges of its name and its value, and the offset of the next line.
    struct Line {
        var name: Range<Int>
        var value: Range<Int>
        var next: Int
    }

    /// The status code of the status line at `start`; nil if there is none.
    static func status(_ text: Span<UInt8>, at start: Int, end: Int) -> UInt16? {
        // "HTTP/1.1 200"
        guard end &- start >= 12, text[start] == UInt8(ascii: "H"), text[start &+ 8] == ByteClass.space else {
            return nil
        }
        guard let status = text.decimal(start &+ 9..<start &+ 12), status >= 100 else { return nil }
        return UInt16(status)
    }

    /// An upper bound of the lines in `text[range]`.
    static func lines(_ text: Span<UInt8>, _ range: Range<Int>) -> Int {
        var count = 0
        var start = range.lowerBound
        while start < range.upperBound {
            start = skipLine(text, at: start, end: range.upperBound)
            count &+= 1
        }
        return count
    }

    /// The offset of the line after the one at `start`; `end` if there is none.
    static func skipLine(_ text: Span<UInt8>, at start: Int, end: Int) -> Int {
        Swift.min(text.first(ByteClass.lineFeed, from: start, to: end) &+ 1, end)
    }

    /// The field line at `start`; nil at the blank line or the end. A line without a name has an empty one.
    static func line(_ text: Span<UInt8>, at start: Int, end: Int) -> Line? {
        var last = Swift.min(text.textEnd(from: start), end)
        var next = last &+ 2
        if next > end || text[last] != ByteClass.carriageReturn || text[last &+ 1] != ByteClass.lineFeed {
            next = skipLine(text, at: start, end: end)
            last = next
            while last > start, text[last &- 1] == ByteClass.lineFeed || text[last &- 1] == ByteClass.carriageReturn {
                last &-= 1
            }
        }
        guard last > start else { return nil }
        let colon = text.first(UInt8(ascii: ":"), from: start, to: last)
        guard colon < last else { return Line(name: start..<start, value: start..<start, next: next) }
        let first = text.skipBlanks(from: colon &+ 1, to: last)
        return Line(name: start..<colon, value: first..<text.trimBlanks(from: first, to: last), next: next)
    }

    /// How a field is encoded.
    enum FieldHandling {
        /// It may be put in the compression table.
        case indexed
        /// It must not be put in a compression table (RFC 7541 section 7.1.3).
        case neverIndexed
        /// It is not sent: HTTP/2 forbids connection-specific fields (RFC 9113 section 8.2.2).
        case dropped
    }

    /// How the field with that name is encoded.
    static func handling(_ text: Span<UInt8>, _ name: Range<Int>) -> FieldHandling {
        // The names to recognise have these lengths: te, upgrade, connection and keep-alive, http2-settings and
        // mcp-session-id, proxy-connection, transfer-encoding.
        switch name.count {
        case 2, 7, 10, 14, 16, 17: break
        default: return .indexed
        }
        return switch FieldName(text, at: name.lowerBound, length: name.count, hasUnderscore: false).kind {
        case .connection, .keepAlive, .proxyConnection, .transferEncoding, .upgrade, .te, .http2Settings: .dropped
        // Anyone who knows the id can use the session, and one connection may carry the ids of many sessions.
        case .mcpSessionID: .neverIndexed
        default: .indexed
        }
    }
}

extension Span where Element == UInt8 {
    /// The index of the first `byte` in `start..<end`, or `end`.
    @inline(__always)
    fileprivate func first(_ byte: UInt8, from start: Int, to end: Int) -> Int {
        var index = start
        while end &- index >= 8 {
            let found = WordScan.first(byte, in: word(at: index))
            if found != 0 { return index &+ WordScan.index(of: found) }
            index &+= 8
        }
        while index < end, self[index] != byte { index &+= 1 }
        return index
    }
}
