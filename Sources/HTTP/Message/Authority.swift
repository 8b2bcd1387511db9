import ASCII

extension Span where Element == UInt8 {
    /// Whether `range` is a host with or without a port (RFC 3986 §3.2, without user information): a registered name,
    /// an IPv4 address or an IPv6 literal in brackets, then optionally `:` and up to five digits. Of an IPv6 literal
    /// only the characters are checked.
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
        while index < end, isLiteralByte(self[index]) { index &+= 1 }
        guard index < end, index > start &+ 1, self[index] == UInt8(ascii: "]") else { return nil }
        return index &+ 1
    }

    private func isLiteralByte(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ":") || byte == UInt8(ascii: ".") || byte.hexadecimalValue != nil
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
