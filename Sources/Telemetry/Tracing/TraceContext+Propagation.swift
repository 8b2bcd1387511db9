import ASCII

extension TraceContext {
    /// Spans of this call are recorded. Where they are not, what the client sent is forwarded as it came.
    package var isRecorded: Bool { span != 0 }

    /// The span of the leg to the server, a child of `span`; 0 if none is recorded.
    package var serverSpan: UInt64 {
        guard span != 0 else { return 0 }
        let mixed = TraceIDGenerator.mix(span)
        return mixed == 0 ? 1 : mixed
    }

    /// The value of `traceparent` for the server, whose parent is our leg to it (W3C Trace Context, section 3.2):
    /// `00-{32 digits}-{16 digits}-{2 digits}`. Only for a call that is recorded.
    @inline(__always)
    package var traceparent: InlineArray<55, UInt8> {
        var text = InlineArray<55, UInt8>(repeating: UInt8(ascii: "-"))
        Self.write(0, digits: 2, at: 0, in: &text)
        Self.write(high, digits: 16, at: 3, in: &text)
        Self.write(low, digits: 16, at: 19, in: &text)
        Self.write(serverSpan, digits: 16, at: 36, in: &text)
        Self.write(UInt64(flags), digits: 2, at: 53, in: &text)
        return text
    }

    private static func write(_ value: UInt64, digits: Int, at start: Int, in text: inout InlineArray<55, UInt8>) {
        var rest = value
        for index in (start..<start + digits).reversed() {
            text[index] = UInt8(hexadecimalDigit: UInt8(truncatingIfNeeded: rest & 15))
            rest >>= 4
        }
    }
}
