import MCP
import Telemetry
import TestSupport
import Testing

@Suite("Which trace a call belongs to")
struct TraceSamplerTests {
    private static let message = RemoteSpan(
        high: 0x0af7_6519_16cd_43dd, low: 0x8448_eb21_1c80_319c, span: 0xb7ad_6b71_6920_3331, flags: 1)
    private static let http = RemoteSpan(high: 1, low: 2, span: 3, flags: 1)

    private var ids = TraceIDGenerator(seed: 7, 11)

    @Test("a joined trace keeps its id, and the caller's span is the parent")
    mutating func joined() {
        let context = TraceSampler(ratio: 0).context(http: Self.message, &ids)

        #expect((context.high, context.low) == (Self.message.high, Self.message.low))
        #expect(context.parent == Self.message.span)
        #expect(context.isRecorded)
        #expect(context.span != context.parent)
        #expect(context.linkSpan == 0)
    }

    @Test("the span of the message is the parent, that of the HTTP field a link")
    mutating func messageFirst() {
        let context = TraceSampler(ratio: 0).context(message: Self.message, http: Self.http, &ids)

        #expect(context.parent == Self.message.span)
        #expect((context.linkHigh, context.linkLow, context.linkSpan) == (1, 2, 3))
    }

    @Test("a client that names the same span twice gets no link")
    mutating func sameSpan() {
        let context = TraceSampler(ratio: 0).context(message: Self.message, http: Self.message, &ids)

        #expect((context.linkHigh, context.linkLow, context.linkSpan) == (0, 0, 0))
    }

    @Test("the parent decides, whatever the ratio and the link say")
    mutating func parentDecides() {
        var unsampled = Self.message
        unsampled.flags = 0
        let context = TraceSampler(ratio: 1).context(message: unsampled, http: Self.http, &ids)

        #expect(!context.isRecorded)
        #expect(context.high == unsampled.high, "logs still say which trace it was")
    }

    @Test("flags that are not known are not passed on")
    mutating func unknownFlags() {
        var odd = Self.message
        odd.flags = 0xff

        #expect(TraceSampler(ratio: 0).context(http: odd, &ids).flags == 0b11)
    }

    @Test("spans and traces of only zeros are none")
    mutating func zeros() {
        let withoutSpan = RemoteSpan(high: 1, low: 1, span: 0, flags: 1)
        let withoutTrace = RemoteSpan(high: 0, low: 0, span: 1, flags: 1)

        #expect(TraceSampler(ratio: 0).context(message: withoutSpan, http: withoutTrace, &ids) == TraceContext())
    }

    @Test("where tracing is off nothing is recorded or begun, and the client's trace is still known")
    mutating func off() {
        #expect(TraceSampler.off.context(&ids) == TraceContext())
        let context = TraceSampler.off.context(message: Self.message, http: Self.http, &ids)
        #expect(!context.isRecorded)
        #expect(context.low == Self.message.low)
    }

    @Test("the share of traces that begin here is the ratio", arguments: [0, 0.01, 0.25, 1])
    func share(_ ratio: Double) {
        var ids = TraceIDGenerator(seed: 42, 43)
        let sampler = TraceSampler(ratio: ratio)
        let count = 200_000
        var recorded = 0
        for _ in 0..<count where sampler.context(&ids).isRecorded { recorded += 1 }

        // Six standard deviations of a binomial distribution.
        let spread = 6 * (Double(count) * ratio * (1 - ratio)).squareRoot()
        #expect(abs(Double(recorded) - Double(count) * ratio) <= spread)
    }

    @Test("whoever samples by the same ratio decides the same: by the last 56 bits of the id")
    mutating func consistent() {
        let sampler = TraceSampler(ratio: 0.5)
        for _ in 0..<1_000 {
            let context = sampler.context(&ids)
            guard context.isRecorded else { continue }
            #expect(context.low & (1 << 56 - 1) >= 1 << 55)
            #expect(context.flags == 0b11)
        }
    }

    @Test("a ratio outside of 0 to 1 is brought within", arguments: [(-1.0, false), (2.0, true), (.nan, false)])
    func outside(_ ratio: Double, _ isRecorded: Bool) {
        var ids = TraceIDGenerator(seed: 1, 2)
        #expect(TraceSampler(ratio: ratio).context(&ids).isRecorded == isRecorded)
    }

    @Test("ids do not repeat, and two workers with seeds of their own share none")
    func unique() {
        var seen = Set<UInt64>()
        for seed in 0..<2 as Range<UInt64> {
            var ids = TraceIDGenerator(seed: seed, 99)
            for _ in 0..<50_000 { seen.insert(ids.next()) }
        }
        #expect(seen.count == 100_000)
        #expect(!seen.contains(0))
    }

    @Test("what the server gets is a traceparent that we would join ourselves")
    mutating func roundTrip() {
        let context = TraceSampler(ratio: 1).context(&ids)
        let bytes = context.traceparent
        let read = RemoteSpan(MetaTrace(bytes.span))

        #expect((read.high, read.low, read.span) == (context.high, context.low, context.serverSpan))
        #expect(read.flags == context.flags)
        #expect(RemoteSpan(nil).isNone)
    }

    @Test("the server gets our leg to it as the parent, in the words of W3C")
    mutating func propagation() {
        let context = TraceSampler(ratio: 0).context(http: Self.message, &ids)
        let bytes = context.traceparent
        let text = String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)

        let span = String(context.serverSpan, radix: 16)
        let padded = String(repeating: "0", count: 16 - span.count) + span
        #expect(text == "00-0af7651916cd43dd8448eb211c80319c-\(padded)-01")
        #expect(context.serverSpan != context.span)
        #expect(TraceContext().serverSpan == 0)
    }
}
