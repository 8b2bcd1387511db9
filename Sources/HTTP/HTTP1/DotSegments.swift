import ASCII

extension Span where Element == UInt8 {
    /// Whether the path of a target has a segment that is `.` or `..`, with dots as they are or as `%2e`
    /// (RFC 3986 §5.2.4, §6.2.2.2). Some servers take `%2f`, a backslash and `%5c` for slashes too, and drop a
    /// segment's parameters from `;` on; a dot segment between those counts as well. The query does not count.
    @inline(__always)
    func hasDotSegments(_ target: Range<Int>) -> Bool {
        var index = target.lowerBound
        while index < target.upperBound {
            let byte = self[index]
            // Few paths have any of these, and most of those only in names such as "/.well-known".
            if byte == UInt8(ascii: ".") || byte == UInt8(ascii: "%") { return findsDotSegment(target) }
            if byte == UInt8(ascii: "?") { return false }
            index &+= 1
        }
        return false
    }

    @inline(never)
    private func findsDotSegment(_ target: Range<Int>) -> Bool {
        // The dots of the segment so far; nil once it has anything else.
        var dots: Int?
        var index = target.lowerBound
        while index < target.upperBound, self[index] != UInt8(ascii: "?") {
            let (byte, length) = pathByte(at: index, to: target.upperBound)
            switch byte {
            case UInt8(ascii: "/"), UInt8(ascii: "\\"), UInt8(ascii: ";"):
                if Self.isDotSegment(dots) { return true }
                dots = byte == UInt8(ascii: ";") ? nil : 0
            case UInt8(ascii: "."): dots = dots.map { $0 &+ 1 }
            default: dots = nil
            }
            index &+= length
        }
        return Self.isDotSegment(dots)
    }

    private static func isDotSegment(_ dots: Int?) -> Bool { dots == 1 || dots == 2 }

    /// The byte at `index`, decoded if it is percent-encoded, and the number of characters it takes.
    private func pathByte(at index: Int, to end: Int) -> (byte: UInt8, length: Int) {
        guard self[index] == UInt8(ascii: "%"), end &- index > 2, let high = self[index &+ 1].hexadecimalValue,
            let low = self[index &+ 2].hexadecimalValue
        else { return (self[index], 1) }
        return (high << 4 | low, 3)
    }
}
