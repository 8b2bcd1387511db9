import HTTP
import Kernel
import Reactor

// Writes heads, JSON-RPC results and errors, and events to a connection's queue, which `settle()` sends.
extension SampleLoop {
    // MARK: Whole responses

    /// Responds with a short plain text.
    mutating func respondText(
        _ handle: Handle, _ status: StaticString, _ text: StaticString, allow: StaticString? = nil
    ) {
        beginHead(handle, status)
        if let allow {
            connections[handle].output.append("Allow: ")
            connections[handle].output.append(allow)
            connections[handle].output.append("\r\n")
        }
        connections[handle].output.append("Content-Type: text/plain; charset=utf-8\r\n")
        endHead(handle, length: text.utf8CodeUnitCount)
        // RFC 9110 §9.3.2: the response to HEAD has the head of GET and no body.
        if connections[handle].facts.method != .head { connections[handle].output.append(text) }
        completeResponse(handle)
    }

    /// Responds with 202 or 200 without a body.
    mutating func acknowledge(_ handle: Handle, _ status: StaticString, session: SessionID? = nil) {
        beginHead(handle, status)
        endHead(handle, length: 0, session: session)
        completeResponse(handle)
    }

    /// Responds to a request that cannot be parsed, and closes: the bytes after it cannot be framed (RFC 9112 §6.3).
    mutating func respondError(_ handle: Handle, _ error: HTTPParseError) {
        beginHead(handle, SampleLoop.statusLine(error))
        connections[handle].output.append("Content-Length: 0\r\nConnection: close\r\n\r\n")
        connections[handle].beginClosing()
        markDirty(handle)
    }

    /// Responds with a status and a JSON-RPC error. `id` is the request's id as sent; nil or empty for `null`.
    mutating func respondError(
        _ handle: Handle, _ status: StaticString, _ code: Int, _ message: StaticString, id: Span<UInt8>? = nil,
        session: SessionID? = nil
    ) {
        beginError(code, message, id: id)
        payload.bytes.append("}}")
        sendJSON(handle, status, session: session)
    }

    /// Responds with the payload as the body.
    mutating func sendJSON(_ handle: Handle, _ status: StaticString, session: SessionID?) {
        beginHead(handle, status)
        connections[handle].output.append("Content-Type: application/json\r\n")
        endHead(handle, length: payload.count, session: session)
        connections[handle].output.append(payload)
        completeResponse(handle)
    }

    // MARK: Answers to calls

    /// Sends the payload as the answer that completes a call.
    mutating func sendAnswer(to destination: AnswerDestination) {
        let handle = destination.connection
        switch destination.form {
        case .json: sendJSON(handle, "200 OK", session: destination.session)
        case .events:
            sendNotification(destination)
            endStream(handle)
        case .legacy: sendEvent(handle)
        }
    }

    /// Sends the payload as an event before the answer. Opens the POST's event stream if it is not open.
    mutating func sendNotification(_ destination: AnswerDestination) {
        let handle = destination.connection
        if !connections[handle].isStreaming { openStream(handle, session: destination.session) }
        sendEvent(handle)
    }

    /// Queues the head of an event stream.
    mutating func openStream(_ handle: Handle, session: SessionID?) {
        beginHead(handle, "200 OK")
        connections[handle].output.append(
            "Content-Type: text/event-stream\r\nCache-Control: no-cache, no-transform\r\nX-Accel-Buffering: no\r\n")
        appendSession(handle, session)
        if !connections[handle].facts.wantsKeepAlive { connections[handle].output.append("Connection: close\r\n") }
        // HTTP/1.0 has no chunked coding: the stream ends with the connection.
        if !connections[handle].facts.isHTTP10 { connections[handle].output.append("Transfer-Encoding: chunked\r\n") }
        connections[handle].output.append("\r\n")
        connections[handle].isStreaming = true
        connections[handle].releaseInput()
        markDirty(handle)
    }

    /// Ends an event stream.
    mutating func endStream(_ handle: Handle) {
        if !connections[handle].facts.isHTTP10 { connections[handle].output.append("0\r\n\r\n") }
        completeResponse(handle)
    }

    /// Sends the payload as one `message` event on an open stream. Closes the connection if its queue is full.
    private mutating func sendEvent(_ handle: Handle) {
        if connections[handle].output.isFull { return close(handle) }
        let prefix: StaticString = "event: message\r\ndata: "
        let isChunked = !connections[handle].facts.isHTTP10
        if isChunked {
            connections[handle].output.append(hexadecimal: prefix.utf8CodeUnitCount + payload.count + 4)
            connections[handle].output.append("\r\n")
        }
        connections[handle].output.append(prefix)
        connections[handle].output.append(payload)
        connections[handle].output.append("\r\n\r\n")
        if isChunked { connections[handle].output.append("\r\n") }
        markDirty(handle)
    }

    // MARK: Periodic events

    /// Schedules the first periodic event of a session's stream, one period from now.
    mutating func schedulePeriodicEvents(_ stream: Handle, of session: SessionID) {
        guard options.eventsPerSecond > 0 else { return }
        eventSchedule.add(.event(stream, of: session, sequence: 1), at: now + period)
    }

    /// Sends a periodic event and schedules the next.
    mutating func sendPeriodicEvent(_ stream: Handle, of session: SessionID, _ sequence: UInt64, due: Instant) {
        guard connections.contains(stream), connections[stream].streamOf == session else { return }
        eventSchedule.add(.event(stream, of: session, sequence: sequence &+ 1), at: due + period)
        payload.clear()
        payload.bytes.append("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",")
        payload.bytes.append("\"params\":{\"level\":\"info\",\"data\":{\"sequence\":")
        payload.bytes.append(decimal: sequence)
        payload.bytes.append(",\"monotonicNanoseconds\":")
        payload.bytes.append(decimal: now.nanoseconds)
        let replica = texts.eventReplica
        payload.bytes.append(replica.span)
        payload.bytes.append("}}}")
        sendEvent(stream)
    }

    private var period: Interval { Interval(nanoseconds: UInt64(1_000_000_000 / options.eventsPerSecond)) }

    // MARK: Payloads

    /// Begins a result in the payload. The caller appends members, then calls `endResult`.
    mutating func beginResult(id: Span<UInt8>, isStateless: Bool) {
        payload.clear()
        payload.bytes.append("{\"jsonrpc\":\"2.0\",\"id\":")
        payload.bytes.append(id)
        payload.bytes.append(",\"result\":{")
        if isStateless {
            payload.bytes.append("\"resultType\":\"complete\",\"_meta\":{\"io.modelcontextprotocol/serverInfo\":")
            appendServerInfo()
            payload.bytes.append("},")
        }
    }

    mutating func appendServerInfo() {
        let text = texts.serverInfo
        payload.bytes.append(text.span)
    }

    mutating func endResult() { payload.bytes.append("}}") }

    /// Begins an error in the payload, up to its message. The caller may append `data`, then appends two braces.
    mutating func beginError(_ code: Int, _ message: StaticString, id: Span<UInt8>?) {
        payload.clear()
        payload.bytes.append("{\"jsonrpc\":\"2.0\",\"id\":")
        if let id, id.count > 0 { payload.bytes.append(id) } else { payload.bytes.append("null") }
        payload.bytes.append(",\"error\":{\"code\":-")
        payload.bytes.append(decimal: UInt64(code.magnitude))
        payload.bytes.append(",\"message\":\"")
        payload.bytes.append(message)
        payload.bytes.append("\"")
    }

    // MARK: Heads

    private mutating func beginHead(_ handle: Handle, _ status: StaticString) {
        date.update(world.wallSeconds())
        connections[handle].output.append("HTTP/1.1 ")
        connections[handle].output.append(status)
        connections[handle].output.append(date.text)
    }

    private mutating func endHead(_ handle: Handle, length: Int, session: SessionID? = nil) {
        appendSession(handle, session)
        if !connections[handle].facts.wantsKeepAlive { connections[handle].output.append("Connection: close\r\n") }
        connections[handle].output.append("Content-Length: ")
        connections[handle].output.append(decimal: length)
        connections[handle].output.append("\r\n\r\n")
    }

    private mutating func appendSession(_ handle: Handle, _ session: SessionID?) {
        guard let session else { return }
        connections[handle].output.append("Mcp-Session-Id: ")
        connections[handle].output.append(session)
        connections[handle].output.append("\r\n")
    }

    private mutating func completeResponse(_ handle: Handle) {
        connections[handle].completeResponse()
        markDirty(handle)
    }

    private static func statusLine(_ error: HTTPParseError) -> StaticString {
        switch error {
        case .malformed: "400 Bad Request"
        case .targetTooLong: "414 URI Too Long"
        case .headTooLarge: "431 Request Header Fields Too Large"
        case .bodyTooLarge: "413 Content Too Large"
        case .codingUnsupported: "501 Not Implemented"
        case .versionUnsupported: "505 HTTP Version Not Supported"
        case .expectationFailed: "417 Expectation Failed"
        case .methodUnsupported: "405 Method Not Allowed"
        }
    }
}
