import ASCII

/// A response's head as HTTP/1.1 text, read line by line for HTTP/2. The text is ours: it is read leniently, and what
/// is no field line is left out.
enum HTTP1ResponseReader {
    /// A field line: ranges of its name and its value, and where the next line begins.
    struct Line {
        var name: Range<Int>
        var value: Range<Int>
        var next: Int
    }

    /// The three digits of the status in a status line at `start`, or nil.
    static func status(_ text: Span<UInt8>, at start: Int, end: Int) -> UInt16? {
        // "HTTP/1.1 200"
        guard end &- start >= 12, text[start] == UInt8(ascii: "H"), text[start &+ 8] == ByteClass.space else {
            return nil
        }
        guard let status = text.decimal(start &+ 9..<start &+ 12), status >= 100 else { return nil }
        return UInt16(status)
    }

    /// Lines that `text[start..<end]` has at most.
    static func lines(_ text: Span<UInt8>, _ range: Range<Int>) -> Int {
        var count = 0
        var start = range.lowerBound
        while start < range.upperBound {
            start = skipLine(text, at: start, end: range.upperBound)
            count &+= 1
        }
        return count
    }

    /// Where the line after the one at `start` begins; `end` if there is none.
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
        var colon = start
        while colon < last, text[colon] != UInt8(ascii: ":") { colon &+= 1 }
        guard colon < last else { return Line(name: start..<start, value: start..<start, next: next) }
        let first = text.skipBlanks(from: colon &+ 1, to: last)
        return Line(name: start..<colon, value: first..<text.trimBlanks(from: first, to: last), next: next)
    }

    /// How a field travels.
    enum Treatment {
        case plain
        /// Never to be put in a compression table (RFC 7541 section 7.1.3).
        case secret
        /// HTTP/2 has no such field (RFC 9113 section 8.2.2).
        case dropped
    }

    static func treatment(_ text: Span<UInt8>, _ name: Range<Int>) -> Treatment {
        // Names of other lengths need no look: te, upgrade, connection and keep-alive, http2-settings and
        // mcp-session-id, proxy-connection, transfer-encoding.
        switch name.count {
        case 2, 7, 10, 14, 16, 17: break
        default: return .plain
        }
        return switch FieldName(text, at: name.lowerBound, length: name.count, hasUnderscore: false).kind {
        case .connection, .keepAlive, .proxyConnection, .transferEncoding, .upgrade, .te, .http2Settings: .dropped
        // It opens a session to whoever has it, and one client's responses may carry many.
        case .mcpSessionID: .secret
        default: .plain
        }
    }
}

extension Span where Element == UInt8 {
    /// The first `byte` in `start..<end`, or `end`.
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
