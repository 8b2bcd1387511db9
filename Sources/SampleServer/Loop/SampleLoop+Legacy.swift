import HTTP
import Reactor

// HTTP+SSE: 2024-11-05. The session is the stream; POSTs are answered on it.
extension SampleLoop {
    mutating func openLegacy(_ handle: Handle, _ facts: RequestFacts) {
        guard facts.method == .get else {
            return say(handle, "405 Method Not Allowed", "Method Not Allowed", allow: "GET")
        }
        guard let session = sessions.open(isLegacy: true, stream: handle, at: now) else {
            return say(handle, "503 Service Unavailable", "Too many open sessions")
        }
        connections[handle].streamOf = session
        openStream(handle, session: nil)
        let prefix: StaticString = "event: endpoint\r\ndata: /messages/?session_id="
        let isChunked = !facts.isHTTP10
        if isChunked {
            connections[handle].outbox.append(hexadecimal: prefix.utf8CodeUnitCount + 36)
            connections[handle].outbox.append("\r\n")
        }
        connections[handle].outbox.append(prefix)
        connections[handle].outbox.append(session)
        connections[handle].outbox.append("\r\n\r\n")
        if isChunked { connections[handle].outbox.append("\r\n") }
        beats.join(handle, of: session, at: now)
    }

    mutating func respondLegacy(_ handle: Handle, _ facts: RequestFacts, _ body: Span<UInt8>) {
        guard facts.method == .post else {
            return say(handle, "405 Method Not Allowed", "Method Not Allowed", allow: "POST")
        }
        guard facts.sendsJSON else { return say(handle, "415 Unsupported Media Type", "Unsupported Media Type") }
        guard case .session(let session) = facts.claim else {
            return say(handle, "400 Bad Request", "session_id is required")
        }
        guard let stream = sessions.use(session, isLegacy: true, at: now)?.stream, connections.contains(stream) else {
            return say(handle, "404 Not Found", "Could not find session")
        }
        let message = Message(body)
        guard message.kind != .malformed, message.kind != .invalid else {
            return say(handle, "400 Bad Request", "Could not parse message")
        }
        say(handle, "202 Accepted", "Accepted")
        guard message.kind == .request else { return }
        let destination = Return(connection: stream, form: .legacy, session: nil, isStateless: false)
        if message.method == .initialize {
            writeInitializeResult(message, body)
            deliver(to: destination)
        } else {
            call(message, body, session: session, answer: destination)
        }
    }
}
