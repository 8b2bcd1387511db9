import HTTP
import Kernel
import MCP
import Reactor
import Telemetry

/// What metrics, logs and traces are told of each exchange: what it asks for, what its answer says, how it ended.
extension Worker where Outside: ~Copyable {
    /// An exchange begins; its request is parsed and at the front of `io.received`.
    mutating func beginCall(_ exchange: Handle) {
        guard exchanges.countsCalls || metrics.ring.isOn else { return }
        let slot = exchanges.calls.begin()
        guard slot != OpenCalls.none else { return }
        exchanges[exchange].call = slot
        // Behind trusted proxies the address is text, which takes time to read: only a log needs it.
        let client = exchanges[exchange].client
        describeClient(exchange, slot, at: metrics.ring.isOn ? clientAddress(client) : clients[client].address)
        if let version = io.requestHead.protocolVersion {
            let revision = ProtocolRevisions(version: io.received.span.extracting(version.range)).rawValue
            exchanges.calls.update(slot) { $0.event.revision = revision }
        }
        if exchanges[exchange].isWhole, case .post = exchanges[exchange].method {
            readRequest(exchange, slot)
        }
        traceCall(exchange)
    }

    private mutating func readRequest(_ exchange: Handle, _ slot: UInt32) {
        guard let body = RequestID.undividedBody(of: io.received, io.requestHead) else {
            exchanges.calls.readRequest(slot, body: RequestID.body(of: io.received, io.requestHead))
            return
        }
        let known = exchanges.caching.known.find(exchange, io.received, head: io.requestHead.length, body: body)
        exchanges.calls.readRequest(slot, io.received, body, known: known?.summary)
    }

    private mutating func describeClient(_ exchange: Handle, _ slot: UInt32, at address: SocketAddress) {
        let client = exchanges[exchange].client
        let startedAt = clock.wallNanoseconds(&io.world)
        let method = exchanges[exchange].method.rawValue
        let listener = clients.listener(of: client)
        let listenerSlot = UInt16(truncatingIfNeeded: clients.listeners[listener].slot)
        // An empty literal is a call that Swift 6.3 does not specialise.
        var flags = CallEvent.Flags(rawValue: 0)
        if clients[client].isSecure { flags.insert(.secure) }
        if clients.isStream(client) { flags.insert(.http2) }
        exchanges.calls.update(slot) { call in
            call.event.startedAt = startedAt
            call.event.httpMethod = method
            call.event.listener = listenerSlot
            call.event.client = CallEvent.ClientAddress(address.high, address.low, port: address.port)
            call.event.flags = flags
        }
    }

    /// It is answered from the cache.
    mutating func noteCached(_ exchange: Handle) {
        let slot = exchanges[exchange].call
        if slot != OpenCalls.none { exchanges.calls.update(slot) { $0.event.flags.insert(.cached) } }
    }

    /// The exchange belongs to a session, or opens one.
    mutating func noteCallSession(_ exchange: Handle, _ key: SessionKey) {
        let slot = exchanges[exchange].call
        if slot != OpenCalls.none { exchanges.calls.update(slot) { $0.event.session = key.number } }
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
        var isToolList = false
        exchanges.calls.update(slot) { call in
            if isEventStream { call.event.flags.insert(.eventStream) }
            if call.event.method == .listen { call.event.flags.insert(.listening) }
            guard isReadable, call.event.flags.contains(.request), call.event.method != .listen else { return }
            call.scanner = ReplyScanner(isEventStream ? .eventStream : .json)
            if case .toolsList = call.event.method { isToolList = true }
        }
        // The names of tools become labels, those of tools that never answer well too.
        if isToolList, io.responseHead.status == 200 { exchanges.toolLists.begin(exchange.slot) }
    }

    /// A piece of the response's body passes by.
    @inline(__always)
    mutating func readAnswer(_ exchange: Handle, _ range: ByteRange) {
        let slot = exchanges[exchange].call
        guard slot != OpenCalls.none else { return }
        let isLast = exchanges[exchange].response.isComplete
        exchanges.calls.readAnswer(slot, io.received, range, isLast: isLast)
    }

    /// The exchange is over: tells whoever wants to know. What the proxy asks of servers for itself is nobody's call.
    mutating func endCall(_ exchange: Handle, _ record: ExchangeRecord) {
        guard exchanges.countsCalls || metrics.ring.isOn, !clients.isInternal(exchanges[exchange].client) else {
            return
        }
        if exchanges[exchange].call == OpenCalls.none {
            // A call that began before anybody wanted calls is not known.
            guard metrics.ring.isOn, case .get = exchanges[exchange].method else { return }
            beginListening(exchange, record)
        }
        let slot = exchanges[exchange].call
        let isRecovered = exchanges[exchange].wasRecovered
        let (recorder, ring) = (metrics.calls, metrics.ring)
        // Messages of MCP come by POST; what else there is has metrics as an exchange.
        let isMessage = if case .post = exchanges[exchange].method { exchanges.countsCalls } else { false }
        exchanges.calls.update(slot) { call in
            call.event.finish(record, call.scanner?.verdict ?? .none, isRecovered: isRecovered)
            if isMessage { recorder.record(call.event) }
            if ring.isOn { ring.push(call.event) }
        }
    }

    /// A stream that only listened is over: it gets a place again, to be told of.
    private mutating func beginListening(_ exchange: Handle, _ record: ExchangeRecord) {
        let slot = exchanges.calls.begin()
        guard slot != OpenCalls.none else { return }
        exchanges[exchange].call = slot
        let client = exchanges[exchange].client
        // The head that named the client is long gone: whose connection it was is all that is known.
        if clients.contains(client) { describeClient(exchange, slot, at: clients[client].address) }
        let startedAt = clock.wallNanoseconds(&io.world) &- (record.endedAt - record.times.startedAt).nanoseconds
        exchanges.calls.update(slot) { call in
            call.event.startedAt = startedAt
            call.event.flags.formUnion([.listening, .eventStream])
        }
    }
}
