import ASCII
import Kernel
import Reactor

// The methods and tools that all protocol revisions have.
extension SampleLoop {
    private static let maximumMilliseconds: UInt64 = 600_000
    private static let maximumCount: UInt64 = 1_000_000
    private static let maximumTextBytes: UInt64 = 4_294_967_296
    /// The largest text that is made in memory, in bytes. Longer ones are generated while they are sent.
    private static let inMemoryBytes: UInt64 = 65_536

    /// Answers any request but `initialize`, `server/discover` and `subscriptions/listen`.
    mutating func call(
        _ message: Message, _ body: Span<UInt8>, session: SessionID?, answer destination: AnswerDestination
    ) {
        let id = body.extracting(message.id.range)
        switch message.method {
        case .ping:
            beginResult(id: id, isStateless: false)
            endResult()
            sendAnswer(to: destination)
        case .toolsList:
            beginResult(id: id, isStateless: destination.isStateless)
            payload.bytes.append(Texts.tools)
            if destination.isStateless { payload.bytes.append(",\"ttlMs\":0,\"cacheScope\":\"private\"") }
            endResult()
            sendAnswer(to: destination)
        case .toolsCall: callTool(message, body, session: session, answer: destination)
        case .initialize, .discover, .listen, .other: fail(-32_601, "Method not found", id, destination)
        }
    }

    private mutating func callTool(
        _ message: Message, _ body: Span<UInt8>, session: SessionID?, answer destination: AnswerDestination
    ) {
        let calls = countCall(session)
        let id = body.extracting(message.id.range)
        if let tool = message.tool, let number = id.decimal {
            executions?.append(ExecutionLog.Entry(id: number, isReadOnly: tool != .record))
        }
        switch message.tool {
        case .echo:
            guard let text = message.text else { return fail(-32_602, "echo needs a text", id, destination) }
            beginText(id, destination)
            payload.bytes.append(body.extracting(text.range))
            endText(destination)
        case .whoami, .record:
            let opening = texts.whoami
            beginText(id, destination)
            payload.bytes.append(opening.span)
            payload.bytes.append(decimal: calls)
            payload.bytes.append("}\"")
            endText(destination)
        case .bytes:
            guard let size = message.size, size <= SampleLoop.maximumTextBytes else {
                return fail(-32_602, "bytes needs n, at most 4294967296", id, destination)
            }
            sendBytes(size, id, destination)
        case .sleep, .count: schedule(message, body, answer: destination)
        case nil: fail(-32_602, "Unknown tool", id, destination)
        }
    }

    /// Counts a call and returns its number within the session, or, without a session, within the server.
    private mutating func countCall(_ session: SessionID?) -> UInt64 {
        if let session { return sessions.countCall(session) }
        statelessCalls &+= 1
        return statelessCalls
    }

    private mutating func sendBytes(_ size: UInt64, _ id: Span<UInt8>, _ destination: AnswerDestination) {
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

    private mutating func schedule(_ message: Message, _ body: Span<UInt8>, answer destination: AnswerDestination) {
        let id = body.extracting(message.id.range)
        guard let work = SampleLoop.work(message) else {
            return fail(-32_602, "A time or number is missing or too large", id, destination)
        }
        var destination = destination
        let token = message.progressToken.map { body.extracting($0.range).copied }
        if case .count = work, destination.form == .json {
            destination = AnswerDestination(
                connection: destination.connection, form: .events, session: destination.session,
                isStateless: destination.isStateless)
        }
        let due = now + SampleLoop.pause(work)
        let pendingCall = PendingCall(
            work: work, due: due, destination: destination, id: id.copied, progressToken: token)
        guard let handle = pendingCalls.insert(pendingCall) else {
            return fail(-32_000, "Too many calls", id, destination)
        }
        if destination.form != .legacy { connections[destination.connection].pendingCall = handle }
        // The head is sent at once, before the first event, so that the client sees that its request was accepted.
        if destination.form == .events { openStream(destination.connection, session: destination.session) }
        schedule(handle)
    }

    /// Schedules the next step of a pending call. A call without pauses continues at the next tick of the timer wheel,
    /// so that it cannot monopolise the thread.
    private mutating func schedule(_ handle: Handle) {
        if case .count(_, _, 1...) = pendingCalls[handle].work {
            eventSchedule.add(.pendingCall(handle), at: pendingCalls[handle].due)
        } else {
            timers.schedule(handle.packed, at: pendingCalls[handle].due)
        }
    }

    private static func work(_ message: Message) -> PendingCall.Work? {
        if message.tool == .sleep {
            guard let milliseconds = message.milliseconds, milliseconds <= maximumMilliseconds else { return nil }
            return .sleep(milliseconds: milliseconds)
        }
        let interval = message.interval ?? 0
        guard let to = message.to, to <= maximumCount, interval <= maximumMilliseconds else { return nil }
        return .count(next: 1, to: to, intervalMilliseconds: interval)
    }

    private static func pause(_ work: PendingCall.Work) -> Interval {
        switch work {
        case .sleep(let milliseconds): .milliseconds(milliseconds)
        case .count(_, _, let interval): .milliseconds(interval)
        }
    }

    /// Runs the step of a pending call that is due.
    mutating func advance(_ handle: Handle) {
        guard pendingCalls.contains(handle) else { return }
        let destination = pendingCalls[handle].destination
        guard connections.contains(destination.connection) else {
            _ = pendingCalls.remove(handle)
            return
        }
        switch pendingCalls[handle].work {
        case .sleep: complete(handle, "\"slept\"")
        case .count(let next, let to, let interval): count(handle, from: next, to: to, interval: interval)
        }
    }

    /// Sends the next number; without an interval as many as the client accepts, up to 1,024 a turn. Waits if the
    /// client is slow.
    private mutating func count(_ handle: Handle, from next: UInt64, to: UInt64, interval: UInt64) {
        let pendingCall = pendingCalls[handle]
        var next = next
        var left = interval == 0 ? 1_024 : 1
        while left > 0, next <= to {
            guard connections.contains(pendingCall.destination.connection) else { break }
            if connections[pendingCall.destination.connection].output.isAboveHighWatermark { break }
            if let token = pendingCall.progressToken { progress(next, of: to, token: token, pendingCall.destination) }
            next += 1
            left -= 1
        }
        guard pendingCalls.contains(handle) else { return }
        // The result follows the last number at once, not after an interval.
        if next > to { return complete(handle, "\"counted\"") }
        pendingCalls[handle].work = .count(next: next, to: to, intervalMilliseconds: interval)
        // Computed from the time at which this step was due, so that delays do not add up.
        pendingCalls[handle].due = interval == 0 ? now : pendingCall.due + .milliseconds(interval)
        schedule(handle)
    }

    private mutating func progress(_ value: UInt64, of total: UInt64, token: [UInt8], _ destination: AnswerDestination)
    {
        payload.clear()
        payload.bytes.append(
            "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":")
        payload.bytes.append(token.span)
        payload.bytes.append(",\"progress\":")
        payload.bytes.append(decimal: value)
        payload.bytes.append(",\"total\":")
        payload.bytes.append(decimal: total)
        payload.bytes.append("}}")
        sendNotification(destination)
    }

    private mutating func complete(_ handle: Handle, _ text: StaticString) {
        guard let pendingCall = pendingCalls.remove(handle), connections.contains(pendingCall.destination.connection)
        else { return }
        beginText(pendingCall.id.span, pendingCall.destination)
        payload.bytes.append(text)
        endText(pendingCall.destination)
    }

    // MARK: Results

    /// Begins a tool's result whose content is one text. The caller appends the JSON string.
    private mutating func beginText(_ id: Span<UInt8>, _ destination: AnswerDestination) {
        beginResult(id: id, isStateless: destination.isStateless)
        payload.bytes.append("\"content\":[{\"type\":\"text\",\"text\":")
    }

    private mutating func endText(_ destination: AnswerDestination) {
        payload.bytes.append("}],\"isError\":false")
        endResult()
        let spaces = texts.spaces
        if payload.count < spaces.count { payload.bytes.append(spaces.span.extracting(payload.count..<spaces.count)) }
        sendAnswer(to: destination)
    }

    /// Answers a call with a JSON-RPC error. In revisions with sessions the status is 200, because 404 would end the
    /// session.
    private mutating func fail(
        _ code: Int, _ message: StaticString, _ id: Span<UInt8>, _ destination: AnswerDestination
    ) {
        if destination.isStateless {
            return respondError(destination.connection, "400 Bad Request", code, message, id: id)
        }
        beginError(code, message, id: id)
        payload.bytes.append("}}")
        sendAnswer(to: destination)
    }
}
