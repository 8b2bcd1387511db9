import HTTP
import Reactor

// Where a complete request goes, by path and era.
extension SampleLoop {
    mutating func respond(on handle: Handle) {
        var body = ByteBuffer()
        var kept = ByteBuffer()
        swap(&body, &connections[handle].body)
        swap(&kept, &connections[handle].kept)
        let facts = connections[handle].facts
        switch facts.path {
        case .mcp where facts.version == .stateless || facts.version == .future:
            respondStateless(handle, facts, body.span, kept: kept.span)
        case .mcp: respondWithSession(handle, facts, body.span)
        case .sse: openLegacy(handle, facts)
        case .messages: respondLegacy(handle, facts, body.span)
        case .health: respondHealth(handle, facts)
        case .other: say(handle, "404 Not Found", "Not Found")
        }
        guard connections.contains(handle) else { return }
        // The memory serves the connection's next body, unless that is a long way off or this one was large.
        if connections[handle].isStreaming { return }
        if body.allocated <= 65_536 { swap(&body, &connections[handle].body) }
        swap(&kept, &connections[handle].kept)
    }

    private mutating func respondHealth(_ handle: Handle, _ facts: RequestFacts) {
        switch facts.method {
        case .get, .head: say(handle, "200 OK", "ok")
        default: say(handle, "405 Method Not Allowed", "Method Not Allowed", allow: "GET, HEAD")
        }
    }

    /// What every POST must be: 415 and 406 otherwise (Streamable HTTP, "Sending Messages to the Server"). True if it
    /// was refused.
    mutating func refusesMedia(_ handle: Handle, _ facts: RequestFacts, session: SessionID? = nil) -> Bool {
        if !facts.sendsJSON {
            refuse(
                handle, "415 Unsupported Media Type", -32_600, "Content-Type must be application/json",
                session: session)
            return true
        }
        guard facts.acceptsJSON, facts.acceptsEvents else {
            refuse(
                handle, "406 Not Acceptable", -32_600,
                "Accept must list application/json and text/event-stream", session: session)
            return true
        }
        return false
    }
}
