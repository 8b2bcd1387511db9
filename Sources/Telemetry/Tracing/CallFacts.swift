import Kernel
import MCP

/// A call in the words of OpenTelemetry's conventions for MCP (semantic-conventions-genai, docs/gen-ai/mcp.md): what its spans
/// are called and which attributes they have. Never an argument, a token or the id of a session.
struct CallFacts {
    private let event: CallEvent
    private let names: CallNames
    /// `mcp.method.name`; nil for an HTTP request without a message.
    private let method: String?
    private let name: String
    private let server: CallNames.Server?
    /// `error.type`; nil if the call succeeded.
    let errorType: String?

    /// The number of `Span.attributes`.
    private static let field = 9

    init(_ event: CallEvent, _ names: CallNames) {
        self.event = event
        self.names = names
        method = Self.method(of: event)
        name = event.name.text
        server = names.server(of: event)
        errorType = Self.errorType(of: event, names)
    }

    /// `{method} {tool or prompt}`; without a message the HTTP method. A resource has too many names for it.
    var spanName: String {
        guard let method else { return names.httpMethod(of: event)?.text ?? "HTTP" }
        return hasTarget && !name.isEmpty ? "\(method) \(name)" : method
    }

    /// Whether the request was given to a server.
    var reachedServer: Bool { event.server >= 0 && event.offsets.connected != CallEvent.Offsets.never }

    /// The name of a tool or a prompt is one of few.
    private var hasTarget: Bool { event.method == .toolsCall || event.method == .promptsGet }

    private static func method(of event: CallEvent) -> String? {
        if let name = event.method.name { return "\(name)" }
        if event.flags.contains(.listening) { return nil }
        switch event.method {
        case .response: return "response"
        case .batch: return "batch"
        default: return event.flags.contains(.request) ? "_OTHER" : nil
        }
    }

    private static func errorType(of event: CallEvent, _ names: CallNames) -> String? {
        switch event.outcome {
        case .success: nil
        case .toolError: "tool_error"
        case .rpcError: "\(event.errorCode)"
        case .httpError: "\(event.status)"
        case .timeout: "timeout"
        case .cancelled: "cancelled"
        case .aborted: "aborted"
        case .rejected: names.reason(of: event)?.text ?? "_OTHER"
        }
    }
}

// MARK: - Attributes

extension CallFacts {
    /// Writes the attributes of the span that the client's trace joins.
    func writeServerAttributes(to span: inout ProtobufWriter) {
        writeOperation(to: &span)
        let client = event.client
        span.attribute(Self.field, "client.address", Self.address(client))
        if client.port != 0 { span.attribute(Self.field, "client.port", UInt64(client.port)) }
        writeNetwork(to: &span, version: event.flags.contains(.http2) ? "2" : "1.1")
        if let method = names.httpMethod(of: event) { span.attribute(Self.field, "http.request.method", method.text) }
        if event.status != 0 { span.attribute(Self.field, "http.response.status_code", UInt64(event.status)) }
        span.attribute(Self.field, "http.request.body.size", event.requestBytes)
        span.attribute(Self.field, "http.response.body.size", event.responseBytes)
        writeOwn(to: &span)
    }

    /// Writes the attributes of the leg to the server.
    func writeClientAttributes(to span: inout ProtobufWriter) {
        writeOperation(to: &span)
        if let (host, port) = server.flatMap({ Self.split($0.name.text) }) {
            span.attribute(Self.field, "server.address", host)
            span.attribute(Self.field, "server.port", UInt64(port))
        }
        writeNetwork(to: &span, version: "1.1")
        if event.retries > 0 { span.attribute(Self.field, "http.request.resend_count", UInt64(event.retries)) }
    }

    /// What both spans say of the operation.
    private func writeOperation(to span: inout ProtobufWriter) {
        if let method { span.attribute(Self.field, "mcp.method.name", method) }
        switch event.method {
        case .toolsCall:
            span.attribute(Self.field, "gen_ai.operation.name", "execute_tool")
            span.attribute(Self.field, "gen_ai.tool.name", name)
        case .promptsGet: span.attribute(Self.field, "gen_ai.prompt.name", name)
        case .resourcesRead, .resourcesSubscribe, .resourcesUnsubscribe:
            span.attribute(Self.field, "mcp.resource.uri", Self.withoutSecrets(name))
        default: break
        }
        let revisions = ProtocolRevisions(rawValue: event.revision).names
        if revisions.count == 1 { span.attribute(Self.field, "mcp.protocol.version", revisions[0]) }
        if let errorType { span.attribute(Self.field, "error.type", errorType) }
        if event.errorCode != 0 { span.attribute(Self.field, "rpc.response.status_code", "\(event.errorCode)") }
    }

    private func writeNetwork(to span: inout ProtobufWriter, version: String) {
        span.attribute(Self.field, "network.transport", "tcp")
        span.attribute(Self.field, "network.protocol.name", "http")
        span.attribute(Self.field, "network.protocol.version", version)
    }

    /// What a balancer knows and the conventions have no name for.
    private func writeOwn(to span: inout ProtobufWriter) {
        if let upstream = names.upstream(of: event) { span.attribute(Self.field, "berth.upstream", upstream.text) }
        if let server { span.attribute(Self.field, "berth.server", server.name.text) }
        if let listener = names.listener(of: event) { span.attribute(Self.field, "berth.listener", listener.text) }
        if event.session != 0 { span.attribute(Self.field, "berth.session", Self.hexadecimal(event.session)) }
        if event.retries > 0 { span.attribute(Self.field, "berth.retries", UInt64(event.retries)) }
        if event.flags.contains(.recovered) { span.attribute(Self.field, "berth.recovered") }
        if event.flags.contains(.eventStream) { span.attribute(Self.field, "berth.event_stream") }
        writePhases(to: &span)
    }

    /// How long the call waited for what, as the metric `berth_call_phase_seconds` has it.
    private func writePhases(to span: inout ProtobufWriter) {
        let (queued, connected) = (event.offsets.queued, event.offsets.connected)
        let (firstByte, never) = (event.offsets.firstByte, CallEvent.Offsets.never)
        if queued != never {
            let end = connected == never ? Self.microseconds(event.duration) : connected
            span.attribute(Self.field, "berth.queue.duration", microseconds: end > queued ? end - queued : 0)
        }
        guard connected != never else { return }
        if queued == never { span.attribute(Self.field, "berth.connect.duration", microseconds: connected) }
        if firstByte != never, firstByte >= connected {
            span.attribute(Self.field, "berth.first_byte.duration", microseconds: firstByte - connected)
        }
    }

    private static func microseconds(_ nanoseconds: UInt64) -> UInt32 { UInt32(clamping: nanoseconds / 1_000) }
}

// MARK: - Texts

extension CallFacts {
    /// The sixteen digits by which logs know a session.
    private static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// The client's address without its port; empty if it is not known.
    private static func address(_ client: CallEvent.ClientAddress) -> String {
        var halves: (high: UInt64, low: UInt64) = (0, 0)
        for index in 0..<8 {
            halves.high = halves.high << 8 | UInt64(client.bytes[index])
            halves.low = halves.low << 8 | UInt64(client.bytes[index + 8])
        }
        guard halves != (0, 0) else { return "" }
        let isIPv4 = halves.high == 0 && halves.low >> 32 == 0xffff
        return SocketAddress(high: halves.high, low: halves.low, port: 0, isIPv4: isIPv4).host
    }

    /// A resource's URI without what may be a secret in it: its user, its query and its fragment (RFC 3986 section 3).
    static func withoutSecrets(_ uri: String) -> String {
        let path = uri.prefix { $0 != "?" && $0 != "#" }
        guard let scheme = path.firstRange(of: "://") else { return String(path) }
        let rest = path[scheme.upperBound...]
        let authority = rest.prefix { $0 != "/" }
        guard let at = authority.lastIndex(of: "@") else { return String(path) }
        return String(path[..<scheme.upperBound]) + rest[rest.index(after: at)...]
    }

    /// The host and the port of `upstream/host:port` or `host:port`; nil if it is neither.
    static func split(_ server: String) -> (host: String, port: UInt16)? {
        let address = server[(server.lastIndex(of: "/").map(server.index(after:)) ?? server.startIndex)...]
        guard let colon = address.lastIndex(of: ":"), let port = UInt16(address[address.index(after: colon)...]) else {
            return nil
        }
        let host = address[..<colon]
        guard host.hasPrefix("["), host.hasSuffix("]") else { return (String(host), port) }
        return (String(host.dropFirst().dropLast()), port)
    }
}
