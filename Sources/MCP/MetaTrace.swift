import ASCII

/// A `traceparent` (W3C Trace Context, level 1, section 3.2), as the HTTP field of that name and the `_meta` of MCP messages
/// have it.
package struct MetaTrace: BitwiseCopyable, Equatable, Sendable {
    /// The first 8 bytes of `trace-id`. Not both halves are 0.
    package let high: UInt64
    /// The last 8 bytes of `trace-id`.
    package let low: UInt64
    /// `parent-id`: the span of whoever sent it. Never 0.
    package let span: UInt64
    /// `trace-flags`; bit 0: sampled. Of versions later than 00 only that bit is taken over.
    package let flags: UInt8

    /// Reads the value of the field; nil if it is none. Upper case is none (section 3.2.2). A later version may have more
    /// behind the flags.
    package init?(_ text: Span<UInt8>) {
        guard text.count >= 55, text[2] == UInt8(ascii: "-"), text[35] == UInt8(ascii: "-"),
            text[52] == UInt8(ascii: "-"), let version = Self.number(text, 0, digits: 2), version != 0xFF,
            text.count == 55 || (version != 0 && text[55] == UInt8(ascii: "-")),
            let high = Self.number(text, 3, digits: 16), let low = Self.number(text, 19, digits: 16),
            let span = Self.number(text, 36, digits: 16), let flags = Self.number(text, 53, digits: 2)
        else { return nil }
        guard high | low != 0, span != 0 else { return nil }
        self.high = high
        self.low = low
        self.span = span
        self.flags = UInt8(truncatingIfNeeded: version == 0 ? flags : flags & 1)
    }

    /// A number of up to 16 digits in lower case.
    private static func number(_ text: Span<UInt8>, _ start: Int, digits: Int) -> UInt64? {
        var number: UInt64 = 0
        for index in start..<(start + digits) {
            let byte = text[index]
            guard let value = byte.hexadecimalValue, byte == byte.lowercased else { return nil }
            number = number << 4 | UInt64(value)
        }
        return number
    }
}
