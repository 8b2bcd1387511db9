import HTTP
import Reactor

// Streamable HTTP with sessions: 2025-03-26, 2025-06-18, 2025-11-25.
extension SampleLoop {
    mutating func respondWithSession(_ handle: Handle, _ facts: RequestFacts, _ body: Span<UInt8>) {
        switch facts.method {
        case .post: post(handle, facts, body)
        case .get: openStandalone(handle, facts)
        case .delete: delete(handle, facts)
        default: say(handle, "405 Method Not Allowed", "Method Not Allowed", allow: "GET, POST, DELETE")
        }
    }

    private mutating func post(_ handle: Handle, _ facts: RequestFacts, _ body: Span<UInt8>) {
        if refusesMedia(handle, facts, session: live(facts.claim)) { return }
        let message = Message(body)
        switch message.kind {
        case .malformed: return refuse(handle, "400 Bad Request", -32_700, "Parse error", session: live(facts.claim))
        case .invalid:
            return refuse(handle, "400 Bad Request", -32_600, "Invalid Request", session: live(facts.claim))
        case .request where message.method == .initialize:
            return initialize(handle, facts, message, body)
        case .request, .notification, .response: break
        }
        guard let session = admit(handle, facts) else { return }
        guard message.kind == .request else { return acknowledge(handle, "202 Accepted", session: session) }
        let form: Return.Form = options.answersWithEvents ? .events : .json
        let destination = Return(connection: handle, form: form, session: session, isStateless: false)
        call(message, body, session: session, answer: destination)
    }

    private mutating func initialize(
        _ handle: Handle, _ facts: RequestFacts, _ message: Message, _ body: Span<UInt8>
    ) {
        let id = body.extracting(message.id.range)
        if case .none = facts.claim {
            guard let session = sessions.open(isLegacy: false, at: now) else {
                return refuse(handle, "503 Service Unavailable", -32_000, "Too many open sessions", id: id)
            }
            writeInitializeResult(message, body)
            let form: Return.Form = options.answersWithEvents ? .events : .json
            return deliver(to: Return(connection: handle, form: form, session: session, isStateless: false))
        }
        guard let session = admit(handle, facts) else { return }
        refuse(handle, "400 Bad Request", -32_600, "Session is already initialized", id: id, session: session)
    }

    /// The negotiated version is the client's, if there is such a one, else our latest.
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
        // Who sends log messages says so (2025-11-25, "Logging").
        if options.eventsPerSecond > 0 { payload.bytes.append(",\"logging\":{}") }
        payload.bytes.append("},\"serverInfo\":")
        appendServerInfo()
        endResult()
    }

    /// The standalone stream, one per session. Silent unless the options say otherwise, as those of real servers are.
    private mutating func openStandalone(_ handle: Handle, _ facts: RequestFacts) {
        guard facts.acceptsEvents else {
            return refuse(
                handle, "406 Not Acceptable", -32_600, "Accept must list text/event-stream",
                session: live(facts.claim))
        }
        guard let session = admit(handle, facts) else { return }
        guard let found = sessions.use(session, isLegacy: false, at: now), found.stream.isNone else {
            return refuse(
                handle, "409 Conflict", -32_600, "Only one event stream is allowed per session", session: session)
        }
        sessions.setStream(handle, of: session)
        connections[handle].streamOf = session
        openStream(handle, session: session)
        beats.join(handle, of: session, at: now)
    }

    private mutating func delete(_ handle: Handle, _ facts: RequestFacts) {
        guard let session = admit(handle, facts) else { return }
        if let stream = sessions.remove(session)?.stream, connections.contains(stream) { endStream(stream) }
        acknowledge(handle, "200 OK", session: session)
    }

    /// The live session a request is of; nil once it was refused: 400 for a missing id or an unknown version, 404 for an
    /// id that is gone.
    private mutating func admit(_ handle: Handle, _ facts: RequestFacts) -> SessionID? {
        if case .none = facts.claim {
            refuse(handle, "400 Bad Request", -32_600, "Missing session ID")
            return nil
        }
        guard let session = live(facts.claim) else {
            refuse(handle, "404 Not Found", -32_001, "Session not found")
            return nil
        }
        if facts.version == .unknown {
            refuse(handle, "400 Bad Request", -32_600, "Unsupported protocol version", session: session)
            return nil
        }
        return session
    }

    private mutating func live(_ claim: RequestFacts.Claim) -> SessionID? {
        guard case .session(let id) = claim, sessions.use(id, isLegacy: false, at: now) != nil else { return nil }
        return id
    }
}
