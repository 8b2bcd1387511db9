import Histogram
import Kernel
import Reactor

// What comes back, and whether it is true. A transport calls `answerBegan`, `answerGave` as often as it likes, then
// `answerEnded`; or `exchangeFailed`. After the last two the call may be gone.
extension Engine {
    /// The head of an answer. `sessionID`: of its `Mcp-Session-Id`, empty if it has none.
    mutating func answerBegan(_ c: Handle, status: UInt16, content: ContentKind, sessionID: Span<UInt8>) {
        guard calls.contains(c) else { return }
        calls[c].status = status
        let kind = calls[c].kind
        let s = calls[c].session
        let workload = groups[sessions[s].group].workload
        guard status == 200 else { return }
        if !sessionID.isEmpty { hearIdentifier(c, sessionID) }
        switch content {
        case .events: calls[c].sink = .events
        case .json: calls[c].sink = .message
        case .none, .other: calls[c].sink = .discard
        }
        if kind == .call, workload == .bodies { calls[c].sink = .bytes(PatternCheck()) }
        guard kind.isEndless else { return }
        guard content == .events else { return wrong(c, .malformed, "an event stream was asked for") }
        calls[c].deadline = .never
        calls[c].lastHeard = now
        sessions[s].stream = c
        if sessions[s].call == c { sessions[s].call = .none }
        if workload == .idle { record(c) }
        if workload != .legacy { sessions[s].step = .listening }
    }

    /// The next bytes of the body.
    mutating func answerGave(_ c: Handle, _ bytes: Span<UInt8>) {
        guard calls.contains(c) else { return }
        switch calls[c].sink {
        case .discard: break
        case .message:
            guard calls[c].body.count + bytes.count <= Engine.answerLimit else { return tooLarge(c) }
            calls[c].body.append(bytes)
        case .events: hearEvents(c, bytes)
        case .bytes(var check):
            guard check.take(bytes, frame: &calls[c].body) else { return tooLarge(c) }
            calls[c].sink = .bytes(check)
        }
    }

    /// The answer is complete with these bytes. False if it was one to another call, so that nothing that follows on
    /// the same connection can be believed.
    mutating func answerEnded(_ c: Handle, _ rest: Span<UInt8>) -> Bool {
        guard calls.contains(c) else { return true }
        let s = calls[c].session
        calls[c].connection = .none
        guard calls[c].status < 300 else {
            refused(c)
            return true
        }
        var isInStep = true
        if case .message = calls[c].sink, calls[c].body.isEmpty {
            isInStep = hearMessage(c, rest)
        } else {
            answerGave(c, rest)
            guard calls.contains(c) else { return true }
            isInStep = hearWhole(c)
        }
        guard calls.contains(c) else { return isInStep }
        if calls[c].kind.isEndless {
            streamEnded(c)
        } else if !calls[c].kind.isAnswered || calls[c].isAnswered || calls[c].isWrong {
            close(c)
        } else if groups[sessions[s].group].workload != .legacy {
            wrong(c, .malformed, "HTTP \(calls[c].status) without an answer")
            close(c)
        }
        return isInStep
    }

    /// A body that was gathered.
    private mutating func hearWhole(_ c: Handle) -> Bool {
        var body = ByteBuffer()
        swap(&body, &calls[c].body)
        switch calls[c].sink {
        case .discard, .events: return true
        case .message: return hearMessage(c, body.span)
        case .bytes(let check):
            if check.isSpoilt || check.count != UInt64(assignment.plan.bytes) {
                wrong(c, .damaged, "\(check.count) letters for \(assignment.plan.bytes), or other ones")
            }
            return hearMessage(c, body.span)
        }
    }

    /// The exchange came to nothing.
    mutating func exchangeFailed(_ c: Handle, _ failure: Failure) {
        guard calls.contains(c) else { return }
        let kind = calls[c].kind
        let s = calls[c].session
        counters.count(kind.isEndless && calls[c].status == 200 ? .streamEnded : failure)
        counters.note("\(kind): \(failure.text)")
        noteUncounted(c)
        sessions[s].lastFailed = calls[c].id
        cancelStream(c)
        _ = calls.remove(c)
        if kind.isEndless {
            sessions[s].stream = .none
            if groups[sessions[s].group].workload == .legacy, calls.contains(sessions[s].call) {
                // Its answer would have come on the stream.
                exchangeFailed(sessions[s].call, .streamEnded)
            }
            // Asked again at once, a server without such streams would say the same, and would have one session more.
            if case .status = failure {
                sessions[s].call = .none
                sessions[s].isGivenUp = true
                return finish(s)
            }
            return restart(s)
        }
        advance(s, after: kind, isGood: false)
    }

    /// Whether a tool call that came to nothing was counted, nobody knows.
    private mutating func noteUncounted(_ c: Handle) {
        guard calls[c].kind == .call || calls[c].kind == .echo, !calls[c].isCounted else { return }
        sessions[calls[c].session].oracle.failed()
    }

    /// The call took too long.
    mutating func expire(_ c: Handle) {
        let connection = calls[c].connection
        if connections.contains(connection), connections[connection].call == c {
            connections[connection].call = .none
            connections[connection].load = 0
            drop(connection)
            renew(connection, atOnce: true)
        }
        exchangeFailed(c, .timedOut)
    }

    /// An answer whose status says no.
    private mutating func refused(_ c: Handle) {
        let s = calls[c].session
        let kind = calls[c].kind
        let status = calls[c].status
        // A server need not let clients end sessions (Streamable HTTP, "Session Management").
        if kind == .delete, status == 405 { return close(c) }
        // The session is its id, or where its messages go (2024-11-05).
        let hasSession = !sessions[s].identifier.isEmpty || !sessions[s].target.isEmpty
        let isDenial = (status == 404 || status == 400) && hasSession
        guard isDenial, phase != .ending || kind != .delete else { return exchangeFailed(c, .status(status)) }
        _ = calls.remove(c)
        sessions[s].call = .none
        sessions[s].denials += 1
        if sessions[s].denials >= Engine.mostDenials {
            counters.count(.lostSession)
            counters.note("session lost: HTTP \(status), \(sessions[s].denials) times in a row")
            return restart(s)
        }
        // Asked again: if it is alive after all, somebody else has answered in its place.
        makeReady(s)
    }

    private mutating func tooLarge(_ c: Handle) {
        let connection = calls[c].connection
        guard connections.contains(connection), !speaksHTTP2 else { return exchangeFailed(c, .tooLarge) }
        lose(connection, .tooLarge)
    }

    private mutating func streamEnded(_ c: Handle) {
        counters.count(.streamEnded)
        let s = calls[c].session
        _ = calls.remove(c)
        sessions[s].stream = .none
        restart(s)
    }

    /// The call is over: it counts, and its session goes on.
    mutating func close(_ c: Handle) {
        let s = calls[c].session
        let kind = calls[c].kind
        let isGood = !calls[c].isWrong
        if isGood {
            record(c)
            if phase == .measuring { untold &+= 1 }
            if sessions[s].denials > 0 {
                counters.count(.strayed)
                counters.note("\(sessions[s].denials) denials of a session that is alive")
            }
        }
        noteUncounted(c)
        sessions[s].denials = 0
        sessions[s].lastAnswered = calls[c].id
        _ = calls.remove(c)
        advance(s, after: kind, isGood: isGood)
    }

    private mutating func record(_ c: Handle) {
        guard phase == .measuring else { return }
        counters.completed &+= 1
        counters.latency.record((now - calls[c].due).nanoseconds / 100)
    }

    /// Counts something untrue.
    mutating func wrong(_ c: Handle, _ kind: WrongAnswer, _ what: String) {
        calls[c].isWrong = true
        counters.count(kind)
        counters.note("\(kind.rawValue): \(what)")
    }

    /// The id in a response's head: the session's from now on, or the same as ever.
    private mutating func hearIdentifier(_ c: Handle, _ id: Span<UInt8>) {
        let s = calls[c].session
        if calls[c].kind == .initialize {
            sessions[s].identifier.clear()
            sessions[s].identifier.append(id)
        } else if !sessions[s].identifier.isEmpty, !sessions[s].isNamed(id) {
            wrong(c, .malformed, "another session's id")
        }
    }
}
