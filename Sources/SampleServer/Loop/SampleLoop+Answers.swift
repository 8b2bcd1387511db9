import HTTP
import Kernel
import Reactor

// Writing: heads, JSON-RPC results and errors, events. All of it goes to an outbox; `settle()` sends.
extension SampleLoop {
    // MARK: Whole responses

    /// A short plain text.
    mutating func say(
        _ handle: Handle, _ status: StaticString, _ text: StaticString, allow: StaticString? = nil
    ) {
        beginHead(handle, status)
        if let allow {
            connections[handle].outbox.append("Allow: ")
            connections[handle].outbox.append(allow)
            connections[handle].outbox.append("\r\n")
        }
        connections[handle].outbox.append("Content-Type: text/plain; charset=utf-8\r\n")
        endHead(handle, length: text.utf8CodeUnitCount)
        // RFC 9110 §9.3.2: the head of a HEAD's answer is that of GET, the body is missing.
        if connections[handle].facts.method != .head { connections[handle].outbox.append(text) }
        finish(handle)
    }

    /// 202 or 200 without a body.
    mutating func acknowledge(_ handle: Handle, _ status: StaticString, session: SessionID? = nil) {
        beginHead(handle, status)
        endHead(handle, length: 0, session: session)
        finish(handle)
    }

    /// A request that could not be read; the connection ends with it (RFC 9112 §9.2: nothing after it can be framed).
    mutating func refuse(_ handle: Handle, _ fault: HTTPParseError) {
        beginHead(handle, SampleLoop.statusLine(fault))
        connections[handle].outbox.append("Content-Length: 0\r\nConnection: close\r\n\r\n")
        connections[handle].leave()
        markDirty(handle)
    }

    /// A JSON-RPC error with a status of its own. `id` as sent; `null` where the request has none worth naming.
    mutating func refuse(
        _ handle: Handle, _ status: StaticString, _ code: Int, _ message: StaticString, id: Span<UInt8>? = nil,
        session: SessionID? = nil
    ) {
        beginError(code, message, id: id)
        payload.bytes.append("}}")
        sendJSON(handle, status, session: session)
    }

    /// The payload, as the body of a response.
    mutating func sendJSON(_ handle: Handle, _ status: StaticString, session: SessionID?) {
        beginHead(handle, status)
        connections[handle].outbox.append("Content-Type: application/json\r\n")
        endHead(handle, length: payload.count, session: session)
        connections[handle].outbox.append(payload)
        finish(handle)
    }

    // MARK: Answers to calls

    /// The payload, as the answer that ends a call.
    mutating func deliver(to destination: Return) {
        let handle = destination.connection
        switch destination.form {
        case .json: sendJSON(handle, "200 OK", session: destination.session)
        case .events:
            notify(destination)
            endStream(handle)
        case .legacy: sendEvent(handle)
        }
    }

    /// The payload, as an event before the answer. Opens the POST's stream if need be.
    mutating func notify(_ destination: Return) {
        let handle = destination.connection
        if !connections[handle].isStreaming { openStream(handle, session: destination.session) }
        sendEvent(handle)
    }

    mutating func openStream(_ handle: Handle, session: SessionID?) {
        beginHead(handle, "200 OK")
        connections[handle].outbox.append(
            "Content-Type: text/event-stream\r\nCache-Control: no-cache, no-transform\r\nX-Accel-Buffering: no\r\n")
        appendSession(handle, session)
        if !connections[handle].facts.wantsKeepAlive { connections[handle].outbox.append("Connection: close\r\n") }
        // No chunks in HTTP/1.0: the stream ends with the connection.
        if !connections[handle].facts.isHTTP10 { connections[handle].outbox.append("Transfer-Encoding: chunked\r\n") }
        connections[handle].outbox.append("\r\n")
        connections[handle].isStreaming = true
        connections[handle].releaseInput()
        markDirty(handle)
    }

    mutating func endStream(_ handle: Handle) {
        if !connections[handle].facts.isHTTP10 { connections[handle].outbox.append("0\r\n\r\n") }
        finish(handle)
    }

    /// The payload, as one `message` event on an open stream. A client that lets too much pile up is dropped.
    private mutating func sendEvent(_ handle: Handle) {
        if connections[handle].outbox.isOverfull { return close(handle) }
        let prefix: StaticString = "event: message\r\ndata: "
        let isChunked = !connections[handle].facts.isHTTP10
        if isChunked {
            connections[handle].outbox.append(hexadecimal: prefix.utf8CodeUnitCount + payload.count + 4)
            connections[handle].outbox.append("\r\n")
        }
        connections[handle].outbox.append(prefix)
        connections[handle].outbox.append(payload)
        connections[handle].outbox.append("\r\n\r\n")
        if isChunked { connections[handle].outbox.append("\r\n") }
        markDirty(handle)
    }

    // MARK: Events nobody asked for

    /// The first event of a session's own stream is due a period from now.
    mutating func beginBeats(_ stream: Handle, of session: SessionID) {
        guard options.eventsPerSecond > 0 else { return }
        agenda.add(.beat(stream, of: session, sequence: 1), at: now + period)
    }

    /// One more event for a stream that gets them as time goes by.
    mutating func beat(_ stream: Handle, of session: SessionID, _ sequence: UInt64, due: Instant) {
        guard connections.contains(stream), connections[stream].streamOf == session else { return }
        agenda.add(.beat(stream, of: session, sequence: sequence &+ 1), at: due + period)
        payload.clear()
        payload.bytes.append("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",")
        payload.bytes.append("\"params\":{\"level\":\"info\",\"data\":{\"sequence\":")
        payload.bytes.append(decimal: sequence)
        payload.bytes.append(",\"monotonicNanoseconds\":")
        payload.bytes.append(decimal: now.nanoseconds)
        payload.bytes.append("}}}")
        sendEvent(stream)
    }

    private var period: Interval { Interval(nanoseconds: UInt64(1_000_000_000 / options.eventsPerSecond)) }

    // MARK: Payloads

    /// Starts a result; members follow, then `endResult`.
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

    /// Starts an error up to its message; `data` may follow, then two braces.
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
        connections[handle].outbox.append("HTTP/1.1 ")
        connections[handle].outbox.append(status)
        connections[handle].outbox.append(date.text)
    }

    private mutating func endHead(_ handle: Handle, length: Int, session: SessionID? = nil) {
        appendSession(handle, session)
        if !connections[handle].facts.wantsKeepAlive { connections[handle].outbox.append("Connection: close\r\n") }
        connections[handle].outbox.append("Content-Length: ")
        connections[handle].outbox.append(decimal: length)
        connections[handle].outbox.append("\r\n\r\n")
    }

    private mutating func appendSession(_ handle: Handle, _ session: SessionID?) {
        guard let session else { return }
        connections[handle].outbox.append("Mcp-Session-Id: ")
        connections[handle].outbox.append(session)
        connections[handle].outbox.append("\r\n")
    }

    private mutating func finish(_ handle: Handle) {
        connections[handle].finishAnswer()
        markDirty(handle)
    }

    private static func statusLine(_ fault: HTTPParseError) -> StaticString {
        switch fault {
        case .malformed: "400 Bad Request"
        case .targetTooLong: "414 URI Too Long"
        case .headTooLarge: "431 Request Header Fields Too Large"
        case .bodyTooLarge: "413 Content Too Large"
        case .codingUnsupported: "501 Not Implemented"
        case .versionUnsupported: "505 HTTP Version Not Supported"
        case .expectationFailed: "417 Expectation Failed"
        }
    }
}
