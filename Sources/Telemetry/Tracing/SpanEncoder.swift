/// Writes calls as spans of OpenTelemetry (opentelemetry-proto, trace/v1/trace.proto), each as two: the `SERVER` span that the
/// client's trace joins, and below it the `CLIENT` span of the leg to the server, if there was one.
struct SpanEncoder {
    private var spans = ProtobufWriter()
    /// Spans that are written.
    private(set) var count = 0

    /// The version of the conventions that the attributes follow.
    static let schema = "https://opentelemetry.io/schemas/1.41.0"

    /// Numbers of `Span.SpanKind`.
    private enum Kind: UInt64 { case server = 2, client = 3 }

    mutating func clear() {
        spans.clear()
        count = 0
    }

    /// The whole `ExportTraceServiceRequest` of what was added.
    func request(_ resource: TraceResource) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.message(1) { request in
            request.message(1) { message in resource.write(to: &message) }
            request.message(2) { scope in
                scope.message(1) { message in
                    message.text(1, "berth")
                    message.text(2, resource.version)
                }
                scope.append(spans)
                scope.text(3, Self.schema)
            }
        }
        return writer.bytes
    }

    /// Adds a recorded call.
    mutating func add(_ event: CallEvent, _ names: CallNames) {
        let facts = CallFacts(event, names)
        let end = event.startedAt &+ event.duration
        spans.message(2) { span in
            Self.writeHead(&span, event, id: event.trace.span, parent: event.trace.parent)
            span.text(5, facts.spanName)
            span.varint(6, Kind.server.rawValue)
            span.fixed64(7, event.startedAt)
            span.fixed64(8, end)
            facts.writeServerAttributes(to: &span)
            if event.trace.linkSpan != 0 { Self.writeLink(&span, event.trace) }
            Self.writeStatus(&span, facts)
            // The parent is of another process (SpanFlags, CONTEXT_HAS_IS_REMOTE and CONTEXT_IS_REMOTE).
            span.fixed32(16, UInt32(event.trace.flags) | (event.trace.parent == 0 ? 0x100 : 0x300))
        }
        count += 1
        guard facts.reachedServer else { return }
        spans.message(2) { span in
            Self.writeHead(&span, event, id: event.trace.serverSpan, parent: event.trace.span)
            span.text(5, facts.spanName)
            span.varint(6, Kind.client.rawValue)
            span.fixed64(7, min(end, event.startedAt &+ UInt64(event.offsets.connected) &* 1_000))
            span.fixed64(8, end)
            facts.writeClientAttributes(to: &span)
            Self.writeStatus(&span, facts)
            span.fixed32(16, UInt32(event.trace.flags) | 0x100)
        }
        count += 1
    }

    private static func writeHead(_ span: inout ProtobufWriter, _ event: CallEvent, id: UInt64, parent: UInt64) {
        span.identifier(1, event.trace.high, event.trace.low)
        span.identifier(2, id)
        if parent != 0 { span.identifier(4, parent) }
    }

    private static func writeLink(_ span: inout ProtobufWriter, _ trace: TraceContext) {
        span.message(13) { link in
            link.identifier(1, trace.linkHigh, trace.linkLow)
            link.identifier(2, trace.linkSpan)
            link.fixed32(6, 0x300)
        }
    }

    /// `Status` is set to ERROR where there is an `error.type`, and to nothing otherwise (OpenTelemetry, "Recording errors").
    private static func writeStatus(_ span: inout ProtobufWriter, _ facts: CallFacts) {
        guard facts.errorType != nil else { return }
        span.message(15) { status in status.varint(3, 2) }
    }
}

extension ProtobufWriter {
    /// Fields that another writer has written, with their tags.
    mutating func append(_ other: ProtobufWriter) { append(fields: other.bytes) }

    /// A `KeyValue` (common/v1/common.proto) whose value is text; none if it is empty.
    mutating func attribute(_ field: Int, _ key: String, _ value: String) {
        guard !value.isEmpty else { return }
        message(field) { pair in
            pair.text(1, key)
            pair.message(2) { $0.text(1, value) }
        }
    }

    /// One whose value is an integer.
    mutating func attribute(_ field: Int, _ key: String, _ value: UInt64) {
        message(field) { pair in
            pair.text(1, key)
            pair.message(2) { $0.integer(3, value) }
        }
    }

    /// One whose value is true.
    mutating func attribute(_ field: Int, _ key: String) {
        message(field) { pair in
            pair.text(1, key)
            pair.message(2) { $0.varint(2, 1) }
        }
    }

    /// One whose value is a number of seconds.
    mutating func attribute(_ field: Int, _ key: String, microseconds: UInt32) {
        message(field) { pair in
            pair.text(1, key)
            pair.message(2) { $0.fixed64(4, (Double(microseconds) / 1_000_000).bitPattern) }
        }
    }
}
