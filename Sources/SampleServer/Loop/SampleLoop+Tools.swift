import Kernel
import Reactor

// The methods and tools that all eras share.
extension SampleLoop {
    private static let longestWaitMilliseconds: UInt64 = 600_000
    private static let highestCount: UInt64 = 1_000_000
    private static let mostBytes: UInt64 = 4_294_967_296
    /// Longer texts are made while they are sent.
    private static let inMemoryBytes: UInt64 = 65_536

    /// Answers any request but the handshakes.
    mutating func call(_ message: Message, _ body: Span<UInt8>, session: SessionID?, answer destination: Return) {
        let id = body.extracting(message.id.range)
        switch message.method {
        case .ping:
            beginResult(id: id, isStateless: false)
            endResult()
            deliver(to: destination)
        case .toolsList:
            beginResult(id: id, isStateless: destination.isStateless)
            payload.bytes.append(Texts.tools)
            if destination.isStateless { payload.bytes.append(",\"ttlMs\":0,\"cacheScope\":\"private\"") }
            endResult()
            deliver(to: destination)
        case .toolsCall: callTool(message, body, session: session, answer: destination)
        case .initialize, .discover, .listen, .other: fail(-32_601, "Method not found", id, destination)
        }
    }

    private mutating func callTool(
        _ message: Message, _ body: Span<UInt8>, session: SessionID?, answer destination: Return
    ) {
        let calls = countCall(session)
        let id = body.extracting(message.id.range)
        switch message.tool {
        case .echo:
            guard let text = message.text else { return fail(-32_602, "echo needs a text", id, destination) }
            beginText(id, destination)
            payload.bytes.append(body.extracting(text.range))
            endText(destination)
        case .whoami:
            let opening = texts.whoami
            beginText(id, destination)
            payload.bytes.append(opening.span)
            payload.bytes.append(decimal: calls)
            payload.bytes.append("}\"")
            endText(destination)
        case .bytes:
            guard let size = message.size, size <= SampleLoop.mostBytes else {
                return fail(-32_602, "bytes needs n, at most 4294967296", id, destination)
            }
            sendBytes(size, id, destination)
        case .sleep, .count: schedule(message, body, answer: destination)
        case nil: fail(-32_602, "Unknown tool", id, destination)
        }
    }

    /// Of the session, or of the whole replica where there is none.
    private mutating func countCall(_ session: SessionID?) -> UInt64 {
        if let session { return sessions.countCall(session) }
        statelessCalls &+= 1
        return statelessCalls
    }

    private mutating func sendBytes(_ size: UInt64, _ id: Span<UInt8>, _ destination: Return) {
        beginText(id, destination)
        payload.bytes.append(UInt8(ascii: "\""))
        if size > SampleLoop.inMemoryBytes {
            payload.fill(Int(size))
        } else {
            for index in 0..<size { payload.bytes.append(97 + UInt8(index % 26)) }
        }
        payload.bytes.append(UInt8(ascii: "\""))
        endText(destination)
    }

    // MARK: Calls that take time

    private mutating func schedule(_ message: Message, _ body: Span<UInt8>, answer destination: Return) {
        let id = body.extracting(message.id.range)
        guard let work = SampleLoop.work(message) else {
            return fail(-32_602, "A time or number is missing or too large", id, destination)
        }
        var destination = destination
        let token = message.progressToken.map { body.extracting($0.range).copied }
        if case .count = work, destination.form == .json {
            destination = Return(
                connection: destination.connection, form: .events, session: destination.session,
                isStateless: destination.isStateless)
        }
        let due = now + SampleLoop.pause(work)
        let job = Job(work: work, due: due, destination: destination, id: id.copied, progressToken: token)
        guard let handle = jobs.insert(job) else { return fail(-32_000, "Too many calls", id, destination) }
        if destination.form != .legacy { connections[destination.connection].job = handle }
        // The head goes out at once: a stream that only opens with its first event looks dead until then.
        if destination.form == .events { openStream(destination.connection, session: destination.session) }
        schedule(handle)
    }

    /// Has the job go on when it is due. One without pauses goes on at the next tick, so that it cannot keep the thread
    /// to itself.
    private mutating func schedule(_ handle: Handle) {
        if case .count(_, _, 1...) = jobs[handle].work {
            agenda.add(.job(handle), at: jobs[handle].due)
        } else {
            timers.schedule(handle.packed, at: jobs[handle].due)
        }
    }

    private static func work(_ message: Message) -> Job.Work? {
        if message.tool == .sleep {
            guard let milliseconds = message.milliseconds, milliseconds <= longestWaitMilliseconds else { return nil }
            return .sleep(milliseconds: milliseconds)
        }
        let interval = message.interval ?? 0
        guard let to = message.to, to <= highestCount, interval <= longestWaitMilliseconds else { return nil }
        return .count(next: 1, to: to, intervalMilliseconds: interval)
    }

    private static func pause(_ work: Job.Work) -> Interval {
        switch work {
        case .sleep(let milliseconds): .milliseconds(milliseconds)
        case .count(_, _, let interval): .milliseconds(interval)
        }
    }

    /// A pending call's time has come.
    mutating func advance(_ handle: Handle) {
        guard jobs.contains(handle) else { return }
        let destination = jobs[handle].destination
        guard connections.contains(destination.connection) else {
            _ = jobs.remove(handle)
            return
        }
        switch jobs[handle].work {
        case .sleep: complete(handle, "\"slept\"")
        case .count(let next, let to, let interval): count(handle, from: next, to: to, interval: interval)
        }
    }

    /// One number a turn; without an interval as many as the client takes. Numbers wait for a client that is slow.
    private mutating func count(_ handle: Handle, from next: UInt64, to: UInt64, interval: UInt64) {
        let job = jobs[handle]
        var next = next
        var left = interval == 0 ? 1_024 : 1
        while left > 0, next <= to {
            guard connections.contains(job.destination.connection) else { break }
            if connections[job.destination.connection].outbox.isHigh { break }
            if let token = job.progressToken { progress(next, of: to, token: token, job.destination) }
            next += 1
            left -= 1
        }
        guard jobs.contains(handle) else { return }
        // The result comes with the last number, not an interval after it.
        if next > to { return complete(handle, "\"counted\"") }
        jobs[handle].work = .count(next: next, to: to, intervalMilliseconds: interval)
        // After the time at which this one was due, not after now: thousands of these keep their pace.
        jobs[handle].due = interval == 0 ? now : job.due + .milliseconds(interval)
        schedule(handle)
    }

    private mutating func progress(_ value: UInt64, of total: UInt64, token: [UInt8], _ destination: Return) {
        payload.clear()
        payload.bytes.append(
            "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":")
        payload.bytes.append(token.span)
        payload.bytes.append(",\"progress\":")
        payload.bytes.append(decimal: value)
        payload.bytes.append(",\"total\":")
        payload.bytes.append(decimal: total)
        payload.bytes.append("}}")
        notify(destination)
    }

    private mutating func complete(_ handle: Handle, _ text: StaticString) {
        guard let job = jobs.remove(handle), connections.contains(job.destination.connection) else { return }
        beginText(job.id.span, job.destination)
        payload.bytes.append(text)
        endText(job.destination)
    }

    // MARK: Results

    /// A tool's result whose content is one text; the JSON string follows.
    private mutating func beginText(_ id: Span<UInt8>, _ destination: Return) {
        beginResult(id: id, isStateless: destination.isStateless)
        payload.bytes.append("\"content\":[{\"type\":\"text\",\"text\":")
    }

    private mutating func endText(_ destination: Return) {
        payload.bytes.append("}],\"isError\":false")
        endResult()
        let spaces = texts.spaces
        if payload.count < spaces.count { payload.bytes.append(spaces.span.extracting(payload.count..<spaces.count)) }
        deliver(to: destination)
    }

    /// An error in band: 404 would end a session, so all but the stateless era get 200.
    private mutating func fail(_ code: Int, _ message: StaticString, _ id: Span<UInt8>, _ destination: Return) {
        if destination.isStateless { return refuse(destination.connection, "400 Bad Request", code, message, id: id) }
        beginError(code, message, id: id)
        payload.bytes.append("}}")
        deliver(to: destination)
    }
}
