import Configuration
import HTTP
import Kernel
import MCP
import Reactor
import Telemetry

/// What is taken note of while a session lives: how it was opened, and what its requests leave behind at its server.
extension Worker where Outside: ~Copyable {
    // MARK: - Opening

    /// A response that opens a session is about to go to the client, which still has the request.
    mutating func recordOpening(_ exchange: Handle, _ key: SessionKey) {
        guard sessions.isRecording, let table = sessions.table else {
            if !isLearned(exchange) { metrics.add(.sessions, server: Int(exchanges[exchange].server), 1) }
            return
        }
        let server = Int(exchanges[exchange].server)
        let policy = servers.upstreams[Int(exchanges[exchange].upstream)].plan.onLost
        let handshake = policy == .never ? nil : readHandshake(exchange)
        table.open(
            key, on: servers[server].id, handshake, isLearned: isLearned(exchange), now: clock.now,
            counter: sessions.affinity.countAnywhere)
        sessions.known.forget(key)
        guard handshake != nil, !io.hasContentCoding else { return }
        beginCapture(exchange, key, .initializeResult)
        let common = commonKey(ofOpened: key, exchange)
        sessions.captures[exchange.slot]?.common = common
    }

    func isLearned(_ exchange: Handle) -> Bool {
        servers.upstreams[Int(exchanges[exchange].upstream)].plan.affinity == .learned
    }

    /// How the session is opened, by the request that the client still has; nil if that is no `initialize` or too long.
    private mutating func readHandshake(_ exchange: Handle) -> Handshake? {
        guard exchanges[exchange].isWhole, var request = keptRequest(exchange) else { return nil }
        defer { request.release() }
        let body = RequestID.body(of: request, io.requestHead)
        guard let summary = RequestSummary(of: body.span), summary.method == .initialize,
            let params = summary.params, params.count <= Handshake.maximumBytes
        else { return nil }
        return Handshake(params: Array(body[params]))
    }

    /// A copy of the request that a client has, its head parsed; nil if it does not have it any more.
    mutating func keptRequest(_ exchange: Handle) -> ByteBuffer? {
        let client = exchanges[exchange].client
        let count = min(Int(exchanges[exchange].replayBytes), clients[client].transport.input.count)
        guard count > 0 else { return nil }
        var request = ByteBuffer()
        request.append(clients[client].transport.input, 0..<count)
        let parser = clients.listeners[clients.listener(of: client)].parser
        guard case .complete = parser.parse(request, into: &io.requestHead) else { return nil }
        return request
    }

    // MARK: - Use

    /// A request of a session goes to its server: what it does to the session is taken note of. One of a session of which
    /// nothing more can be learned costs a look into this worker's own memory.
    mutating func noteSessionUse(_ exchange: Handle) {
        guard sessions.isRecording else { return }
        let upstream = Int(exchanges[exchange].upstream)
        var key = sessions.latest.key
        if sessions.latest.exchange != exchange {
            guard let other = keyOfRequest(exchange) else { return }
            key = other
        }
        let state = sessions.known.state(of: key, at: clock.now, idle: servers.upstreams[upstream].plan.sessionIdle)
        if state == .settled { return }
        recordUse(exchange, key, isFresh: state == .fresh)
    }

    private mutating func recordUse(_ exchange: Handle, _ key: SessionKey, isFresh: Bool) {
        guard !clients.isInternal(exchanges[exchange].client), let table = sessions.table else { return }
        let server = Int(exchanges[exchange].server)
        let upstream = Int(exchanges[exchange].upstream)
        let policy = servers.upstreams[upstream].plan.onLost
        let (effect, params) = policy == .never ? (.none, []) : effectOfRequest(exchange, policy)
        if isFresh, effect == .none { return }
        let use = table.noteUse(
            key, effect, params: params, server: servers[server].id, isLearned: isLearned(exchange), now: clock.now,
            counter: sessions.affinity.countAnywhere)
        let isShared = servers.upstreams[upstream].plan.records != nil
        if isShared { refreshRecord(exchange, key, changes: effect.isReplayed) }
        let isSettled = policy == .never || (!use.isRecorded && !isShared) || (policy == .clean && use.isDirty)
        sessions.known.noteUse(key, isSettled: isSettled, at: clock.now)
    }

    /// What the request at the front of `io.received` does to its session, and the parameters that it does it with.
    private mutating func effectOfRequest(
        _ exchange: Handle, _ policy: SessionLossPolicy
    ) -> (SessionEffect, [UInt8]) {
        guard exchanges[exchange].method == .post else { return (.none, []) }
        guard exchanges[exchange].isWhole else { return (.dirties, []) }
        let body = RequestID.body(of: io.received, io.requestHead)
        // Only what is replayed counts then, and nearly no request is that.
        if policy == .always, !MessageText.maySetSessionState(body.span) { return (.none, []) }
        let summary = RequestSummary(of: body.span)
        let server = Int(exchanges[exchange].server)
        let isReadOnly = summary?.tool.map { self.isReadOnly(server: server, tool: Array(body[$0]).span) } ?? false
        let effect = SessionEffect(of: summary, isReadOnly: isReadOnly)
        switch effect {
        case .setsLogLevel(let params), .subscribes(let params), .unsubscribes(let params):
            return (effect, Array(body[params]))
        case .none, .dirties: return (effect, [])
        }
    }

    /// The key of the session that the parsed request at the front of `io.received` names.
    mutating func keyOfRequest(_ exchange: Handle) -> SessionKey? {
        let id = (io.requestHead.sessionID ?? .empty).range
        let upstream = Int(exchanges[exchange].upstream)
        let subject = exchanges.authentication.subject(of: exchange)
        switch sessions.affinity.owner(ofSession: io.received, id, in: upstream, now: clock.now, of: subject) {
        case .server(_, let key), .removed(let key): return key
        case .unknown: return nil
        }
    }

    // MARK: - Responses

    /// The exchange's response is read for what it says of the session.
    mutating func beginCapture(_ exchange: Handle, _ key: SessionKey, _ purpose: ResponseCapture.Purpose) {
        exchanges[exchange].isCaptured = true
        sessions.captures[exchange.slot] = ResponseCapture(
            key: key, purpose: purpose, isEventStream: io.responseHead.isEventStream)
    }

    /// The requests that a recovered session's server makes on this stream are taken note of: their answers are told from
    /// those to requests of a server that is gone.
    mutating func captureServerRequests(_ exchange: Handle) {
        guard let key = keyOfSentID(exchange) else { return }
        beginCapture(exchange, key, .serverRequests)
    }

    /// A piece of the response's body came, in `io.received`.
    mutating func capture(_ exchange: Handle, _ range: ByteRange) {
        guard var capture = sessions.captures.removeValue(forKey: exchange.slot) else { return }
        capture.bytes += io.received.bytes(range.range)
        if look(at: &capture) == .done {
            exchanges[exchange].isCaptured = false
            if capture.purpose == .initializeResult { shareRecord(exchange, capture.key, capture.common) }
        } else {
            sessions.captures[exchange.slot] = capture
        }
    }

    private enum CaptureProgress { case goesOn, done }

    private mutating func look(at capture: inout ResponseCapture) -> CaptureProgress {
        switch capture.purpose {
        case .initializeResult:
            let isTooLong = capture.bytes.count > ResponseCapture.maximumBytes
            guard capture.looks < ResponseCapture.maximumLooks, !isTooLong else { return .done }
            capture.looks += 1
            guard let last = capture.bytes.last, last == 0x7d || last == 0x0a || last == 0x0d else { return .goesOn }
            guard let result = InitializeResult(of: capture.bytes.span, isEventStream: capture.isEventStream) else {
                return .goesOn
            }
            sessions.table?.noteResult(capture.key, result)
            return .done
        case .serverRequests:
            noteServerRequests(&capture)
            return .goesOn
        }
    }

    /// The exchange is over.
    mutating func endCapture(_ exchange: Handle) {
        sessions.captures[exchange.slot] = nil
    }

    /// Finds the requests of a server among the events that have come whole: the client answers them by their ids.
    private mutating func noteServerRequests(_ capture: inout ResponseCapture) {
        while let end = capture.bytes.firstIndex(of: 0x0a) {
            let line = capture.bytes[..<end]
            capture.bytes.removeFirst(end + 1)
            guard line.starts(with: "data:".utf8) else { continue }
            let message = Array(line.dropFirst(5))
            guard let id = JSONRPC.requestID(in: message.span) else { continue }
            sessions.table?.noteServerRequest(capture.key, Array(message[id]))
        }
        // A line that is longer than a question to a person can be is not kept.
        if capture.bytes.count > ResponseCapture.maximumBytes { capture.bytes = [] }
    }

    // MARK: - The end

    /// Once in a while, the last of the workers (the control thread, where there is one) forgets sessions that nobody uses
    /// any more.
    mutating func sweepSessions() {
        guard sweepsSessions, clock.now >= sessions.nextSweep, let table = sessions.table else { return }
        let idle = snapshot.upstreams.map(\.sessionIdle).min() ?? .seconds(60)
        // All shards in a quarter of the time, as far as that is no more often than twice a second.
        let pause = table.count == 0 ? 60_000 : min(60_000, max(500, idle.nanoseconds / 64_000_000))
        sessions.nextSweep = clock.now + .milliseconds(pause)
        let affinity = sessions.affinity
        for ended in table.sweep(now: clock.now, idle: affinity.idle, counter: affinity.countAnywhere) {
            countEnd(ended)
        }
        affinity.sweep(at: clock.now)
    }

    /// Has metrics say how long a session lasted. The server that had it may have left the configuration.
    func countEnd(_ ended: EndedSession?) {
        guard let ended else { return }
        let slot = Int(ended.server.slot)
        let isKnown = servers.slots.contains(slot) && servers[slot].id == ended.server
        let upstream = isKnown ? UInt16(truncatingIfNeeded: servers.upstream(of: slot)) : .max
        metrics.calls.recordSession(
            nanoseconds: ended.duration.nanoseconds, upstream: upstream, revision: ended.revision.rawValue,
            isLost: ended.isLost)
    }

    /// The same for a session of HTTP+SSE, which lasts as long as its stream (MCP 2024-11-05, "HTTP with SSE").
    func countLegacyEnd(_ exchange: Handle, _ outcome: ExchangeOutcome) {
        let isLost =
            switch outcome {
            case .streamFailed, .responseAborted, .inconsistent: true
            case .responded, .rejected, .streamEnded, .requestAborted, .clientDisconnected: false
            }
        metrics.calls.recordSession(
            nanoseconds: (clock.now - exchanges[exchange].times.startedAt).nanoseconds,
            upstream: UInt16(truncatingIfNeeded: exchanges[exchange].upstream),
            revision: ProtocolRevisions(version: Self.legacyVersion.span).rawValue, isLost: isLost)
    }

    private static var legacyVersion: [UInt8] { Array("2024-11-05".utf8) }

    /// Whether it is this worker that sweeps.
    var sweepsSessions: Bool { sessions.isRecording && metrics.worker == metrics.workers - 1 }
}
