package import MCP

/// A span of another process, as a `traceparent` names it (W3C Trace Context, section 3.2).
package struct RemoteSpan: BitwiseCopyable, Equatable, Sendable {
    /// The halves of the trace's id, the first 8 bytes in `high`.
    package var high: UInt64
    /// The last 8 bytes.
    package var low: UInt64
    /// The span's id.
    package var span: UInt64
    /// `trace-flags`; bit 0: sampled, bit 1: the trace's id is random.
    package var flags: UInt8

    package init(high: UInt64, low: UInt64, span: UInt64, flags: UInt8) {
        self.high = high
        self.low = low
        self.span = span
        self.flags = flags
    }

    /// The span that a `traceparent` names; `.none` if there is no valid one.
    package init(_ trace: MetaTrace?) {
        self.init(high: trace?.high ?? 0, low: trace?.low ?? 0, span: trace?.span ?? 0, flags: trace?.flags ?? 0)
    }

    /// The parent in a context that holds nothing else: what a message said before it was decided on.
    package init(ofMessage context: TraceContext) {
        self.init(high: context.high, low: context.low, span: context.parent, flags: context.flags)
    }

    /// The message names no span.
    package static let none = RemoteSpan(high: 0, low: 0, span: 0, flags: 0)

    /// There is no such span: an id of only zeros is invalid (sections 3.2.2.3 and 3.2.2.4).
    package var isNone: Bool { (high | low) == 0 || span == 0 }

    /// Whether both are the same span of the same trace.
    package func isSameSpan(as other: RemoteSpan) -> Bool {
        high == other.high && low == other.low && span == other.span
    }
}
