import Reactor

/// Reads the forms of a request target (RFC 9112 §3.2) that may be sent to a reverse proxy.
enum RequestTarget {
    /// Sets `head.target`, and `head.authority` if the target has one. False if the form does not fit the method:
    /// CONNECT is refused before, and `*` is for OPTIONS only. False, too, if the path has dot segments: another parser
    /// would resolve them, and so read another path than the one that is routed (RFC 3986 §6.2.2.3).
    @inline(__always)
    static func read(_ range: Range<Int>, in bytes: Span<UInt8>, into head: inout RequestHead) -> Bool {
        head.target = ByteRange(start: range.lowerBound, count: range.count)
        if bytes[range.lowerBound] == UInt8(ascii: "/") { return !bytes.hasDotSegments(range) }
        if range.count == 1, bytes[range.lowerBound] == UInt8(ascii: "*") { return head.method == .options }
        return readAbsolute(range, in: bytes, into: &head)
    }

    /// Reads the absolute form: `http://` or `https://`, an authority without user information, and a path, a query or nothing
    /// (RFC 9112 §3.2.2). Without a path the target is empty or begins with `?`.
    @inline(never)
    private static func readAbsolute(
        _ range: Range<Int>, in bytes: Span<UInt8>, into head: inout RequestHead
    ) -> Bool {
        guard let start = authorityStart(range, in: bytes) else { return false }
        var end = start
        while end < range.upperBound, bytes[end] != UInt8(ascii: "/"), bytes[end] != UInt8(ascii: "?") { end &+= 1 }
        guard bytes.isAuthority(start..<end) else { return false }
        head.authority = ByteRange(start: start, count: end &- start)
        head.target = ByteRange(start: end, count: range.upperBound &- end)
        return !bytes.hasDotSegments(end..<range.upperBound)
    }

    private static func authorityStart(_ range: Range<Int>, in bytes: Span<UInt8>) -> Int? {
        for length in 7...8 where range.count > length {
            let scheme = LowercasedASCII(bytes, at: range.lowerBound, length: length)
            if scheme.equals("http:// ", length: 7) || scheme.equals("https://", length: 8) {
                return range.lowerBound &+ length
            }
        }
        return nil
    }
}
