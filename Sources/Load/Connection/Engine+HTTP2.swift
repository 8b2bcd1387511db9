import ASCII
import HTTP
import Kernel
import Reactor

// Calls over HTTP/2. Each call is a stream. The frames of one turn leave a connection in one write.
extension Engine {
    /// Bytes gathered for one write, at most.
    private static let sendBytes = 262_144

    /// Whether the run uses HTTP/2.
    var speaksHTTP2: Bool { assignment.plan.transport == .http2 }

    /// Creates the HTTP/2 session of a connection that has just opened. False if there is no memory.
    mutating func startHTTP2(_ c: Handle) -> Bool {
        let group = connections[c].group
        guard let session = HTTP2ClientSession(forms: fields[group], limits: HTTP2ClientLimits()) else { return false }
        connections[c].http2 = consume session
        requestFlush(c)
        return true
    }

    /// Submits the call's request as a new stream of the connection. `flushHTTP2` sends it at the turn's end.
    mutating func sendHTTP2Request(_ call: Handle, over c: Handle) {
        let s = calls[call].session
        let kind = calls[call].kind
        composed.clear()
        forms[form(sessions[s].group)].appendBody(kind, id: calls[call].id, to: &composed)
        let stream = connections[c].http2?.request(
            form: Int(kind.rawValue), path: sessions[s].target, lines: sessions[s].fields, body: composed,
            tag: call.slot)
        composed.clear()
        connections[c].call = .none
        guard let stream else {
            // The stream identifiers are used up, or a GOAWAY was received (RFC 9113 sections 5.1.1, 6.8).
            connections[c].isDraining = true
            calls[call].connection = .none
            unprocessed.append(call)
            return requestFlush(c)
        }
        calls[call].connection = c
        calls[call].stream = stream
        connections[c].load += 1
        requestFlush(c)
    }

    /// Sends the requests again that the server did not process (RFC 9113 section 8.7), each on its session's own
    /// connection. Those whose connection has no capacity stay in `unprocessed`.
    mutating func resendUnprocessed() {
        guard !unprocessed.isEmpty else { return }
        let waiting = unprocessed
        unprocessed.removeAll(keepingCapacity: true)
        for call in waiting where calls.contains(call) {
            let c = connection(inSlot: sessions[calls[call].session].home)
            if connections[c].phase == .open, hasCapacity(c) {
                sendHTTP2Request(call, over: c)
            } else {
                unprocessed.append(call)
            }
        }
    }

    /// Cancels the call's stream if it is under way. Its connection has capacity for another call.
    mutating func cancelStream(_ call: Handle) {
        let c = calls[call].connection
        guard connections.contains(c), connections[c].http2 != nil, connections[c].phase == .open else { return }
        calls[call].connection = .none
        connections[c].http2?.cancel(stream: calls[call].stream)
        connections[c].load -= 1
        requestFlush(c)
        markFree(c)
    }

    // MARK: Receiving

    /// Parses all of `bytes` and handles the events.
    mutating func receiveHTTP2(_ c: Handle, _ bytes: inout ByteBuffer) {
        let isValid = connections[c].http2?.receive(bytes, events: &http2Events) ?? false
        deliverEvents(c, input: bytes.span)
        bytes.clear()
        guard connections[c].http2 != nil else { return }
        guard isValid else { return failHTTP2(c) }
        requestFlush(c)
    }

    /// Handles the events in `http2Events`. `input`: the bytes that ranges of DATA events refer to.
    private mutating func deliverEvents(_ c: Handle, input: Span<UInt8>) {
        guard !http2Events.isEmpty else { return }
        // Local, so that views of it and changes of the engine are apart.
        var events = HTTP2ClientEvents()
        swap(&events, &http2Events)
        let incarnation = connections[c].incarnation
        var index = 0
        while index < events.count, connections[c].incarnation == incarnation, connections[c].http2 != nil {
            index += deliverEvent(c, events, index, input)
        }
        events.removeAll()
        swap(&events, &http2Events)
    }

    /// Handles one event, or DATA together with the end of its stream. Returns how many.
    private mutating func deliverEvent(
        _ c: Handle, _ events: borrowing HTTP2ClientEvents, _ index: Int, _ input: Span<UInt8>
    ) -> Int {
        switch events[index] {
        case .response(let tag, let status, let contentType, let sessionID):
            hasEverAnswered = true
            let values = events.bytes.span
            responseHeadReceived(
                call(tag, c), status: status, content: ContentKind(values.extracting(contentType.range)),
                sessionID: values.extracting(sessionID.range))
        case .data(let tag, let range):
            let bytes = input.extracting(range.range)
            if index + 1 < events.count, events[index + 1] == .ended(tag: tag) {
                streamEnded(c, tag, bytes)
                return 2
            }
            responseBodyReceived(call(tag, c), bytes)
        case .ended(let tag): streamEnded(c, tag, input.extracting(0..<0))
        case .reset(let tag, let code): streamReset(c, tag, .streamReset(code))
        case .unprocessed(let tag):
            let call = call(tag, c)
            guard calls.contains(call) else { break }
            detach(call, c)
            unprocessed.append(call)
        case .goAway(let code):
            connections[c].isDraining = true
            if code != 0 { counters.count(.goAway(code)) }
        }
        return 1
    }

    /// The call with this tag on the connection; `.none` if it is over.
    private func call(_ tag: UInt32, _ c: Handle) -> Handle {
        guard let call = calls.handle(inSlot: Int(tag)), calls[call].connection == c else { return .none }
        return call
    }

    /// The stream ended: `rest` completes the response's body.
    private mutating func streamEnded(_ c: Handle, _ tag: UInt32, _ rest: Span<UInt8>) {
        let call = call(tag, c)
        guard calls.contains(call) else { return }
        let incarnation = connections[c].incarnation
        connections[c].load -= 1
        connections[c].responses &+= 1
        _ = responseEnded(call, rest)
        guard connections[c].incarnation == incarnation, connections[c].http2 != nil else { return }
        if groups[connections[c].group].workload == .churn { return closeAndReconnect(c) }
        markFree(c)
    }

    /// The server reset the stream of a call.
    private mutating func streamReset(_ c: Handle, _ tag: UInt32, _ failure: Failure) {
        let call = call(tag, c)
        guard calls.contains(call) else { return }
        detach(call, c)
        markFree(c)
        callFailed(call, failure)
    }

    /// Removes the call from the connection; its stream has ended.
    private mutating func detach(_ call: Handle, _ c: Handle) {
        calls[call].connection = .none
        connections[c].load -= 1
    }

    // MARK: Sending

    /// Has the connection flushed at the end of the turn.
    mutating func requestFlush(_ c: Handle) {
        guard !connections[c].isFlushPending else { return }
        connections[c].isFlushPending = true
        pendingFlushes.append(c)
    }

    /// Sends the frames that the turn has produced on all connections.
    mutating func flushHTTP2() {
        var index = 0
        // A connection that fails meanwhile may be dialled and appended again.
        while index < pendingFlushes.count {
            let c = pendingFlushes[index]
            index += 1
            connections[c].isFlushPending = false
            if connections[c].phase == .open, connections[c].http2 != nil { flushHTTP2(c) }
        }
        pendingFlushes.removeAll(keepingCapacity: true)
    }

    /// Sends the frames of one connection, and closes it if its session has ended.
    private mutating func flushHTTP2(_ c: Handle) {
        while connections[c].phase == .open, connections[c].output.isEmpty {
            composed.clear()
            connections[c].http2?.send(into: &composed, limit: Engine.sendBytes, events: &http2Events)
            if composed.isEmpty { break }
            if connections[c].tls != nil, !encryptComposed(c) { return failConnection(c, .handshake) }
            sendComposed(c)
        }
        let nothing = ByteBuffer()
        deliverEvents(c, input: nothing.span)
        guard connections[c].output.isEmpty, let isFinished = connections[c].http2?.isFinished else { return }
        if connections[c].load == 0, isFinished || connections[c].isDraining { return closeAndReconnect(c) }
        if isFinished { failHTTP2(c) }
    }

    /// The server violated HTTP/2 (RFC 9113 section 5.4.1), or does not support it: the latter ends the run.
    private mutating func failHTTP2(_ c: Handle) {
        guard hasEverAnswered else {
            closeSocket(c)
            return statistics.fail(LoadError("\(assignment.addresses[address]) does not speak HTTP/2"))
        }
        counters.addExample("HTTP/2 protocol violation")
        failConnection(c, .unreadable)
    }
}

extension ContentKind {
    /// From the value of a Content-Type field, parameters ignored.
    fileprivate init(_ value: Span<UInt8>) {
        if value.has("text/event-stream", at: 0) {
            self = .events
        } else if value.has("application/json", at: 0) {
            self = .json
        } else {
            self = value.isEmpty ? .none : .other
        }
    }
}
