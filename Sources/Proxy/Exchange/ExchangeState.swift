/// What happens to an exchange.
enum ExchangeEvent {
    /// It waits in its upstream's queue.
    case queued
    /// It left the queue: a connection may be free for it.
    case calledUp
    /// A connection is being opened for it.
    case connecting
    /// The connection could not be opened.
    case connectFailed
    /// Its server is to be dialled again after a pause.
    case redialPostponed
    /// Another exchange fetches the same answer, or a store is asked whose its session is: this one waits.
    case answerAwaited
    /// It is answered from the cache.
    case answeredFromCache
    /// Its session's server is lost; it waits for the session to be recovered.
    case recoveryBegan
    /// Its server says that its session has a stream already, and is asked again after a pause.
    case streamConflict
    /// The request, or its head and some of its body, has gone to a server.
    case requestSent
    /// The server's connection ended before a response head came.
    case closedBeforeResponse
    /// The final response head was taken up.
    case responseStarted
    /// The response is complete.
    case responseEnded
    /// The server's connection ended within the response. `isEnd`: that is how this body ends.
    case closedDuringResponse(isEnd: Bool)
    /// The server has sent nothing of the rest of the response for the read timeout.
    case responseStalled
    /// The rest of the response makes no sense.
    case responseMalformed
    /// The client's request body is not acceptable, or does not come.
    case requestBodyFailed(ExchangeFault)
    /// The proxy answers in the server's place.
    case rejected(ExchangeFault)
    /// Its deadline has come.
    case timedOut
    /// The client is gone.
    case clientDisconnected
    /// Its event stream is to end now, from our side.
    case streamStopped
    /// Its server is down, and the operator wants its exchanges to end.
    case serverWentDown
}

/// What its owner does about it.
enum ExchangeAction {
    case none
    /// Ask the retry policy, and do what it says.
    case considerRetry
    /// Dial its server again.
    case redial
    /// Answer in the server's place: nothing of a response has gone to the client.
    case respond(ExchangeFault)
    /// Finish the response: its framing, then both connections.
    case finishResponse
    /// Break the response off so that the client cannot take it for complete.
    case abortResponse
    /// Reset the client: a response has begun, and the request under it is broken.
    case resetClient
    /// Look how long the server has been silent.
    case checkSilence
    /// End the event stream properly: the client sees a complete body.
    case endStream
    /// Nothing is left to tell the client: take the exchange out.
    case abandon
}

/// How far an exchange has got. A value: it takes an event and says what is to be done; it holds no handle and no buffer.
struct ExchangeState: Equatable {
    enum Phase: UInt8 {
        /// No connection was looked for yet, or it is looked for again.
        case started
        case queued, connecting
        /// Its server refused a connection and is dialled again in a moment.
        case postponed
        /// The request has gone to a server; there is no response head yet.
        case sent
        /// The response's head has gone to the client.
        case relaying
    }

    private(set) var phase = Phase.started

    /// The request has gone to a server.
    var isRequestSent: Bool { phase == .sent || phase == .relaying }

    /// Takes an event. In every phase, events that only a mistake of ours can make are named last, and trap.
    mutating func handle(_ event: ExchangeEvent) -> ExchangeAction {
        if case .clientDisconnected = event { return .abandon }
        return switch phase {
        case .started: handleStarted(event)
        case .queued: handleQueued(event)
        case .connecting: handleConnecting(event)
        case .postponed: handlePostponed(event)
        case .sent: handleSent(event)
        case .relaying: handleRelaying(event)
        }
    }

    private mutating func handleStarted(_ event: ExchangeEvent) -> ExchangeAction {
        switch event {
        case .queued: return move(to: .queued)
        case .connecting: return move(to: .connecting)
        case .connectFailed: return .considerRetry
        case .redialPostponed, .recoveryBegan, .answerAwaited: return move(to: .postponed)
        case .answeredFromCache: return move(to: .relaying)
        case .requestSent: return move(to: .sent)
        case .rejected(let fault), .requestBodyFailed(let fault): return .respond(fault)
        // A timer of an earlier phase. Nothing was sent to a server that went down: the selection sees to it.
        case .timedOut, .streamStopped, .serverWentDown, .clientDisconnected: return .none
        case .streamConflict, .calledUp, .closedBeforeResponse, .responseStarted, .responseEnded, .closedDuringResponse,
            .responseStalled, .responseMalformed:
            impossible(event)
        }
    }

    private mutating func handleQueued(_ event: ExchangeEvent) -> ExchangeAction {
        switch event {
        case .calledUp: return move(to: .started)
        case .timedOut: return .respond(.queueTimeout)
        case .rejected(let fault), .requestBodyFailed(let fault): return .respond(fault)
        case .answeredFromCache: return move(to: .relaying)
        case .streamStopped, .serverWentDown, .clientDisconnected: return .none
        case .answerAwaited, .streamConflict, .queued, .connecting, .connectFailed, .redialPostponed, .recoveryBegan,
            .requestSent,
            .closedBeforeResponse,
            .responseStarted, .responseEnded, .closedDuringResponse, .responseStalled, .responseMalformed:
            impossible(event)
        }
    }

    private mutating func handleConnecting(_ event: ExchangeEvent) -> ExchangeAction {
        switch event {
        case .connectFailed:
            phase = .started
            return .considerRetry
        case .requestSent: return move(to: .sent)
        case .rejected(let fault), .requestBodyFailed(let fault): return .respond(fault)
        // Connecting has a timeout of its own.
        case .timedOut, .streamStopped, .serverWentDown, .clientDisconnected: return .none
        case .answeredFromCache: return move(to: .relaying)
        case .answerAwaited, .streamConflict, .queued, .calledUp, .connecting, .redialPostponed, .recoveryBegan,
            .closedBeforeResponse,
            .responseStarted,
            .responseEnded,
            .closedDuringResponse, .responseStalled, .responseMalformed:
            impossible(event)
        }
    }

    private mutating func handlePostponed(_ event: ExchangeEvent) -> ExchangeAction {
        switch event {
        case .timedOut:
            phase = .started
            return .redial
        case .rejected(let fault), .requestBodyFailed(let fault): return .respond(fault)
        case .streamStopped, .serverWentDown, .clientDisconnected: return .none
        case .answeredFromCache: return move(to: .relaying)
        case .answerAwaited, .streamConflict, .queued, .calledUp, .connecting, .connectFailed, .redialPostponed,
            .recoveryBegan, .requestSent, .closedBeforeResponse, .responseStarted, .responseEnded,
            .closedDuringResponse, .responseStalled, .responseMalformed:
            impossible(event)
        }
    }

    private mutating func handleSent(_ event: ExchangeEvent) -> ExchangeAction {
        switch event {
        case .closedBeforeResponse:
            phase = .started
            return .considerRetry
        case .streamConflict: return move(to: .postponed)
        case .responseStarted, .answeredFromCache: return move(to: .relaying)
        // The server has said that it has no such session: nothing was done.
        case .recoveryBegan: return move(to: .postponed)
        case .responseMalformed: return .respond(.badServerResponse)
        case .timedOut: return .respond(.firstByteTimeout)
        case .serverWentDown: return .respond(.serverDown)
        case .rejected(let fault), .requestBodyFailed(let fault): return .respond(fault)
        case .streamStopped, .clientDisconnected: return .none
        case .answerAwaited, .queued, .calledUp, .connecting, .connectFailed, .redialPostponed, .requestSent,
            .responseEnded,
            .closedDuringResponse, .responseStalled:
            impossible(event)
        }
    }

    private mutating func handleRelaying(_ event: ExchangeEvent) -> ExchangeAction {
        switch event {
        case .responseEnded, .closedDuringResponse(isEnd: true): return .finishResponse
        case .closedDuringResponse(isEnd: false), .responseMalformed, .responseStalled, .serverWentDown:
            return .abortResponse
        // What would be said now would stand in the middle of the response.
        case .requestBodyFailed: return .resetClient
        case .timedOut: return .checkSilence
        case .streamStopped: return .endStream
        case .clientDisconnected: return .none
        case .answerAwaited, .answeredFromCache, .streamConflict, .queued, .calledUp, .connecting, .connectFailed,
            .redialPostponed, .recoveryBegan, .requestSent, .closedBeforeResponse, .responseStarted, .rejected:
            impossible(event)
        }
    }

    private func impossible(_ event: ExchangeEvent) -> Never {
        preconditionFailure("\(event) cannot happen to an exchange that is \(phase)")
    }

    private mutating func move(to next: Phase) -> ExchangeAction {
        phase = next
        return .none
    }
}
