package import Kernel
package import MCP
package import Reactor
package import TLS

/// What other threads may tell a worker.
package enum WorkerMessage: Sendable {
    /// A connection became free in another worker: try the queue again.
    case capacityFreedElsewhere
    /// An exchange of another worker waits for a connection to this server, and the bound is reached: close one that
    /// idles here. The server is named by its slot.
    case idleEvictionRequested(server: Int)
    /// A place below `pool.max` at this server, named by its slot, is this worker's: exchanges wait for it here.
    case claimTransferred(server: Int)
    /// A client opens the GET stream of this session, by its key, again: the one that is open here may be an old one,
    /// whose client is gone.
    case streamSuperseded(session: UInt64)
    /// An operator has had this session forgotten: the streams that its client listens on end.
    case sessionForgotten(ForgottenSession)
    /// A server, named by its slot, went down, and its calls and streams are to end.
    case serverDown(server: Int)
    /// Work by this snapshot from here on; it is registered with the server table. The sockets are the worker's, for listeners
    /// that are new. The gate is told when that is done.
    case snapshot(Snapshot, sockets: [ListenerSocket] = [], gate: StartGate? = nil)
    /// The addresses that a server's name has now; at least one.
    case addresses(ServerID, [SocketAddress])
    /// Sign with the first of these keys, and verify with all.
    case keys([SigningKey])
    /// Another process accepts at these sockets: leave them to it, without changing anything that it sees of them.
    case listenersTaken([Descriptor])
    /// An operator has ejected a server until then, or ended its ejection; nil: now.
    case ejectionOrdered(ServerID, until: Instant?)
    /// What a server says of its tools, as another worker has read it.
    case toolAnnotations(server: ServerID, ToolAnnotations)
    /// Answers were fetched that these exchanges wait for.
    case answersFetched([Handle])
    /// An operator has purged answers of these methods: the store that other Berths read is to be told.
    case answersPurged(UpstreamCache, [MCPMethod])
    /// Stop accepting, finish what is under way; the worker leaves its loop when nothing is left.
    case drain
    /// End the event streams that have no end of their own, politely.
    case endStreams
    /// For the control thread: end the health checks and what servers keep for them, then leave.
    case endHealthChecks
    /// The response to a request on the admin address.
    case adminResponse(AdminExchange, AdminResponse)
    /// A piece of a response of the admin address that goes on; nil: it is to end.
    case adminPiece(AdminStream, String?)
    /// Somebody wants to know how long messages wait: this one since then.
    case lagProbe(Instant)
    /// Leave now.
    case stop
    /// The context that a listener is to serve new connections with.
    case certificates(listener: ServerID, TLSContext)
    /// The context that new connections to the servers of an upstream, by its slot, are to be made with.
    case upstreamCertificates(upstream: Int, TLSClientContext)
}
