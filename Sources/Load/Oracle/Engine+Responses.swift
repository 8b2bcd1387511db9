import Histogram
import Kernel
import Reactor

// Receiving responses. HTTP/1.1 and HTTP/2 call `responseHeadReceived` once, `responseBodyReceived` any number of
// times, then `responseEnded`; or `callFailed` instead. After either of the last two the call may be removed.
extension Engine {
    /// The head of a response. `sessionID`: the value of its `Mcp-Session-Id`, empty if it has none.
    mutating func responseHeadReceived(_ c: Handle, status: UInt16, content: ContentKind, sessionID: Span<UInt8>) {
        guard calls.contains(c) else { return }
        calls[c].status = status
        let kind = calls[c].kind
        let s = calls[c].session
        let workload = groups[sessions[s].group].workload
        if status >= 300 { calls[c].sink = .refusal }
        guard status == 200 else { return }
        if !sessionID.isEmpty { checkSessionID(c, sessionID) }
        switch content {
        case .events: calls[c].sink = .events
        case .json: calls[c].sink = .message
        case .none, .other: calls[c].sink = .discard
        }
        if kind == .call, workload == .bodies { calls[c].sink = .bytes(PatternCheck()) }
        guard kind.isEndless else { return }
        guard content == .events else { return recordWrong(c, .malformed, "an event stream was asked for") }
        calls[c].deadline = .never
        calls[c].lastEventAt = now
        sessions[s].stream = c
        if sessions[s].call == c { sessions[s].call = .none }
        if workload == .idle { recordCompleted(c) }
        if workload != .legacy { sessions[s].step = .listening }
        if sessions[s].isResuming {
            sessions[s].isResuming = false
            counters.trial?.streamsResumed &+= 1
        }
    }

    /// The next bytes of the body.
    mutating func responseBodyReceived(_ c: Handle, _ bytes: Span<UInt8>) {
        guard calls.contains(c) else { return }
        switch calls[c].sink {
        case .discard: break
        case .refusal:
            let space = max(0, ServerWords.bodyLimit - calls[c].body.count)
            calls[c].body.append(bytes.extracting(first: space))
        case .message:
            guard calls[c].body.count + bytes.count <= Engine.answerLimit else { return responseTooLarge(c) }
            calls[c].body.append(bytes)
        case .events: receiveEvents(c, bytes)
        case .bytes(var check):
            guard check.take(bytes, frame: &calls[c].body) else { return responseTooLarge(c) }
            calls[c].sink = .bytes(check)
        }
    }

    /// `rest` completes the response. False if its id is of another call, so that later responses on the same
    /// connection cannot be matched with their calls.
    mutating func responseEnded(_ c: Handle, _ rest: Span<UInt8>) -> Bool {
        guard calls.contains(c) else { return true }
        let s = calls[c].session
        calls[c].connection = .none
        guard calls[c].status < 300 else {
            responseBodyReceived(c, rest)
            handleErrorStatus(c)
            return true
        }
        var isInOrder = true
        if case .message = calls[c].sink, calls[c].body.isEmpty {
            isInOrder = checkMessage(c, rest)
        } else {
            responseBodyReceived(c, rest)
            guard calls.contains(c) else { return true }
            isInOrder = checkBody(c)
        }
        guard calls.contains(c) else { return isInOrder }
        if calls[c].kind.isEndless {
            eventStreamEnded(c)
        } else if !calls[c].kind.isAnswered || calls[c].isAnswered || calls[c].isWrong {
            completeCall(c)
        } else if groups[sessions[s].group].workload != .legacy {
            recordWrong(c, .malformed, "HTTP \(calls[c].status) without an answer")
            completeCall(c)
        }
        return isInOrder
    }

    /// Checks a body that is complete. Returns as `responseEnded`.
    private mutating func checkBody(_ c: Handle) -> Bool {
        var body = ByteBuffer()
        swap(&body, &calls[c].body)
        switch calls[c].sink {
        case .discard, .refusal, .events: return true
        case .message: return checkMessage(c, body.span)
        case .bytes(let check):
            let isInOrder = checkMessage(c, body.span)
            if !calls[c].isRefused, check.hasMismatch || check.count != UInt64(assignment.plan.bytes) {
                recordWrong(c, .damaged, "\(check.count) bytes for \(assignment.plan.bytes), or other content")
            }
            return isInOrder
        }
    }

    /// The call got no response that could be checked: counts the failure and moves its session on. `words`: what the
    /// server says about it.
    mutating func callFailed(_ c: Handle, _ failure: Failure, _ words: String = "") {
        guard calls.contains(c) else { return }
        let kind = calls[c].kind
        let s = calls[c].session
        let streamEnded = kind.isEndless && calls[c].status == 200
        if streamEnded, resumesStreams(s) {
            cancelStream(c)
            _ = calls.remove(c)
            return resumeStream(s)
        }
        countFailure(streamEnded ? .streamEnded : failure, of: c)
        let example = "\(kind): \(failure.text)" + (words.isEmpty ? "" : ": \(words)")
        counters.addExample(example)
        assignment.listing?.refused(example)
        noteUncertainCount(c)
        sessions[s].lastFailed = calls[c].id
        cancelStream(c)
        _ = calls.remove(c)
        if kind.isEndless {
            sessions[s].stream = .none
            if resumesStreams(s) { return resumeStream(s) }
            if groups[sessions[s].group].workload == .legacy, calls.contains(sessions[s].call) {
                // Its response would have come on the stream.
                callFailed(sessions[s].call, .streamEnded)
            }
            // A server without event streams would refuse again, and would keep one more session for each attempt.
            if case .status = failure {
                sessions[s].call = .none
                sessions[s].isAbandoned = true
                return finishSession(s)
            }
            return restartSession(s)
        }
        advance(s, after: kind, succeeded: false)
    }

    /// It is unknown whether the server has counted a tool call that failed: the oracle accepts both.
    private mutating func noteUncertainCount(_ c: Handle) {
        guard calls[c].kind == .call || calls[c].kind == .echo, !calls[c].isCounted else { return }
        sessions[calls[c].session].oracle.failed()
    }

    /// The call's deadline has passed.
    mutating func callTimedOut(_ c: Handle) {
        let connection = calls[c].connection
        if connections.contains(connection), connections[connection].call == c {
            connections[connection].call = .none
            connections[connection].load = 0
            closeSocket(connection)
            reconnect(connection, immediately: true)
        }
        callFailed(c, .timedOut)
    }

    /// A response with a status of 300 or above.
    private mutating func handleErrorStatus(_ c: Handle) {
        let s = calls[c].session
        let kind = calls[c].kind
        let status = calls[c].status
        // A server need not let clients end sessions (Streamable HTTP, "Session Management").
        if kind == .delete, status == 405 { return completeCall(c) }
        if kind == .delete, status == 404, hasEndedWithServer(s) { return completeCall(c) }
        // A session is named by its id, or by its endpoint's path (2024-11-05).
        let hasSession = !sessions[s].identifier.isEmpty || !sessions[s].target.isEmpty
        var body = ByteBuffer()
        swap(&body, &calls[c].body)
        let words = ServerWords.ofBody(body.span)
        let isNotFound = hasSession && (status == 404 || status == 400 && ServerWords.areAboutSession(words))
        guard isNotFound, phase != .ending || kind != .delete else { return callFailed(c, .status(status), words) }
        _ = calls.remove(c)
        sessions[s].call = .none
        sessions[s].notFoundInARow += 1
        if sessions[s].notFoundInARow >= Engine.notFoundLimit {
            countLostSession(s)
            counters.addExample(
                "session lost: HTTP \(status), \(sessions[s].notFoundInARow) times in a row: \(words)")
            return restartSession(s)
        }
        // The call is repeated: if that succeeds, the response came from a replica that does not own the session.
        makeReady(s)
    }

    /// The response is larger than `answerLimit`, or a checked body has too much around its text.
    private mutating func responseTooLarge(_ c: Handle) {
        let connection = calls[c].connection
        guard connections.contains(connection), !speaksHTTP2 else { return callFailed(c, .tooLarge) }
        failConnection(connection, .tooLarge)
    }

    /// The server ended an event stream: counts that and begins a new session.
    private mutating func eventStreamEnded(_ c: Handle) {
        let s = calls[c].session
        _ = calls.remove(c)
        if resumesStreams(s) { return resumeStream(s) }
        counters.count(.streamEnded)
        sessions[s].stream = .none
        restartSession(s)
    }

    /// The call has its response: counts it and moves its session on.
    mutating func completeCall(_ c: Handle) {
        let s = calls[c].session
        let kind = calls[c].kind
        let succeeded = !calls[c].isWrong && !calls[c].isRefused
        if succeeded {
            recordCompleted(c)
            recordTrialCall(c)
            if phase == .measuring { unreportedCalls &+= 1 }
            if sessions[s].notFoundInARow > 0 {
                counters.count(.strayed)
                counters.addExample("\(sessions[s].notFoundInARow) responses of 404 or 400 for a session that exists")
            }
        }
        noteUncertainCount(c)
        sessions[s].notFoundInARow = 0
        sessions[s].lastAnswered = calls[c].id
        _ = calls.remove(c)
        advance(s, after: kind, succeeded: succeeded)
    }

    /// Counts a completed call and its latency while measuring.
    private mutating func recordCompleted(_ c: Handle) {
        guard phase == .measuring else { return }
        counters.completed &+= 1
        counters.latency.record((now - calls[c].due).nanoseconds / 100)
    }

    /// Counts a check that failed.
    mutating func recordWrong(_ c: Handle, _ kind: WrongAnswer, _ what: String) {
        calls[c].isWrong = true
        counters.count(kind)
        counters.addExample("\(kind.rawValue): \(what)")
    }

    /// The session id in a response's head: stored after initialize, compared with the stored one after any other call.
    private mutating func checkSessionID(_ c: Handle, _ id: Span<UInt8>) {
        let s = calls[c].session
        if calls[c].kind == .initialize {
            sessions[s].identifier.clear()
            sessions[s].identifier.append(id)
        } else if !sessions[s].identifier.isEmpty, !sessions[s].hasID(id) {
            recordWrong(c, .malformed, "another session's id")
        }
    }
}
