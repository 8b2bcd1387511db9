import HTTP
import Reactor

// Streamable HTTP with sessions: MCP 2025-03-26, 2025-06-18 and 2025-11-25.
extension SampleLoop {
    /// Responds to a request of a revision with sessions.
    mutating func respondWithSession(_ handle: Handle, _ facts: RequestFacts, _ body: Span<UInt8>) {
        switch facts.method {
        case .post: post(handle, facts, body)
        case .get: openStandalone(handle, facts)
        case .delete: delete(handle, facts)
        default: respondText(handle, "405 Method Not Allowed", "Method Not Allowed", allow: "GET, POST, DELETE")
        }
    }

    private mutating func post(_ handle: Handle, _ facts: RequestFacts, _ body: Span<UInt8>) {
        if rejectsMediaTypes(handle, facts, session: existingSession(facts.presentedSession)) { return }
        let message = Message(body)
        switch message.kind {
        case .malformed:
            return respondError(
                handle, "400 Bad Request", -32_700, "Parse error", session: existingSession(facts.presentedSession))
        case .invalid:
            return respondError(
                handle, "400 Bad Request", -32_600, "Invalid Request", session: existingSession(facts.presentedSession))
        case .request where message.method == .initialize:
            return initialize(handle, facts, message, body)
        case .request, .notification, .response: break
        }
        guard let session = requireSession(handle, facts) else { return }
        guard message.kind == .request else { return acknowledge(handle, "202 Accepted", session: session) }
        let form: AnswerDestination.Form = options.answersWithEvents ? .events : .json
        let destination = AnswerDestination(connection: handle, form: form, session: session, isStateless: false)
        call(message, body, session: session, answer: destination)
    }

    private mutating func initialize(
        _ handle: Handle, _ facts: RequestFacts, _ message: Message, _ body: Span<UInt8>
    ) {
        let id = body.extracting(message.id.range)
        if case .none = facts.presentedSession {
            guard let session = sessions.open(isLegacy: false, at: now) else {
                return respondError(handle, "503 Service Unavailable", -32_000, "Too many open sessions", id: id)
            }
            writeInitializeResult(message, body)
            let form: AnswerDestination.Form = options.answersWithEvents ? .events : .json
            return sendAnswer(
                to: AnswerDestination(connection: handle, form: form, session: session, isStateless: false))
        }
        guard let session = requireSession(handle, facts) else { return }
        respondError(handle, "400 Bad Request", -32_600, "Session is already initialized", id: id, session: session)
    }

    /// Writes the result of `initialize`. The negotiated version is the client's, if it is supported, else 2025-11-25.
    mutating func writeInitializeResult(_ message: Message, _ body: Span<UInt8>) {
        beginResult(id: body.extracting(message.id.range), isStateless: false)
        payload.bytes.append("\"protocolVersion\":\"")
        if let version = message.requestedVersion,
            RequestFacts.isKnownSessionVersion(body.extracting(version.range))
        {
            payload.bytes.append(body.extracting(version.range))
        } else {
            payload.bytes.append("2025-11-25")
        }
        payload.bytes.append("\",\"capabilities\":{\"tools\":{\"listChanged\":false}")
        // A server that sends log messages declares the capability (MCP 2025-11-25, "Logging").
        if options.eventsPerSecond > 0 { payload.bytes.append(",\"logging\":{}") }
        payload.bytes.append("},\"serverInfo\":")
        appendServerInfo()
        endResult()
    }

    /// Opens the standalone stream, of which a session has at most one. It has no events unless the options respondText
    /// so.
    private mutating func openStandalone(_ handle: Handle, _ facts: RequestFacts) {
        guard facts.acceptsEvents else {
            return respondError(
                handle, "406 Not Acceptable", -32_600, "Accept must list text/event-stream",
                session: existingSession(facts.presentedSession))
        }
        guard let session = requireSession(handle, facts) else { return }
        guard let found = sessions.use(session, isLegacy: false, at: now), found.stream.isNone else {
            return respondError(
                handle, "409 Conflict", -32_600, "Only one event stream is allowed per session", session: session)
        }
        sessions.setStream(handle, of: session)
        connections[handle].streamOf = session
        openStream(handle, session: session)
        schedulePeriodicEvents(handle, of: session)
    }

    private mutating func delete(_ handle: Handle, _ facts: RequestFacts) {
        guard let session = requireSession(handle, facts) else { return }
        if let stream = sessions.remove(session)?.stream, connections.contains(stream) { endStream(stream) }
        acknowledge(handle, "200 OK", session: session)
    }

    /// The session of a request. Nil if the request was rejected: with 400 for a missing id or an unknown version, with
    /// 404 for an id that does not exist.
    private mutating func requireSession(_ handle: Handle, _ facts: RequestFacts) -> SessionID? {
        if case .none = facts.presentedSession {
            respondError(handle, "400 Bad Request", -32_600, "Missing session ID")
            return nil
        }
        guard let session = existingSession(facts.presentedSession) else {
            respondError(handle, "404 Not Found", -32_001, "Session not found")
            return nil
        }
        if facts.version == .unknown {
            respondError(handle, "400 Bad Request", -32_600, "Unsupported protocol version", session: session)
            return nil
        }
        return session
    }

    /// The presented session, if it exists; marks it as used.
    private mutating func existingSession(_ presented: RequestFacts.PresentedSession) -> SessionID? {
        guard case .session(let id) = presented, sessions.use(id, isLegacy: false, at: now) != nil else { return nil }
        return id
    }
}
