import ASCII
import HTTP
import Kernel
import Reactor

// Calls over HTTP/2: each is a stream, and all that a turn has to say on a connection leaves in one write.
extension Engine {
    /// Bytes gathered for one write.
    private static let sendBytes = 262_144

    var speaksHTTP2: Bool { assignment.plan.transport == .http2 }

    /// Gives a fresh connection its session. False if there is no memory.
    mutating func beginHTTP2(_ c: Handle) -> Bool {
        let group = connections[c].group
        guard let session = HTTP2ClientSession(forms: fields[group], limits: HTTP2ClientLimits()) else { return false }
        connections[c].http2 = consume session
        markUnsettled(c)
        return true
    }

    /// Makes a call a request of the connection's; it leaves when the turn settles.
    mutating func request(_ call: Handle, over c: Handle) {
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
            // All numbers are used up, or GOAWAY has come since.
            connections[c].isLeaving = true
            calls[call].connection = .none
            unsent.append(call)
            return markUnsettled(c)
        }
        calls[call].connection = c
        calls[call].stream = stream
        connections[c].load += 1
        markUnsettled(c)
    }

    /// Makes the requests again that a server has not looked at, each where its session is at home.
    mutating func sendAgain() {
        guard !unsent.isEmpty else { return }
        let waiting = unsent
        unsent.removeAll(keepingCapacity: true)
        for call in waiting where calls.contains(call) {
            let c = connection(inSlot: sessions[calls[call].session].home)
            if connections[c].phase == .open, hasRoom(c) { request(call, over: c) } else { unsent.append(call) }
        }
    }

    /// Gives up the call's exchange, if it is under way: nothing more is heard of it, and there is room for another.
    mutating func cancelStream(_ call: Handle) {
        let c = calls[call].connection
        guard connections.contains(c), connections[c].http2 != nil, connections[c].phase == .open else { return }
        calls[call].connection = .none
        connections[c].http2?.cancel(stream: calls[call].stream)
        connections[c].load -= 1
        markUnsettled(c)
        makeFree(c)
    }

    // MARK: Hearing

    /// Hears everything that `bytes` say.
    mutating func understandHTTP2(_ c: Handle, _ bytes: inout ByteBuffer) {
        let isSound = connections[c].http2?.receive(bytes, events: &heard) ?? false
        tell(c, bytes.span)
        bytes.clear()
        guard connections[c].http2 != nil else { return }
        guard isSound else { return isUnreadable(c) }
        markUnsettled(c)
    }

    /// Passes on what was heard. `input` is what ranges of body bytes refer to.
    private mutating func tell(_ c: Handle, _ input: Span<UInt8>) {
        guard !heard.isEmpty else { return }
        // Local, so that views of it and changes of the engine are apart.
        var events = HTTP2ClientEvents()
        swap(&events, &heard)
        let incarnation = connections[c].incarnation
        var index = 0
        while index < events.count, connections[c].incarnation == incarnation, connections[c].http2 != nil {
            index += tell(c, events, index, input)
        }
        events.removeAll()
        swap(&events, &heard)
    }

    /// Passes on one event, or two that belong together; how many.
    private mutating func tell(
        _ c: Handle, _ events: borrowing HTTP2ClientEvents, _ index: Int, _ input: Span<UInt8>
    ) -> Int {
        switch events[index] {
        case .response(let tag, let status, let contentType, let sessionID):
            hasEverAnswered = true
            let values = events.bytes.span
            answerBegan(
                call(tag, c), status: status, content: ContentKind(values.extracting(contentType.range)),
                sessionID: values.extracting(sessionID.range))
        case .data(let tag, let range):
            let bytes = input.extracting(range.range)
            if index + 1 < events.count, events[index + 1] == .ended(tag: tag) {
                exchangeEnded(c, tag, bytes)
                return 2
            }
            answerGave(call(tag, c), bytes)
        case .ended(let tag): exchangeEnded(c, tag, input.extracting(0..<0))
        case .reset(let tag, let code): exchangeBroken(c, tag, .streamReset(code))
        case .unprocessed(let tag):
            let call = call(tag, c)
            guard calls.contains(call) else { break }
            leave(call, c)
            unsent.append(call)
        case .goAway(let code):
            connections[c].isLeaving = true
            if code != 0 { counters.count(.goAway(code)) }
        }
        return 1
    }

    /// The call that the connection knows as `tag`; `.none` if it is over.
    private func call(_ tag: UInt32, _ c: Handle) -> Handle {
        guard let call = calls.handle(inSlot: Int(tag)), calls[call].connection == c else { return .none }
        return call
    }

    /// The answer is complete with these bytes.
    private mutating func exchangeEnded(_ c: Handle, _ tag: UInt32, _ rest: Span<UInt8>) {
        let call = call(tag, c)
        guard calls.contains(call) else { return }
        let incarnation = connections[c].incarnation
        connections[c].load -= 1
        connections[c].answers &+= 1
        _ = answerEnded(call, rest)
        guard connections[c].incarnation == incarnation, connections[c].http2 != nil else { return }
        if groups[connections[c].group].workload == .churn { return closeConnections(c) }
        makeFree(c)
    }

    private mutating func exchangeBroken(_ c: Handle, _ tag: UInt32, _ failure: Failure) {
        let call = call(tag, c)
        guard calls.contains(call) else { return }
        leave(call, c)
        makeFree(c)
        exchangeFailed(call, failure)
    }

    /// The call is no longer under way on the connection.
    private mutating func leave(_ call: Handle, _ c: Handle) {
        calls[call].connection = .none
        connections[c].load -= 1
    }

    // MARK: Sending

    /// Puts the connection on the list of those that may have something to send.
    mutating func markUnsettled(_ c: Handle) {
        guard !connections[c].isUnsettled else { return }
        connections[c].isUnsettled = true
        unsettled.append(c)
    }

    /// Sends what the turn has left to be sent.
    mutating func settle() {
        var index = 0
        // Those that are lost meanwhile may be dialled and join the list again.
        while index < unsettled.count {
            let c = unsettled[index]
            index += 1
            connections[c].isUnsettled = false
            if connections[c].phase == .open, connections[c].http2 != nil { settle(c) }
        }
        unsettled.removeAll(keepingCapacity: true)
    }

    private mutating func settle(_ c: Handle) {
        while connections[c].phase == .open, connections[c].output.isEmpty {
            composed.clear()
            connections[c].http2?.send(into: &composed, limit: Engine.sendBytes, events: &heard)
            if composed.isEmpty { break }
            if connections[c].tls != nil, !encryptComposed(c) { return lose(c, .handshake) }
            sendComposed(c)
        }
        let nothing = ByteBuffer()
        tell(c, nothing.span)
        guard connections[c].output.isEmpty, let isFinished = connections[c].http2?.isFinished else { return }
        if connections[c].load == 0, isFinished || connections[c].isLeaving { return closeConnections(c) }
        if isFinished { isUnreadable(c) }
    }

    /// The server breaks the rules of HTTP/2, or has never heard of it.
    private mutating func isUnreadable(_ c: Handle) {
        guard hasEverAnswered else {
            drop(c)
            return statistics.fail(LoadError("\(assignment.addresses[address]) does not speak HTTP/2"))
        }
        counters.note("not HTTP/2, or against its rules")
        lose(c, .unreadable)
    }
}

extension ContentKind {
    /// Of the value of a Content-Type.
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
