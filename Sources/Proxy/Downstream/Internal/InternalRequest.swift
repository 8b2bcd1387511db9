import HTTP
import Kernel
import MCP
import Reactor

/// A request that the proxy itself makes of a server. It is sent and answered like a client's, by an exchange of its own:
/// connections, pools, retries and timeouts are the same. Its client has no socket; what would be sent to it is collected
/// here.
struct InternalRequest {
    /// What the response is for.
    enum Purpose: Equatable {
        /// A step of the recovery with this number.
        case recovery(UInt32)
        /// Nothing: a session was ended, and that is all.
        case deletion
        /// A stream on which a server says what has changed, for as long as it goes.
        case listening(since: Instant)
    }

    let purpose: Purpose
    /// The slot of its upstream.
    let upstream: Int
    let target: InternalTarget
    /// What the route of the client's request says beside the upstream; nil: nothing.
    fileprivate(set) var extras: RouteExtras?
    /// Who has sent the client's request, if the route asks for that.
    fileprivate(set) var caller: CallerIdentity?
    /// The response as a client would have got it, its head included.
    fileprivate(set) var response: [UInt8] = []
    /// The slot of the server that has answered; -1: none has.
    fileprivate(set) var answeredBy = -1
    /// It has more bytes than are kept.
    fileprivate(set) var isTooLong = false

    var isListening: Bool { if case .listening = purpose { true } else { false } }

    init(_ purpose: Purpose, upstream: Int, target: InternalTarget) {
        self.purpose = purpose
        self.upstream = upstream
        self.target = target
    }

    /// Of one response, bytes beyond this are dropped, and the response with them.
    static var maximumResponse: Int { 65_536 }
    /// From the request to the end of its response.
    static var timeout: Interval { .seconds(4) }
}

/// Which server may get an internal request.
enum InternalTarget: Equatable {
    /// This one and no other.
    case server(Int)
    /// Any but these.
    case anyBut([Int])
}

/// How an internal request ended.
enum InternalOutcome: Equatable {
    /// There is a whole response, the server's or the proxy's own.
    case answered
    /// The response broke off, or took too long.
    case failed
}

/// The internal requests of one worker.
struct InternalRequests {
    /// By the client's slot.
    private var active: [UInt32: InternalRequest] = [:]
    /// Those that are over and were not looked at.
    private var ended: [(InternalRequest, InternalOutcome)] = []

    /// Those that are under way.
    var count: Int { active.count }
    var isEmpty: Bool { active.isEmpty }
    var hasEnded: Bool { !ended.isEmpty }

    /// The slots of those that listen to what changes.
    var listening: [UInt32] { active.filter { $0.value.isListening }.map(\.key) }

    subscript(client: Handle) -> InternalRequest? { active[client.slot] }

    mutating func insert(_ request: InternalRequest, for client: Handle) { active[client.slot] = request }

    /// A request takes over what a route says.
    mutating func note(_ extras: RouteExtras, _ caller: CallerIdentity?, for client: Handle) {
        active[client.slot]?.extras = extras
        active[client.slot]?.caller = caller
    }

    /// Takes what is over.
    mutating func takeEnded() -> [(InternalRequest, InternalOutcome)] {
        defer { ended = [] }
        return ended
    }

    /// This server has answered.
    mutating func noteServer(_ server: Int, for client: Handle) { active[client.slot]?.answeredBy = server }

    fileprivate mutating func append(_ bytes: Span<UInt8>, for client: Handle) {
        guard var request = active.removeValue(forKey: client.slot) else { return }
        if request.isListening {
            // Its head is looked at; what it says is read on its way.
            for index in bytes.indices where request.response.count < 512 { request.response.append(bytes[index]) }
        } else if request.response.count + bytes.count > InternalRequest.maximumResponse {
            request.isTooLong = true
        } else {
            for index in bytes.indices { request.response.append(bytes[index]) }
        }
        active[client.slot] = request
    }

    fileprivate mutating func end(_ client: Handle, _ outcome: InternalOutcome) {
        guard let request = active.removeValue(forKey: client.slot) else { return }
        ended.append((request, request.isTooLong ? .failed : outcome))
    }
}

/// The verbs of a client, for one that is the proxy itself.
extension ClientConnections {
    /// Whether the client is the proxy itself. Inlined, as is all that every request asks of `ClientConnections` without
    /// changing it: Swift 6.3 copies the whole of a noncopyable value for such a call.
    @inline(__always)
    func isInternal(_ client: Handle) -> Bool {
        if internalRequests.isEmpty { return false }
        return if case .internalRequest = slab[client].kind { true } else { false }
    }

    /// Makes a client for an internal request; nil if there are too many clients. `address`, `listener` and `isSecure` are
    /// those of the client for whose sake it is made.
    mutating func insertInternal(
        _ request: InternalRequest, address: SocketAddress, listener: Int, isSecure: Bool
    ) -> Handle? {
        var client = ClientConnection(
            Transport(.none, mayWrite: true), address: address, listener: listener, phase: .reading, isSecure: isSecure)
        client.kind = .internalRequest
        guard let handle = slab.insert(client) else { return nil }
        internalRequests.insert(request, for: handle)
        return handle
    }

    /// Keeps what would be sent to the client.
    mutating func collect<Outside: World & ~Copyable>(_ client: Handle, _ io: inout ConnectionIO<Outside>) {
        internalRequests.append(io.composed.span, for: client)
        io.composed.clear()
    }

    /// The exchange of an internal request is over: its client is forgotten, and its response looked at in this turn.
    mutating func endInternal<Outside: World & ~Copyable>(
        _ client: Handle, _ outcome: InternalOutcome, _ io: inout ConnectionIO<Outside>
    ) {
        internalRequests.end(client, outcome)
        guard var removed = slab.remove(client) else { return }
        io.releaseBuffers(&removed.transport)
    }
}
