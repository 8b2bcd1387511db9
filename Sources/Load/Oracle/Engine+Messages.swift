import ASCII
import Kernel
import Reactor

// Checking JSON-RPC responses against their requests.
extension Engine {
    /// Checks a response that is the whole body. False if its id is of another call.
    mutating func checkMessage(_ c: Handle, _ text: Span<UInt8>) -> Bool {
        let kind = calls[c].kind
        guard kind.isAnswered else { return true }
        let facts = AnswerFacts(text)
        guard facts.kind == .answer else {
            recordWrong(c, .malformed, text.excerpt())
            return true
        }
        return checkResponse(c, facts, text)
    }

    /// Checks a response against its call. False if its id is of another call.
    mutating func checkResponse(_ c: Handle, _ facts: AnswerFacts, _ text: Span<UInt8>) -> Bool {
        let s = calls[c].session
        guard facts.id == calls[c].id else {
            // The id of a finished call: a second response. Of a call under way or never made: another client's
            // response.
            let isOld = facts.id.map { $0 < calls[c].id && ids.hasIssued($0) } ?? false
            recordWrong(c, isOld && isAnswered(facts.id ?? 0) ? .answeredTwice : .foreignID, text.excerpt())
            return false
        }
        if calls[c].isAnswered {
            recordWrong(c, .answeredTwice, text.excerpt())
            return true
        }
        calls[c].isAnswered = true
        if facts.isError {
            recordRefusal(c, facts, text)
            return true
        }
        switch calls[c].kind {
        case .initialize: storeInitializeResult(s, facts, text)
        case .list:
            if !facts.hasTools { recordWrong(c, .malformed, "tools/list without tools") }
            assignment.listing?.readTools(text)
        case .call, .echo: checkToolResult(c, s, facts, text)
        case .initialized, .delete, .stream: break
        }
        return true
    }

    /// The server answered the call with an error: it has failed, with what the server says.
    private mutating func recordRefusal(_ c: Handle, _ facts: AnswerFacts, _ text: Span<UInt8>) {
        let failure: Failure = facts.isToolError ? .toolError : .rpcError(facts.errorCode)
        calls[c].isRefused = true
        countFailure(failure, of: c)
        let words = ServerWords.ofError(facts, text)
        counters.addExample("\(calls[c].kind): \(failure.text): \(words)")
        assignment.listing?.refused("\(calls[c].kind): \(failure.text): \(words)")
    }

    /// Whether no call with this id is under way.
    private func isAnswered(_ id: UInt64) -> Bool {
        for slot in 0..<calls.slots {
            if let c = calls.handle(inSlot: slot), calls[c].id == id { return false }
        }
        return true
    }

    /// Checks the text of a tool's result against the session's oracle.
    private mutating func checkToolResult(_ c: Handle, _ s: Handle, _ facts: AnswerFacts, _ text: Span<UInt8>) {
        let isStateless = groups[sessions[s].group].workload.isStateless
        calls[c].isCounted = true
        guard let resultText = facts.text else {
            if assignment.plan.namesReplica { recordWrong(c, .malformed, text.excerpt()) }
            return sessions[s].oracle.answered()
        }
        if calls[c].kind == .echo {
            sessions[s].oracle.answered()
            if text.extracting(resultText).decimal != calls[c].id { recordWrong(c, .foreignID, text.excerpt()) }
            return
        }
        guard let report = WhoamiResult(text, resultText) else { return sessions[s].oracle.answered() }
        let guess = sessions[s].oracle.replica
        let name = replicas.number(text.extracting(report.replica), guess: guess)
        replicas.countCall(name)
        guard !isStateless else { return sessions[s].oracle.guess(name) }
        let expected = sessions[s].oracle.expected
        let wrong =
            hasMoved(s, to: name)
            ? sessions[s].oracle.moved(to: name, count: report.calls)
            : sessions[s].oracle.answered(by: name, count: report.calls)
        sessions[s].namedAt = now
        guard let kind = wrong else { return }
        let known = guess.map { replicas.name($0) } ?? "?"
        recordWrong(c, kind, "\(replicas.name(name)) says call \(report.calls), not \(known) \(expected)")
    }

    /// Composes the session's field lines from the result of initialize.
    private mutating func storeInitializeResult(_ s: Handle, _ facts: AnswerFacts, _ text: Span<UInt8>) {
        assignment.listing?.readServer(text)
        sessions[s].fields.clear()
        guard groups[sessions[s].group].workload != .legacy else { return }
        if !sessions[s].identifier.isEmpty {
            var identifier = ByteBuffer()
            swap(&identifier, &sessions[s].identifier)
            sessions[s].fields.append("Mcp-Session-Id: ")
            sessions[s].fields.append(identifier)
            sessions[s].fields.append("\r\n")
            swap(&identifier, &sessions[s].identifier)
        }
        if let version = facts.version {
            sessions[s].fields.append("MCP-Protocol-Version: ")
            sessions[s].fields.append(text.extracting(version))
            sessions[s].fields.append("\r\n")
        }
    }
}
