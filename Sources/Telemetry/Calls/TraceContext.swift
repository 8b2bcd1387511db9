/// The trace that a call belongs to (W3C Trace Context). All zero: it belongs to none.
package struct TraceContext: BitwiseCopyable, Equatable, Sendable {
    /// The halves of the trace's id, the first 8 bytes in `high`.
    package var high: UInt64 = 0
    /// The last 8 bytes.
    package var low: UInt64 = 0
    /// The span of whoever called; 0: there is none.
    package var parent: UInt64 = 0
    /// Our own span; 0: none is made.
    package var span: UInt64 = 0
    /// The trace and span of the HTTP field, if the message's `_meta` has another context, which is then the parent; 0: none.
    package var linkHigh: UInt64 = 0
    /// The other half.
    package var linkLow: UInt64 = 0
    /// The span of that context.
    package var linkSpan: UInt64 = 0
    /// `trace-flags`; bit 0: sampled.
    package var flags: UInt8 = 0

    /// No trace.
    package init() {}

    /// There is no trace.
    /// The span that a message names as its caller's; it is not decided on yet.
    package init(parent high: UInt64, _ low: UInt64, span: UInt64, flags: UInt8) {
        self.high = high
        self.low = low
        self.parent = span
        self.flags = flags
    }

    /// There is no trace.
    package var isEmpty: Bool { high == 0 && low == 0 }
    /// Spans of the trace are recorded.
    package var isSampled: Bool { flags & 1 != 0 }
}
