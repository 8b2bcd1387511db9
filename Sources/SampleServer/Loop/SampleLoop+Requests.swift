import HTTP
import Reactor

// Routes a complete request by its path and protocol revision.
extension SampleLoop {
    /// Responds to the connection's request.
    mutating func respond(on handle: Handle) {
        var body = ByteBuffer()
        var headText = ByteBuffer()
        swap(&body, &connections[handle].body)
        swap(&headText, &connections[handle].headText)
        let facts = connections[handle].facts
        switch facts.path {
        case .mcp where facts.version == .stateless || facts.version == .future:
            respondStateless(handle, facts, body.span, headText: headText.span)
        case .mcp: respondWithSession(handle, facts, body.span)
        case .sse: openLegacy(handle, facts)
        case .messages: respondLegacy(handle, facts, body.span)
        case .health: respondHealth(handle, facts)
        case .other: respondText(handle, "404 Not Found", "Not Found")
        }
        guard connections.contains(handle) else { return }
        // The buffers are used again for the connection's next request, unless it streams or the body was large.
        if connections[handle].isStreaming { return }
        if body.allocated <= 65_536 { swap(&body, &connections[handle].body) }
        swap(&headText, &connections[handle].headText)
    }

    private mutating func respondHealth(_ handle: Handle, _ facts: RequestFacts) {
        switch facts.method {
        case .get, .head: respondText(handle, "200 OK", "ok")
        default: respondText(handle, "405 Method Not Allowed", "Method Not Allowed", allow: "GET, HEAD")
        }
    }

    /// Checks Content-Type and Accept of a POST (MCP, Streamable HTTP, "Sending Messages to the Server"). True if it
    /// was rejected with 415 or 406.
    mutating func rejectsMediaTypes(_ handle: Handle, _ facts: RequestFacts, session: SessionID? = nil) -> Bool {
        if !facts.sendsJSON {
            respondError(
                handle, "415 Unsupported Media Type", -32_600, "Content-Type must be application/json",
                session: session)
            return true
        }
        guard facts.acceptsJSON, facts.acceptsEvents else {
            respondError(
                handle, "406 Not Acceptable", -32_600,
                "Accept must list application/json and text/event-stream", session: session)
            return true
        }
        return false
    }
}
