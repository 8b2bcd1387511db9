import Histogram
import Kernel
import Reactor

// Events: messages that come on a stream.
extension Engine {
    /// Takes the next bytes of an event stream.
    mutating func hearEvents(_ c: Handle, _ bytes: Span<UInt8>) {
        if calls[c].body.isEmpty {
            let rest = hearBlocks(c, bytes, from: 0)
            guard rest < bytes.count, calls.contains(c) else { return }
            calls[c].body.append(bytes.extracting(rest..<bytes.count))
        } else {
            var gathered = ByteBuffer()
            swap(&gathered, &calls[c].body)
            gathered.append(bytes)
            let scanned = calls[c].scanned
            let rest = hearBlocks(c, gathered.span, from: scanned)
            guard calls.contains(c) else { return }
            gathered.consume(rest)
            guard gathered.count <= Engine.answerLimit else { return }
            swap(&gathered, &calls[c].body)
        }
        // An end may be two bytes short of itself.
        calls[c].scanned = max(0, calls[c].body.count - 3)
    }

    /// Hears every event that is complete; returns where the rest begins. `scanned`: up to there is no end of one.
    private mutating func hearBlocks(_ c: Handle, _ bytes: Span<UInt8>, from scanned: Int) -> Int {
        var start = 0
        var search = scanned
        while let end = EventBlock.end(bytes, from: search) {
            let event = bytes.extracting(start..<end)
            (start, search) = (end, end)
            hearEvent(c, EventBlock(event), event)
            guard calls.contains(c) else { return bytes.count }
        }
        return start
    }

    private mutating func hearEvent(_ c: Handle, _ block: EventBlock, _ text: Span<UInt8>) {
        guard let range = block.data else { return }
        let data = text.extracting(range)
        let s = calls[c].session
        if block.isEndpoint(text) { return hearEndpoint(c, s, data) }
        let facts = AnswerFacts(data)
        switch facts.kind {
        case .malformed: wrong(c, .malformed, data.excerpt())
        case .ask: hearNotification(c, facts)
        case .answer where calls[c].kind == .stream: hearStreamed(c, s, facts, data)
        case .answer: _ = judge(c, facts, data)
        }
    }

    /// A numbered event.
    private mutating func hearNotification(_ c: Handle, _ facts: AnswerFacts) {
        guard let number = facts.sequence else { return }
        calls[c].lastHeard = now
        if let (kind, count) = calls[c].events.heard(number) {
            counters.count(kind, count)
            counters.note("\(kind.rawValue): \(count) at event \(number)")
        }
        // Those that come on the stream of an older session are no business of its calls.
        let group = sessions[calls[c].session].group
        guard phase == .measuring, groups[group].workload == .fanin else { return }
        counters.completed &+= 1
        if let sentAt = facts.sentAt { counters.latency.record((now - Instant(nanoseconds: sentAt)).nanoseconds / 100) }
    }

    /// The answer to a call of 2024-11-05, on the stream of its session.
    private mutating func hearStreamed(_ stream: Handle, _ s: Handle, _ facts: AnswerFacts, _ data: Span<UInt8>) {
        let call = sessions[s].call
        // The late answer to a call that was given up.
        if let id = facts.id, id == sessions[s].lastFailed { return }
        guard calls.contains(call), calls[call].kind.isAnswered, !calls[call].isAnswered else {
            let kind: WrongAnswer = facts.id == sessions[s].lastAnswered ? .answeredTwice : .foreignID
            counters.count(kind)
            return counters.note("\(kind.rawValue): \(data.excerpt())")
        }
        if facts.id != calls[call].id {
            let kind: WrongAnswer = facts.id == sessions[s].lastAnswered ? .answeredTwice : .foreignID
            counters.count(kind)
            return counters.note("\(kind.rawValue): \(data.excerpt())")
        }
        _ = judge(call, facts, data)
        // The 202 may come after the answer.
        if calls[call].connection.isNone { close(call) }
    }

    /// Where the messages of a session of 2024-11-05 go.
    private mutating func hearEndpoint(_ c: Handle, _ s: Handle, _ data: Span<UInt8>) {
        guard groups[sessions[s].group].workload == .legacy, sessions[s].target.isEmpty else { return }
        guard let path = EndpointPath.path(data, from: assignment.plan.target) else {
            return wrong(c, .malformed, "endpoint \(data.excerpt())")
        }
        sessions[s].target.append(data.extracting(path))
        if phase == .measuring { counters.latency.record((now - calls[c].due).nanoseconds / 100) }
        sessions[s].step = .initialize
        makeReady(s)
    }
}
