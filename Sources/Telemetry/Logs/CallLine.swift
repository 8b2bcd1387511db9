import Kernel
import MCP

/// A call as one JSON object. Keys that a call has nothing for are left out; what there is comes in this order.
extension LogBuffer {
    mutating func append(json event: borrowing CallEvent, _ names: CallNames, isSlow: Bool, _ time: inout LogTime) {
        append("{\"time\":\"")
        time.append(internet: event.startedAt, to: &self)
        append("\"")
        if let listener = names.listener(of: event) { append(",\"listener\":\"", listener) }
        append(",\"client\":\"")
        append(event.client)
        append("\"")
        if let method = names.httpMethod(of: event) { append(",\"http_method\":\"", method) }
        append(event.flags.contains(.http2) ? ",\"http_version\":\"2\"" : ",\"http_version\":\"1.1\"")
        append(event.flags.contains(.secure) ? ",\"tls\":true" : ",\"tls\":false")
        append(",\"status\":")
        append(decimal: UInt64(event.status))
        appendMessage(of: event)
        appendOutcome(of: event, names, isSlow: isSlow)
        appendRoute(of: event, names)
        appendTrace(of: event)
        appendPhases(of: event)
        append(",\"bytes_in\":")
        append(decimal: event.requestBytes)
        append(",\"bytes_out\":")
        append(decimal: event.responseBytes)
        if event.retries > 0 {
            append(",\"retries\":")
            append(decimal: UInt64(event.retries))
        }
        if event.flags.contains(.recovered) { append(",\"recovered\":true") }
        if event.flags.contains(.cached) { append(",\"cached\":true") }
        append("}")
    }

    private mutating func append(_ key: StaticString, _ name: CallNames.Name) {
        append(key)
        append(name.json)
        append("\"")
    }

    /// The method, what it is called with by name, and the revision.
    mutating func appendMessage(of event: borrowing CallEvent) {
        if let method = event.methodText {
            append(",\"mcp_method\":\"")
            append(method)
            append("\"")
        }
        if !event.name.isEmpty {
            append(event.nameKey)
            append(event.name)
            append("\"")
        }
        if let revision = event.revisionText {
            append(",\"mcp_protocol_version\":\"")
            append(revision)
            append("\"")
        }
    }

    mutating func appendOutcome(of event: borrowing CallEvent, _ names: CallNames, isSlow: Bool) {
        append(",\"outcome\":\"")
        append(event.outcome.text)
        append("\"")
        if event.errorCode != 0 {
            append(",\"error_code\":")
            append(decimal: Int(event.errorCode))
        }
        if let reason = names.reason(of: event) { append(",\"reason\":\"", reason) }
        if isSlow { append(",\"slow\":true") }
        if event.flags.contains(.eventStream) { append(",\"stream\":true") }
        if event.flags.contains(.listening) { append(",\"listening\":true") }
    }

    mutating func appendRoute(of event: borrowing CallEvent, _ names: CallNames) {
        if let upstream = names.upstream(of: event) { append(",\"upstream\":\"", upstream) }
        if let server = names.server(of: event) { append(",\"server\":\"", server.name) }
        if event.session != 0 {
            append(",\"session\":\"")
            append(hexadecimal: event.session)
            append("\"")
        }
    }

    mutating func appendTrace(of event: borrowing CallEvent) {
        guard !event.trace.isEmpty else { return }
        append(",\"trace_id\":\"")
        append(hexadecimal: event.trace.high)
        append(hexadecimal: event.trace.low)
        append("\"")
        if event.trace.span != 0 {
            append(",\"span_id\":\"")
            append(hexadecimal: event.trace.span)
            append("\"")
        }
        if event.trace.parent != 0 {
            append(",\"parent_span_id\":\"")
            append(hexadecimal: event.trace.parent)
            append("\"")
        }
    }

    private mutating func appendPhases(of event: borrowing CallEvent) {
        append(",\"duration_ms\":")
        append(milliseconds: event.duration)
        let phases = CallPhaseTimes(event)
        append(",\"queue_ms\":", phases.queue)
        append(",\"connect_ms\":", phases.connect)
        append(",\"first_byte_ms\":", phases.firstByte)
    }

    private mutating func append(_ key: StaticString, _ microseconds: UInt64?) {
        guard let microseconds else { return }
        append(key)
        append(milliseconds: microseconds * 1_000)
    }
}

/// How long the phases of a call took, in microseconds; nil: it had none, or did not get there.
struct CallPhaseTimes: Equatable {
    /// In the queue, to a connection or to the end.
    var queue: UInt64?
    /// To a connection, without a queue: from a parked one almost nothing, else the time to dial.
    var connect: UInt64?
    /// From the connection to the first byte of the response: the server's time.
    var firstByte: UInt64?

    init(_ event: borrowing CallEvent) {
        let offsets = event.offsets
        let connected = Self.offset(offsets.connected)
        if let queued = Self.offset(offsets.queued) {
            var end = event.duration / 1_000
            if let connected { end = connected }
            queue = end > queued ? end - queued : 0
        } else {
            connect = connected
        }
        if let connected, let first = Self.offset(offsets.firstByte) {
            firstByte = first > connected ? first - connected : 0
        }
    }

    private static func offset(_ microseconds: UInt32) -> UInt64? {
        microseconds == CallEvent.Offsets.never ? nil : UInt64(microseconds)
    }
}
