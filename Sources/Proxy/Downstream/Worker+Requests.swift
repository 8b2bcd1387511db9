import HTTP
import Kernel
import MCP
import Reactor
import Telemetry

/// From a parsed head to an exchange: the phase `receive`.
extension Worker where Outside: ~Copyable {
    /// Takes up the request at the front of `io.received`. What is left there afterwards follows the request, or is
    /// nothing: the client's phase says whether another may be read.
    mutating func receive(_ client: Handle) {
        let listener = clients.listener(of: client)
        guard clients.listeners[listener].plan.role == .traffic else {
            receiveAdmin(client)
            return
        }
        switch io.requestHead.method {
        case .get, .head, .post, .put, .delete, .options, .patch: break
        case .trace, .connect, .other:
            rejectAndKeepAlive(client, .methodNotAllowed)
            return
        }
        let extent = RequestExtent(
            of: io.requestHead, in: io.received, limit: clients.listeners[listener].plan.maximumRequestBody,
            endIsAnnounced: clients.isStream(client))
        switch extent {
        case .invalid: rejectAndKeepAlive(client, .malformed)
        case .tooLarge: rejectAndKeepAlive(client, .requestTooLarge)
        case .gathering(let needed): gather(client, needed, as: .body)
        case .gatheringChunks: gather(client, io.received.count + 1, as: .chunkedBody)
        case .whole(let length): begin(client, isWhole: true, length: length)
        case .streaming: begin(client, isWhole: false, length: io.received.count)
        }
    }

    mutating func gather(_ client: Handle, _ needed: Int, as kind: ClientConnection.Gathering) {
        if !clients[client].gathering.isBody { clients.beginBody(client, at: clock.now) }
        clients[client].needed = UInt32(needed)
        clients[client].gathering = kind
        io.saveInput(&clients[client].transport)
        clients.armReadTimeout(client, &clock)
    }

    /// Makes an exchange of the request and sends it on its way.
    private mutating func begin(_ client: Handle, isWhole: Bool, length: Int) {
        clients[client].hasServed = true
        clients[client].gathering = .nothing
        clients[client].pace = 0
        clients[client].needed = 0
        // From here on the client's input keeps the request; whatever becomes of the exchange, it is found there.
        io.bufferPool.acquire(for: &clients[client].transport.input)
        clients[client].transport.input.append(io.received)
        let kind = RequestKind(of: io.requestHead, in: io.received)
        let made = Exchange(
            client: client, kind: kind, head: io.requestHead, isWhole: isWhole, length: length, now: clock.now)
        guard let exchange = exchanges.insert(made) else {
            reject(client, .noServerAvailable)
            return
        }
        metrics.exchangeBegan()
        clients[client].exchange = exchange
        clients[client].phase = .exchanging
        clients[client].deadline = .never
        if let session = io.requestHead.sessionID { exchanges[exchange].sessionID = session }
        if exchanges[exchange].mayOpenLegacySession { keepTarget(exchange) }
        beginCall(exchange)
        advance(exchange, from: .route)
        io.received.clear()
    }

    /// Keeps the target of a GET that may open a legacy stream: its endpoint event is relative to it.
    private mutating func keepTarget(_ exchange: Handle) {
        let target = io.requestHead.target.range
        guard target.count <= Int(UInt16.max) else { return }
        exchanges[exchange].pending.reserve(exactly: target.count)
        exchanges[exchange].pending.append(io.received, target)
        exchanges[exchange].targetCount = UInt16(target.count)
    }

    /// Whether a kept request could be read again.
    enum Reload {
        case ready
        /// Its client was a stream whose connection is gone, and waits to be told.
        case orphaned
        case gone
    }

    /// Puts an exchange's request, which its client's input keeps, back at the front of `io.received` and parses it
    /// again. The cold path: a connection had to be opened or waited for, or the request is sent a second time.
    mutating func reloadRequest(_ exchange: Handle) -> Reload {
        let client = exchanges[exchange].client
        guard clients.contains(client) else { return .gone }
        guard !clients.isOrphan(client) else { return .orphaned }
        io.received.clear()
        io.received.append(clients[client].transport.input)
        let listener = clients.listener(of: client)
        guard case .complete = clients.listeners[listener].parser.parse(io.received, into: &io.requestHead) else {
            return .gone
        }
        return .ready
    }
}

extension RequestKind {
    /// The kind of a parsed request, from its head alone.
    init(of head: borrowing RequestHead, in buffer: borrowing ByteBuffer) {
        let bytes = buffer.span
        let version = head.protocolVersion ?? .empty
        // Cases are matched rather than compared: `==` of another module's enum is a call through a witness table.
        let (isGet, isPost, isOptions) =
            switch head.method {
            case .get: (true, false, false)
            case .post: (false, true, false)
            case .options: (false, false, true)
            default: (false, false, false)
            }
        self = RequestKind.classify(
            isGet: isGet, isPost: isPost, isOptions: isOptions,
            protocolVersion: bytes.extracting(version.range), sessionID: head.sessionID != nil,
            lastEventID: head.lastEventID != nil, acceptsEventStream: head.acceptsEventStream,
            target: bytes.extracting(head.target.range))
    }
}
