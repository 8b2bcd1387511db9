import HTTP
import Kernel
import MCP
import Reactor
import Telemetry

/// What metrics, logs and traces are told of each exchange: what it asks for, what its answer says, how it ended.
extension Worker where Outside: ~Copyable {
    /// An exchange begins; its request is parsed and at the front of `io.received`.
    mutating func beginCall(_ exchange: Handle) {
        guard exchanges.watchesCalls else { return }
        var event = CallEvent()
        describeClient(exchange, &event)
        if let version = io.requestHead.protocolVersion {
            event.revision = ProtocolRevisions(version: io.received.span.extracting(version.range)).rawValue
        }
        if exchanges[exchange].isWhole, case .post = exchanges[exchange].method { readCall(&event) }
        exchanges[exchange].call = exchanges.calls.insert(event)
        traceCall(exchange)
    }

    private mutating func describeClient(_ exchange: Handle, _ event: inout CallEvent) {
        let client = exchanges[exchange].client
        event.startedAt = clock.wallNanoseconds(&io.world)
        event.httpMethod = exchanges[exchange].method.rawValue
        let listener = clients.listener(of: client)
        event.listener = UInt16(truncatingIfNeeded: clients.listeners[listener].slot)
        // Behind trusted proxies the address is text, which costs memory to read: only a log needs it.
        let address = metrics.ring.isOn ? clientAddress(client) : clients[client].address
        event.client = CallEvent.ClientAddress(address.high, address.low, port: address.port)
        if clients[client].isSecure { event.flags.insert(.secure) }
        if clients.isStream(client) { event.flags.insert(.http2) }
    }

    /// Reads what the request at the front of `io.received`, which is all there, asks for.
    private func readCall(_ event: inout CallEvent) {
        if let body = RequestID.undividedBody(of: io.received, io.requestHead) {
            Self.read(io.received.span.extracting(body), &event)
        } else {
            Self.read(RequestID.body(of: io.received, io.requestHead).span, &event)
        }
    }

    private static func read(_ body: Span<UInt8>, _ event: inout CallEvent) {
        guard let summary = RequestSummary(of: body) else { return }
        event.method = summary.method
        if summary.hasID { event.flags.insert(.request) }
        if let range = summary.traceparent, let trace = MetaTrace(body.extracting(range)) {
            event.trace = TraceContext(parent: trace.high, trace.low, span: trace.span, flags: trace.flags)
        }
        if let subject = summary.subject { event.name = CallName(body.extracting(subject)) }
        if event.revision == 0, let version = summary.protocolVersion {
            event.revision = ProtocolRevisions(version: body.extracting(version)).rawValue
        }
    }

    /// The exchange belongs to a session, or opens one.
    mutating func noteCallSession(_ exchange: Handle, _ key: SessionKey) {
        let slot = exchanges[exchange].call
        exchanges.calls.update(slot) { $0.event.session = key.number }
    }

    /// The response's head is parsed. From here on its body is read, unless nothing can be learned of it.
    mutating func beginAnswer(_ exchange: Handle, isEventStream: Bool) {
        let slot = exchanges[exchange].call
        guard slot != OpenCalls.none else { return }
        if isEventStream, case .get = exchanges[exchange].method {
            // Idle streams are many. What is to be said of them is known at their end as well.
            exchanges[exchange].call = OpenCalls.none
            exchanges.calls.discard(slot)
            return
        }
        let isReadable = !io.hasContentCoding
        exchanges.calls.update(slot) { call in
            if isEventStream { call.event.flags.insert(.eventStream) }
            if call.event.method == .listen { call.event.flags.insert(.listening) }
            guard isReadable, call.event.flags.contains(.request), call.event.method != .listen else { return }
            call.scanner = ReplyScanner(isEventStream ? .eventStream : .json)
        }
    }

    /// A piece of the response's body passes by.
    @inline(__always)
    mutating func readAnswer(_ exchange: Handle, _ range: ByteRange) {
        let slot = exchanges[exchange].call
        if slot != OpenCalls.none { exchanges.calls.scan(slot, io.received, range) }
    }

    /// The exchange is over: tells whoever wants to know. What the proxy asks of servers for itself is nobody's call.
    mutating func endCall(_ exchange: Handle, _ record: ExchangeRecord) {
        guard exchanges.watchesCalls, !clients.isInternal(exchanges[exchange].client) else { return }
        let slot = exchanges[exchange].call
        if slot == OpenCalls.none {
            var event = CallEvent()
            event.startedAt = clock.wallNanoseconds(&io.world)
            if clients.contains(exchanges[exchange].client) { describeClient(exchange, &event) }
            if exchanges[exchange].isEventStream { event.flags.formUnion([.listening, .eventStream]) }
            finish(&event, exchange, record, .none)
            report(event)
            return
        }
        let verdict = exchanges.calls.verdict(slot)
        var event = exchanges.calls.event(slot)
        finish(&event, exchange, record, verdict)
        report(event)
    }

    private func finish(
        _ event: inout CallEvent, _ exchange: Handle, _ record: ExchangeRecord, _ verdict: ReplyScanner.Verdict
    ) {
        event.duration = (record.endedAt - record.times.startedAt).nanoseconds
        if event.flags.contains(.listening) { event.startedAt &-= event.duration }
        event.offsets.queued = record.times.queued
        event.offsets.connected = record.times.connected
        event.offsets.firstByte = record.times.firstByte
        event.requestBytes = record.requestBytes
        event.responseBytes = record.responseBytes
        event.upstream = exchanges[exchange].upstream
        event.server = exchanges[exchange].server
        event.status = record.status
        event.retries = record.attempts
        if exchanges[exchange].wasRecovered { event.flags.insert(.recovered) }
        event.settle(record, verdict)
    }

    private func report(_ event: borrowing CallEvent) {
        metrics.calls.record(event)
        if metrics.ring.isOn { metrics.ring.push(event) }
    }
}
