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

    /// Takes an event. Pairs that only a mistake of ours can make are named last, and trap.
    mutating func handle(_ event: ExchangeEvent) -> ExchangeAction {
        switch (phase, event) {
        case (_, .clientDisconnected):
            return .abandon
        case (.started, .queued):
            return move(to: .queued)
        case (.queued, .calledUp):
            return move(to: .started)
        case (.started, .connecting):
            return move(to: .connecting)
        case (.started, .redialPostponed):
            return move(to: .postponed)
        case (.postponed, .timedOut):
            phase = .started
            return .redial
        case (.started, .requestSent), (.connecting, .requestSent):
            return move(to: .sent)
        case (.sent, .responseStarted):
            return move(to: .relaying)
        case (.started, .connectFailed), (.connecting, .connectFailed), (.sent, .closedBeforeResponse):
            phase = .started
            return .considerRetry
        case (.relaying, .responseEnded), (.relaying, .closedDuringResponse(isEnd: true)):
            return .finishResponse
        case (.relaying, .closedDuringResponse(isEnd: false)), (.relaying, .responseMalformed),
            (.relaying, .responseStalled), (.relaying, .serverWentDown):
            return .abortResponse
        case (.sent, .responseMalformed):
            return .respond(.badServerResponse)
        case (.sent, .serverWentDown):
            return .respond(.serverDown)
        case (.started, .serverWentDown), (.queued, .serverWentDown), (.connecting, .serverWentDown),
            (.postponed, .serverWentDown):
            // Nothing was sent: the selection and the retries see to it.
            return .none
        case (.started, .rejected(let error)), (.queued, .rejected(let error)), (.connecting, .rejected(let error)),
            (.postponed, .rejected(let error)), (.sent, .rejected(let error)):
            return .respond(error)
        case (.started, .requestBodyFailed(let error)), (.queued, .requestBodyFailed(let error)),
            (.connecting, .requestBodyFailed(let error)), (.postponed, .requestBodyFailed(let error)),
            (.sent, .requestBodyFailed(let error)):
            return .respond(error)
        case (.relaying, .requestBodyFailed):
            // What would be said now would stand in the middle of the response.
            return .resetClient
        case (.queued, .timedOut):
            return .respond(.queueTimeout)
        case (.sent, .timedOut):
            return .respond(.firstByteTimeout)
        case (.relaying, .timedOut):
            return .checkSilence
        case (.started, .timedOut), (.connecting, .timedOut):
            // A timer of an earlier phase; connecting has a timeout of its own.
            return .none
        case (.relaying, .streamStopped):
            return .endStream
        case (.started, .streamStopped), (.queued, .streamStopped), (.connecting, .streamStopped),
            (.postponed, .streamStopped), (.sent, .streamStopped):
            return .none
        case (.started, .calledUp), (.connecting, .calledUp), (.sent, .calledUp), (.relaying, .calledUp),
            (.started, .closedBeforeResponse), (.started, .responseStarted), (.started, .responseEnded),
            (.started, .closedDuringResponse), (.started, .responseMalformed), (.started, .responseStalled),
            (.queued, .queued), (.queued, .connecting), (.queued, .connectFailed), (.queued, .requestSent),
            (.queued, .closedBeforeResponse), (.queued, .responseStarted), (.queued, .responseEnded),
            (.queued, .closedDuringResponse), (.queued, .responseMalformed), (.queued, .responseStalled),
            (.connecting, .queued), (.connecting, .connecting), (.connecting, .closedBeforeResponse),
            (.connecting, .responseStarted), (.connecting, .responseEnded), (.connecting, .closedDuringResponse),
            (.connecting, .responseMalformed), (.connecting, .responseStalled),
            (.postponed, .queued), (.postponed, .calledUp), (.postponed, .connecting), (.postponed, .connectFailed),
            (.postponed, .redialPostponed), (.postponed, .requestSent), (.postponed, .closedBeforeResponse),
            (.postponed, .responseStarted), (.postponed, .responseEnded), (.postponed, .closedDuringResponse),
            (.postponed, .responseMalformed), (.postponed, .responseStalled),
            (.queued, .redialPostponed), (.connecting, .redialPostponed), (.sent, .redialPostponed),
            (.relaying, .redialPostponed),
            (.sent, .queued), (.sent, .connecting), (.sent, .connectFailed), (.sent, .requestSent),
            (.sent, .responseEnded), (.sent, .closedDuringResponse), (.sent, .responseStalled),
            (.relaying, .queued), (.relaying, .connecting), (.relaying, .connectFailed), (.relaying, .requestSent),
            (.relaying, .responseStarted), (.relaying, .closedBeforeResponse), (.relaying, .rejected):
            preconditionFailure("\(event) cannot happen to an exchange that is \(phase)")
        }
    }

    private mutating func move(to next: Phase) -> ExchangeAction {
        phase = next
        return .none
    }
}
