import Kernel
import MCP

/// A call as the Common Log Format has it, so that tools that know it read the beginning, and behind it the keys of the JSON
/// form. The request is the HTTP method, the MCP method with its name, and the HTTP version.
extension LogBuffer {
    mutating func append(text event: borrowing CallEvent, _ names: CallNames, isSlow: Bool, _ time: inout LogTime) {
        append(event.client)
        append(" - - [")
        time.append(common: event.startedAt, to: &self)
        append("] \"")
        appendRequest(of: event, names)
        append("\" ")
        append(decimal: UInt64(event.status))
        append(" ")
        append(decimal: event.responseBytes)
        append(" ")
        append(event.outcome.text)
        if event.errorCode != 0 {
            append(" error_code=")
            append(decimal: Int(event.errorCode))
        }
        if let reason = names.reason(of: event) { appendWord(" reason=", reason) }
        if let upstream = names.upstream(of: event) { appendWord(" upstream=", upstream) }
        if let server = names.server(of: event) { appendWord(" server=", server.name) }
        appendIdentifiers(of: event)
        appendTimes(of: event)
        if event.retries > 0 {
            append(" retries=")
            append(decimal: UInt64(event.retries))
        }
        if event.flags.contains(.recovered) { append(" recovered") }
        if event.flags.contains(.cached) { append(" cached") }
        if event.flags.contains(.eventStream) { append(" stream") }
        if event.flags.contains(.listening) { append(" listening") }
        if isSlow { append(" slow") }
    }

    private mutating func appendRequest(of event: borrowing CallEvent, _ names: CallNames) {
        if let method = names.httpMethod(of: event) { append(method.json) } else { append("-") }
        append(" ")
        if let method = event.methodText { append(method) } else { append("-") }
        if !event.name.isEmpty {
            append(" ")
            append(event.name)
        }
        append(event.flags.contains(.http2) ? " HTTP/2.0" : " HTTP/1.1")
    }

    /// In quotes where the name would be taken for several words.
    private mutating func appendWord(_ key: StaticString, _ name: CallNames.Name) {
        append(key)
        let isWord = !name.json.contains { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\\") }
        if !isWord { append("\"") }
        append(name.json)
        if !isWord { append("\"") }
    }

    private mutating func appendIdentifiers(of event: borrowing CallEvent) {
        if event.session != 0 {
            append(" session=")
            append(hexadecimal: event.session)
        }
        guard !event.trace.isEmpty else { return }
        append(" trace_id=")
        append(hexadecimal: event.trace.high)
        append(hexadecimal: event.trace.low)
    }

    private mutating func appendTimes(of event: borrowing CallEvent) {
        append(" bytes_in=")
        append(decimal: event.requestBytes)
        append(" duration_ms=")
        append(milliseconds: event.duration)
        let phases = CallPhaseTimes(event)
        appendTime(" queue_ms=", phases.queue)
        appendTime(" connect_ms=", phases.connect)
        appendTime(" first_byte_ms=", phases.firstByte)
    }

    private mutating func appendTime(_ key: StaticString, _ microseconds: UInt64?) {
        guard let microseconds else { return }
        append(key)
        append(milliseconds: microseconds * 1_000)
    }
}
