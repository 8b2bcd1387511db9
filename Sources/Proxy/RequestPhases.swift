import Kernel
import Reactor

/// What a phase says when it is done for now.
enum PhaseResult {
    /// Go on with the next phase.
    case next
    /// An event goes on with the exchange: a connection, a response, a place in the queue.
    case wait
    /// Answer in the server's place.
    case respond(ExchangeFault)
    /// Nothing was sent: go back and select another server.
    case reselect
    /// The exchange has been dealt with.
    case done
}

/// The phases that a request walks through, in order. `receive` comes before them and makes the exchange; `relay` and
/// `complete` come after them, by the server's bytes.
enum RequestPhase: UInt8 {
    case route, admit, resolve, lookUp, select, connect, send

    var next: RequestPhase? { RequestPhase(rawValue: rawValue + 1) }
}

/// The life of a request. A new capability has its door here: limits by address and tokens in `admit`, the owner of a
/// session, and limits by it, in `resolve`, a log or an outlier detector in `complete`.
///
///     receive  Downstream/Worker+Requests      a whole head, perhaps a body: an exchange begins
///     route    Routing/Worker+Routing          host and path name the upstream
///     admit    FrontDoor, Tokens, RateLimits   the page that it comes from; who the caller is; whether there were too many of
///                                              its kind
///     resolve  Sessions/Worker+Sessions        the session's server, or 404
///     lookUp   Cache/Worker+CacheLookup        an answer that is kept, if the upstream has a cache
///     select   Routing/Worker+ServerSelection  a server that may get new work
///     connect  Upstream/Worker+PoolExecutor    a parked connection, a new one, or the queue
///     send     Exchange/Worker+RequestForwarding
///     relay    Exchange/Worker+ResponseRelaying
///     complete Exchange/Worker+Completion      the one end of every exchange
extension Worker where Outside: ~Copyable {
    /// Walks an exchange through its phases from `phase` on. Its request must be parsed and at the front of
    /// `io.received`; with `reloading` it is put there first, from where its client keeps it.
    mutating func advance(_ exchange: Handle, from phase: RequestPhase, reloading: Bool = false) {
        if reloading, restoreRequest(exchange) == .ended { return }
        var phase: RequestPhase? = phase
        while let current = phase {
            switch perform(current, exchange) {
            case .next: phase = current.next
            case .reselect: phase = .select
            case .respond(let fault):
                act(on: exchange, .rejected(fault))
                return
            case .wait, .done: return
            }
        }
    }

    /// Whether a request is in hand again.
    enum RestoredRequest { case ready, ended }

    /// Puts the kept request at the front of `io.received`, parsed; ends the exchange if that cannot be done.
    mutating func restoreRequest(_ exchange: Handle) -> RestoredRequest {
        switch reloadRequest(exchange) {
        case .ready: return .ready
        case .orphaned: act(on: exchange, .clientDisconnected)
        case .gone: abandonInconsistent(exchange)
        }
        return .ended
    }

    private mutating func perform(_ phase: RequestPhase, _ exchange: Handle) -> PhaseResult {
        switch phase {
        case .route: route(exchange)
        case .admit: admit(exchange)
        case .resolve: resolveSession(exchange)
        case .lookUp: lookUp(exchange)
        case .select: selectServer(exchange)
        case .connect: connect(exchange)
        case .send: sendRequest(exchange)
        }
    }

    /// Whether the request may go on at all.
    private mutating func admit(_ exchange: Handle) -> PhaseResult {
        checkFrontDoor(exchange) ?? authenticate(exchange) ?? limitRate(exchange) ?? .next
    }

    /// A session's server is asked even if its health checks fail: one that is slow still has the session, and a 404
    /// would end it. Only a connection that cannot be had shows that it is gone.
    private mutating func selectServer(_ exchange: Handle) -> PhaseResult {
        if exchanges[exchange].isPinned { return .next }
        guard let server = chooseServer(exchange) else {
            return .respond(isShortOfSessions(exchange) ? .sessionsFull : .noServerAvailable)
        }
        exchanges[exchange].server = Int32(truncatingIfNeeded: server)
        return .next
    }

    private mutating func connect(_ exchange: Handle) -> PhaseResult {
        let server = Int(exchanges[exchange].server)
        if !exchanges[exchange].isWhole, !mayUpload(to: server) { return enqueue(exchange, for: server) }
        switch claimHoldings(exchange, server) {
        case .granted: break
        case .wait: return enqueue(exchange, for: server)
        case .tryAnother:
            exchanges.noteTried(exchange, servers[server].position)
            return .reselect
        }
        // What cannot be sent again does not go out on a connection whose server may just be closing it.
        let allowsParked = exchanges[exchange].isWhole && exchanges[exchange].connectionChoice == .any
        switch acquireConnection(server, allowsParked: allowsParked) {
        case .ready(let connection):
            attach(exchange, to: connection)
            return .next
        case .connecting(let connection):
            attach(exchange, to: connection)
            act(on: exchange, .connecting)
            return .wait
        case .atCapacity:
            returnHoldings(exchange)
            return enqueue(exchange, for: server)
        case .failed(let code):
            releaseHoldings(exchange)
            return decideConnectFailure(exchange, server, code: code)
        }
    }

    private mutating func attach(_ exchange: Handle, to connection: Handle) {
        upstreams[connection].exchange = exchange
        exchanges[exchange].connection = connection
        servers.callBegan(Int(upstreams[connection].server), metrics)
        guard !exchanges[exchange].isWhole, exchanges[exchange].awaitsRequestBody else { return }
        servers[Int(upstreams[connection].server)].uploads += 1
    }
}
