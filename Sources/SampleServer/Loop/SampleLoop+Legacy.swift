import HTTP
import Reactor

// The HTTP+SSE transport of MCP 2024-11-05. A session lives as long as its stream, on which POSTs are answered.
extension SampleLoop {
    /// Opens a session's stream with its `endpoint` event.
    mutating func openLegacy(_ handle: Handle, _ facts: RequestFacts) {
        guard facts.method == .get else {
            return respondText(handle, "405 Method Not Allowed", "Method Not Allowed", allow: "GET")
        }
        guard let session = sessions.open(isLegacy: true, stream: handle, at: now) else {
            return respondText(handle, "503 Service Unavailable", "Too many open sessions")
        }
        connections[handle].streamOf = session
        openStream(handle, session: nil)
        let prefix: StaticString = "event: endpoint\r\ndata: /messages/?session_id="
        let isChunked = !facts.isHTTP10
        if isChunked {
            connections[handle].output.append(hexadecimal: prefix.utf8CodeUnitCount + 36)
            connections[handle].output.append("\r\n")
        }
        connections[handle].output.append(prefix)
        connections[handle].output.append(session)
        connections[handle].output.append("\r\n\r\n")
        if isChunked { connections[handle].output.append("\r\n") }
        schedulePeriodicEvents(handle, of: session)
    }

    /// Responds to a message with 202 and sends the answer on the session's stream.
    mutating func respondLegacy(_ handle: Handle, _ facts: RequestFacts, _ body: Span<UInt8>) {
        guard facts.method == .post else {
            return respondText(handle, "405 Method Not Allowed", "Method Not Allowed", allow: "POST")
        }
        guard facts.sendsJSON else {
            return respondText(handle, "415 Unsupported Media Type", "Unsupported Media Type")
        }
        guard case .session(let session) = facts.presentedSession else {
            return respondText(handle, "400 Bad Request", "session_id is required")
        }
        guard let stream = sessions.use(session, isLegacy: true, at: now)?.stream, connections.contains(stream) else {
            return respondText(handle, "404 Not Found", "Could not find session")
        }
        let message = Message(body)
        guard message.kind != .malformed, message.kind != .invalid else {
            return respondText(handle, "400 Bad Request", "Could not parse message")
        }
        respondText(handle, "202 Accepted", "Accepted")
        guard message.kind == .request else { return }
        let destination = AnswerDestination(connection: stream, form: .legacy, session: nil, isStateless: false)
        if message.method == .initialize {
            writeInitializeResult(message, body)
            sendAnswer(to: destination)
        } else {
            call(message, body, session: session, answer: destination)
        }
    }
}
