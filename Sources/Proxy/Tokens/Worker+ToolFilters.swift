import Caching
import HTTP
import MCP
import Reactor
import Telemetry
import Tokens

/// Lists of tools on their way to callers that may not know of all of them.
extension Worker where Outside: ~Copyable {
    /// Whether a response can be filtered, if it is to be.
    enum ToolFiltering { case possible, impossible }

    /// The head of a response is parsed and goes out next: decides how the response is filtered, and has left out what is not true of
    /// it any more.
    @inline(never)
    mutating func beginToolFilter(_ exchange: Handle, _ body: BodyReader, isEventStream: Bool) -> ToolFiltering {
        guard let isAnswer = exchanges.toolFilters.isAnswer(exchange.slot) else { return .possible }
        guard !body.isComplete, isAnswer || isEventStream else {
            exchanges.toolFilters.discard(exchange.slot)
            return .possible
        }
        guard !io.hasContentCoding else {
            logBadResponse(exchange, .unfiltered)
            return .impossible
        }
        io.dropResponseFields(ToolFilters.untrueFields)
        if isEventStream {
            exchanges.toolFilters.beginEvents(exchange.slot)
            if case .length = io.responseHead.framing { io.responseHead.framing = .chunked }
        } else {
            exchanges.toolFilters.beginWhole(exchange.slot)
            io.responseHead.framing = .length(0)
        }
        return .possible
    }

    // MARK: - Whole bodies

    /// The head in `io.composed` waits for the body, whose length it is to say.
    mutating func holdHead(_ exchange: Handle) {
        exchanges.toolFilters.setHead(io.composed.bytes(0..<io.composed.count - 2), exchange.slot)
        io.composed.clear()
        // The server has answered: if that cannot be used, what it said before is no better.
        if case .passing? = exchanges.caching[exchange] { exchanges.caching[exchange] = nil }
    }

    /// What has become of a response at its end.
    enum FilteredEnd { case goesOn, failed }

    /// The response is complete: appends what of it was held back to `io.composed`, without what the caller may not know of.
    @inline(never)
    mutating func finishToolFilter(_ exchange: Handle) -> FilteredEnd {
        if exchanges[exchange].isEventStream {
            let rest = exchanges.toolFilters.finishEvents(exchange.slot)
            if exchanges.toolFilters.hasFailed(exchange.slot) {
                failToolFilter(exchange)
                return .failed
            }
            if !rest.isEmpty { appendChunk(rest, exchange) }
            return .goesOn
        }
        guard let (head, body, outcome) = exchanges.toolFilters.takeWhole(exchange.slot) else { return .goesOn }
        var rest = body
        switch outcome {
        case .unchanged: break
        case .changed(let left): rest = left
        case .unreadable:
            // What is no answer need not be JSON.
            if (200...299).contains(exchanges[exchange].status) {
                failToolFilter(exchange)
                return .failed
            }
        }
        io.composed.append(head)
        io.composed.append("content-length: ")
        io.composed.append(decimal: UInt64(rest.count))
        io.composed.append("\r\n\r\n")
        io.composed.append(rest)
        exchanges[exchange].responseBytes = UInt64(rest.count)
        releaseRequest(exchange)
        return .goesOn
    }

    /// A response cannot be filtered: the call fails.
    mutating func failToolFilter(_ exchange: Handle) {
        io.received.clear()
        logBadResponse(exchange, .unfiltered)
        guard exchanges[exchange].isEventStream else {
            io.composed.clear()
            respond(exchange, .toolListUnreadable)
            return
        }
        var error = ErrorResponse.toolListUnreadable
        error.limit = exchanges.toolFilters.passedLimit(exchange.slot)
        let client = exchanges[exchange].client
        guard composeStreamError(exchange, error, isFinal: true) == .sent else {
            act(on: exchange, .responseMalformed)
            return
        }
        metrics.count(.badGateway, server: Int(exchanges[exchange].server))
        clients.write(client, &io, &clock)
        finish(exchange, .streamFailed)
    }

    // MARK: - Events

    /// Whether a piece of a stream is filtered.
    enum EventFiltering { case filtered, notFiltered }

    /// Appends what goes on of a piece of an event stream to `io.composed`, if it is filtered.
    @inline(never)
    mutating func filterEvents(_ exchange: Handle, _ range: ByteRange) -> EventFiltering {
        guard let passed = exchanges.toolFilters.pass(exchange.slot, io.received, range) else { return .notFiltered }
        forward(passed, exchange)
        return .filtered
    }

    /// The same of what was gathered before.
    mutating func filterEvents(
        _ exchange: Handle, _ range: ByteRange, of buffer: borrowing ByteBuffer
    ) -> EventFiltering {
        guard let passed = exchanges.toolFilters.pass(exchange.slot, buffer, range) else { return .notFiltered }
        forward(passed, exchange)
        return .filtered
    }

    private mutating func forward(_ events: [UInt8], _ exchange: Handle) {
        guard !events.isEmpty else { return }
        exchanges[exchange].boundary.note(events.span)
        if !exchanges[exchange].pending.isEmpty { exchanges[exchange].boundary.watch(events.span) }
        appendChunk(events, exchange)
    }

    // MARK: - Answers that are kept

    /// What a caller gets of an answer that is kept for all; nil: all of it.
    mutating func filteredMessage(_ answer: CachedAnswer, _ exchange: Handle, id: [UInt8]) -> [UInt8]? {
        guard exchanges.toolFilters.contains(exchange.slot) else { return nil }
        var message: [UInt8] = []
        answer.writeMessage(id: id.span, at: clock.now) { piece in
            for index in piece.indices { message.append(piece[index]) }
        }
        switch exchanges.toolFilters.outcome(of: message, exchange.slot) {
        case .changed(let left): return left
        case .unreadable: return ErrorResponse.toolListUnreadable.body(id: id.span)
        case .unchanged, nil: return nil
        }
    }
}
