import ASCII

extension Span where Element == UInt8 {
    /// Whether `range` is a host with or without a port (RFC 3986 §3.2, without user information): a registered name,
    /// an IPv4 address or an IP literal in brackets, then optionally `:` and up to five digits. An IPv6 literal must
    /// be a whole address; of one of a later version (IPvFuture) the grammar is checked.
    func isAuthority(_ range: Range<Int>) -> Bool {
        guard !range.isEmpty else { return false }
        let hostEnd =
            self[range.lowerBound] == UInt8(ascii: "[")
            ? literalEnd(from: range.lowerBound, to: range.upperBound)
            : registeredNameEnd(from: range.lowerBound, to: range.upperBound)
        guard let hostEnd, hostEnd > range.lowerBound else { return false }
        return isPort(hostEnd..<range.upperBound)
    }

    /// The end of an IP literal, bracket included; nil if it is malformed.
    private func literalEnd(from start: Int, to end: Int) -> Int? {
        var index = start &+ 1
        while index < end, self[index] != UInt8(ascii: "]") { index &+= 1 }
        guard index < end else { return nil }
        let literal = start &+ 1..<index
        return ipv6(literal) != nil || isFutureLiteral(literal) ? index &+ 1 : nil
    }

    /// Whether the range is `v` HEXDIG+ `.` and then unreserved characters, sub-delims or colons (RFC 3986 §3.2.2).
    private func isFutureLiteral(_ range: Range<Int>) -> Bool {
        guard let first = range.first, self[first] | 0x20 == UInt8(ascii: "v") else { return false }
        var dot = first &+ 1
        while dot < range.upperBound, self[dot].hexadecimalValue != nil { dot &+= 1 }
        guard dot > first &+ 1, dot &+ 1 < range.upperBound, self[dot] == UInt8(ascii: ".") else { return false }
        for index in dot &+ 1..<range.upperBound
        where !ByteClass.isRegisteredName(self[index]) && self[index] != UInt8(ascii: ":") {
            return false
        }
        return true
    }

    /// The index of the first byte that no registered name may have; nil if a percent sign is not followed by two
    /// hexadecimal digits.
    private func registeredNameEnd(from start: Int, to end: Int) -> Int? {
        var index = start
        while index < end {
            if ByteClass.isRegisteredName(self[index]) {
                index &+= 1
            } else if self[index] == UInt8(ascii: "%") {
                guard end &- index > 2, self[index &+ 1].hexadecimalValue != nil,
                    self[index &+ 2].hexadecimalValue != nil
                else { return nil }
                index &+= 3
            } else {
                break
            }
        }
        return index
    }

    /// Whether the range is empty, or a colon and up to five digits.
    private func isPort(_ range: Range<Int>) -> Bool {
        guard let first = range.first else { return true }
        guard self[first] == UInt8(ascii: ":"), range.count <= 6 else { return false }
        for index in range.dropFirst() where !self[index].isDigit { return false }
        return true
    }
}
