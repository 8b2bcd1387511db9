import Histogram
import Kernel
import Reactor

// Receiving event streams.
extension Engine {
    /// Parses the next bytes of an event stream. An incomplete event is kept in the call's body.
    mutating func receiveEvents(_ c: Handle, _ bytes: Span<UInt8>) {
        if calls[c].body.isEmpty {
            let rest = receiveEventBlocks(c, bytes, from: 0)
            guard rest < bytes.count, calls.contains(c) else { return }
            calls[c].body.append(bytes.extracting(rest..<bytes.count))
        } else {
            var gathered = ByteBuffer()
            swap(&gathered, &calls[c].body)
            gathered.append(bytes)
            let scanned = calls[c].scanned
            let rest = receiveEventBlocks(c, gathered.span, from: scanned)
            guard calls.contains(c) else { return }
            gathered.consume(rest)
            guard gathered.count <= Engine.answerLimit else { return }
            swap(&gathered, &calls[c].body)
        }
        // The last three bytes may be the beginning of an event's end.
        calls[c].scanned = max(0, calls[c].body.count - 3)
    }

    /// Handles every complete event. Returns where the incomplete rest begins. `scanned`: offset before which no event
    /// ends.
    private mutating func receiveEventBlocks(_ c: Handle, _ bytes: Span<UInt8>, from scanned: Int) -> Int {
        var start = 0
        var search = scanned
        while let end = EventBlock.end(bytes, from: search) {
            let event = bytes.extracting(start..<end)
            (start, search) = (end, end)
            receiveEvent(c, EventBlock(event), event)
            guard calls.contains(c) else { return bytes.count }
        }
        return start
    }

    /// Handles one event.
    private mutating func receiveEvent(_ c: Handle, _ block: EventBlock, _ text: Span<UInt8>) {
        guard let range = block.data else { return }
        let data = text.extracting(range)
        let s = calls[c].session
        if block.isEndpoint(text) { return storeEndpoint(c, s, data) }
        let facts = AnswerFacts(data)
        switch facts.kind {
        case .malformed: recordWrong(c, .malformed, data.excerpt())
        case .ask:
            recordNumberedEvent(c, facts)
            if facts.sequence != nil { recordTrialEvent(c, facts, data) }
            endLongStream(c)
        case .answer where calls[c].kind == .stream: checkStreamedResponse(c, s, facts, data)
        case .answer: _ = checkResponse(c, facts, data)
        }
    }

    /// Checks the number of an event and records its latency (`fanin`).
    private mutating func recordNumberedEvent(_ c: Handle, _ facts: AnswerFacts) {
        guard let number = facts.sequence else { return }
        calls[c].lastEventAt = now
        if let (kind, count) = calls[c].events.receive(number) {
            counters.count(kind, count)
            counters.addExample("\(kind.rawValue): \(count) at event \(number)")
        }
        // Numbered events on streams of other workloads are checked but not counted as completed.
        let group = sessions[calls[c].session].group
        guard phase == .measuring, groups[group].workload == .fanin else { return }
        counters.completed &+= 1
        if let sentAt = facts.sentAt { counters.latency.record((now - Instant(nanoseconds: sentAt)).nanoseconds / 100) }
    }

    /// Checks the response to a call of 2024-11-05, which comes on the stream of its session.
    private mutating func checkStreamedResponse(
        _ stream: Handle, _ s: Handle, _ facts: AnswerFacts, _ data: Span<UInt8>
    ) {
        let call = sessions[s].call
        // The late response to a call that has timed out.
        if let id = facts.id, id == sessions[s].lastFailed { return }
        guard calls.contains(call), calls[call].kind.isAnswered, !calls[call].isAnswered else {
            let kind: WrongAnswer = facts.id == sessions[s].lastAnswered ? .answeredTwice : .foreignID
            counters.count(kind)
            return counters.addExample("\(kind.rawValue): \(data.excerpt())")
        }
        if facts.id != calls[call].id {
            let kind: WrongAnswer = facts.id == sessions[s].lastAnswered ? .answeredTwice : .foreignID
            counters.count(kind)
            return counters.addExample("\(kind.rawValue): \(data.excerpt())")
        }
        _ = checkResponse(call, facts, data)
        // The 202 of the POST may come after the response.
        if calls[call].connection.isNone { completeCall(call) }
    }

    /// Stores the path of an `endpoint` event, to which the session's messages are posted (2024-11-05).
    private mutating func storeEndpoint(_ c: Handle, _ s: Handle, _ data: Span<UInt8>) {
        guard groups[sessions[s].group].workload == .legacy, sessions[s].target.isEmpty else { return }
        guard let path = EndpointPath.path(data, from: assignment.plan.target) else {
            return recordWrong(c, .malformed, "endpoint \(data.excerpt())")
        }
        sessions[s].target.append(data.extracting(path))
        if phase == .measuring { counters.latency.record((now - calls[c].due).nanoseconds / 100) }
        sessions[s].step = .initialize
        makeReady(s)
    }
}
