import ASCII
import Kernel
import Reactor

// Messages, held against what was asked.
extension Engine {
    /// A message that is the whole body of the call's answer. False if it answers another call.
    mutating func hearMessage(_ c: Handle, _ text: Span<UInt8>) -> Bool {
        let kind = calls[c].kind
        guard kind.isAnswered else { return true }
        let facts = AnswerFacts(text)
        guard facts.kind == .answer else {
            wrong(c, .malformed, text.excerpt())
            return true
        }
        return judge(c, facts, text)
    }

    /// Holds an answer against the call. False if it answers another call.
    mutating func judge(_ c: Handle, _ facts: AnswerFacts, _ text: Span<UInt8>) -> Bool {
        let s = calls[c].session
        guard facts.id == calls[c].id else {
            // Of a call that is still under way somewhere, or was never made, it is somebody else's.
            let isOld = facts.id.map { $0 < calls[c].id && ids.hasGiven($0) } ?? false
            wrong(c, isOld && isAnswered(facts.id ?? 0) ? .answeredTwice : .foreignID, text.excerpt())
            return false
        }
        if calls[c].isAnswered {
            wrong(c, .answeredTwice, text.excerpt())
            return true
        }
        calls[c].isAnswered = true
        if facts.isError {
            wrong(c, .hiddenError, text.extracting(facts.errorRange).excerpt())
            return true
        }
        switch calls[c].kind {
        case .initialize: introduce(s, facts, text)
        case .list: if !facts.hasTools { wrong(c, .malformed, "tools/list without tools") }
        case .call, .echo: judgeTool(c, s, facts, text)
        case .initialized, .delete, .stream: break
        }
        return true
    }

    /// Whether no call of this id is under way, so that it has had its answer.
    private func isAnswered(_ id: UInt64) -> Bool {
        for slot in 0..<calls.slots {
            if let c = calls.handle(inSlot: slot), calls[c].id == id { return false }
        }
        return true
    }

    private mutating func judgeTool(_ c: Handle, _ s: Handle, _ facts: AnswerFacts, _ text: Span<UInt8>) {
        let isStateless = groups[sessions[s].group].workload.isStateless
        calls[c].isCounted = true
        guard let said = facts.text else {
            if assignment.plan.tool == "whoami" { wrong(c, .malformed, text.excerpt()) }
            return sessions[s].oracle.answered()
        }
        if calls[c].kind == .echo {
            sessions[s].oracle.answered()
            if text.extracting(said).decimal != calls[c].id { wrong(c, .foreignID, text.excerpt()) }
            return
        }
        guard let whereabouts = ConnectionState(text, said) else { return sessions[s].oracle.answered() }
        let guess = sessions[s].oracle.replica
        let name = replicas.number(text.extracting(whereabouts.replica), guess: guess)
        replicas.note(name)
        guard !isStateless else { return sessions[s].oracle.guess(name) }
        let expected = sessions[s].oracle.expected
        guard let kind = sessions[s].oracle.answered(by: name, count: whereabouts.calls) else { return }
        let known = guess.map { replicas.name($0) } ?? "?"
        wrong(c, kind, "\(replicas.name(name)) says call \(whereabouts.calls), not \(known) \(expected)")
    }

    /// What initialize came to: the fields that name the session from now on.
    private mutating func introduce(_ s: Handle, _ facts: AnswerFacts, _ text: Span<UInt8>) {
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
