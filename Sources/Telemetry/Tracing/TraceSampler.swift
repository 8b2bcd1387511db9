/// Decides which trace a call belongs to, and whether its spans are recorded. Immutable; a value without references.
///
/// A call that somebody else's trace has begun is recorded if that one is (parent-based). A call without a trace begins one if
/// its id falls into the ratio. The decision reads the last 56 bits of the id, as OpenTelemetry's consistent probability
/// sampling does, so that all who sample the same trace by ratio agree.
package struct TraceSampler: BitwiseCopyable, Sendable {
    private static var randomBits: UInt64 { 1 << 56 }

    /// Traces whose random bits are below this are not recorded: the rejection threshold of OpenTelemetry.
    private let threshold: UInt64
    /// Calls may have spans.
    package let isOn: Bool

    /// `ratio`: the share of traces begun here that are recorded, 0 to 1. Values outside of it are brought within.
    package init(ratio: Double) {
        let share = ratio >= 0 ? min(ratio, 1) : 0
        threshold = Self.randomBits - UInt64((share * Double(Self.randomBits)).rounded())
        isOn = true
    }

    private init() {
        threshold = Self.randomBits
        isOn = false
    }

    /// Records nothing. Calls still know the trace that they came with, for logs.
    package static let off = TraceSampler()

    /// The context of a call whose message and whose HTTP head name these spans; `.none` where they name none.
    ///
    /// The span of the message's `_meta` is the parent, for one HTTP exchange may carry several messages (OpenTelemetry,
    /// semantic conventions for MCP, "Context propagation"). The span of the HTTP field is then the link. A context with a
    /// `span` is recorded, any other is not; without a trace it is empty.
    @inline(__always)
    package func context(
        message: RemoteSpan = .none, http: RemoteSpan = .none, _ ids: inout TraceIDGenerator
    ) -> TraceContext {
        if message.isNone && http.isNone { return isOn ? root(&ids) : TraceContext() }
        return joined(message: message, http: http, &ids)
    }

    private func root(_ ids: inout TraceIDGenerator) -> TraceContext {
        var context = TraceContext()
        let low = ids.next()
        guard low & (Self.randomBits - 1) >= threshold else { return context }
        context.low = low
        context.high = ids.next()
        context.span = ids.next()
        // Sampled; and the last 56 bits of the id are random (W3C Trace Context level 2, section 3.2.2.5.2).
        context.flags = 0b11
        return context
    }

    private func joined(message: RemoteSpan, http: RemoteSpan, _ ids: inout TraceIDGenerator) -> TraceContext {
        let parent = message.isNone ? http : message
        var context = TraceContext()
        context.high = parent.high
        context.low = parent.low
        context.parent = parent.span
        // Flags that are not known are not passed on (section 3.2.2.5).
        context.flags = parent.flags & 0b11
        if !message.isNone, !http.isNone, !http.isSameSpan(as: message) {
            context.linkHigh = http.high
            context.linkLow = http.low
            context.linkSpan = http.span
        }
        if isOn, context.isSampled { context.span = ids.next() }
        return context
    }
}
