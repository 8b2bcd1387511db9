import Configuration
import HTTP
import Kernel
import Reactor
import TLS

/// The clients of one worker: what listens for them, who they are, and who of them waits to be looked at.
struct ClientConnections: ~Copyable {
    var listeners: [Listener] = []
    /// Read by name only where another part of this is changed in the same expression.
    var slab: Slab<ClientConnection>
    var http2Connections: Slab<HTTP2Connection>
    /// HTTP/2 connections with frames to send this turn.
    var unsentHTTP2Connections = TurnQueue()
    /// Heads of streams that are read this turn.
    var notedHeads = NotedHeads()
    /// Streams of all HTTP/2 connections.
    var streamCount = 0
    let streamLimit: Int
    let connectionLimit: Int
    var deadlines: SlotDeadlines
    /// Clients to look at again before the worker sleeps: they stopped for fairness or for want of credit that is there
    /// now.
    var resuming = TurnQueue()
    /// Clients whose next step is expensive.
    var deferred = HandleQueue()
    /// Such a step is being done.
    var isRunningDeferred = false
    /// Requests that the proxy itself makes.
    var internalRequests = InternalRequests()
    /// Whose addresses are counted, where a listener bounds that.
    var addresses: AddressClaims
    /// A backlog was left with connections in it.
    var hasStalledAccepts = false

    /// For at most `connectionLimit` sockets and `streamLimit` HTTP/2 streams.
    init(connectionLimit: Int, streamLimit: Int, addresses: AddressCounts = AddressCounts()) {
        self.addresses = AddressClaims(addresses)
        self.connectionLimit = connectionLimit
        self.streamLimit = streamLimit
        slab = Slab(limit: connectionLimit + streamLimit)
        http2Connections = Slab(limit: connectionLimit)
        deadlines = SlotDeadlines(.clientDeadline, limit: connectionLimit + streamLimit)
    }

    var count: Int { slab.count }
    /// Clients with a socket.
    var connectionCount: Int { slab.count - streamCount - internalRequests.count }
    /// Slots that were ever occupied: the bound for a walk over all clients.
    var slots: Int { slab.slots }
    @inline(__always)
    func contains(_ client: Handle) -> Bool { slab.contains(client) }
    func handle(inSlot slot: Int) -> Handle? { slab.handle(inSlot: slot) }
    mutating func insert(_ client: consuming ClientConnection) -> Handle? { slab.insert(client) }
    mutating func remove(_ client: Handle) -> ClientConnection? { slab.remove(client) }

    /// Whether the connection speaks TLS. Asked in place: Swift 6.3 allocates memory for some reads through a subscript of
    /// a subscript.
    func usesTLS(_ client: Handle) -> Bool { slab[client].transport.tls != nil }

    subscript(client: Handle) -> ClientConnection {
        @inline(__always) _read { yield slab[client] }
        @inline(__always) _modify { yield &slab[client] }
    }

    /// The index of the listener that accepted the client.
    @inline(__always)
    func listener(of client: Handle) -> Int { Int(slab[client].listener) }

    /// Whether a peer at `address` may say whom it speaks for. Plans are read where they lie: a copy costs a reference
    /// count for each array in it.
    @inline(__always)
    func trusts(_ address: SocketAddress, _ listener: Int) -> Bool {
        if listeners[listener].plan.trusted.isEmpty { return false }
        return listeners[listener].plan.trusted.contains { $0.contains(high: address.high, low: address.low) }
    }

    /// Has the client looked at again before the worker sleeps.
    mutating func resumeLater(_ client: Handle) { resuming.append(client, in: &slab) }

    /// Puts the client at the end of the queue for expensive work.
    mutating func deferLater(_ client: Handle) {
        guard !slab[client].awaitsTurn else { return }
        slab[client].awaitsTurn = true
        deferred.append(client)
    }

    /// A send failed: the client is gone, as the next event or the end of this turn finds.
    mutating func markBroken(_ client: Handle) {
        slab[client].transport.markBroken()
        slab[client].isBroken = true
        resumeLater(client)
    }

    /// Whether the client has not asked for anything yet.
    func hasServedNothing(_ client: Handle) -> Bool {
        switch slab[client].phase {
        case .handshaking: true
        case .reading: !slab[client].hasServed && hasSocket(client)
        case .awaitingProxyHeader, .exchanging, .http2, .lingering: false
        }
    }

    /// Whether what the client sends can wait: it has not been served yet, or its bytes are thrown away.
    func isLowPriority(_ client: Handle) -> Bool { slab[client].phase == .lingering || hasServedNothing(client) }
}
