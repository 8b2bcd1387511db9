import HTTP
import Kernel
import MCP
import Reactor
import Telemetry

/// Event streams: never held back, kept alive between events, and rewritten in one place only.
extension Worker where Outside: ~Copyable {
    /// A stream starts: no more deadline on the whole, heartbeats instead.
    mutating func startEventStream(_ exchange: Handle) {
        // No byte may be added to a body whose length was announced.
        let isCounted = if case .length = io.responseHead.framing { true } else { false }
        let upstream = Int(exchanges[exchange].upstream)
        let opensLegacy =
            exchanges[exchange].mayOpenLegacySession
            && (servers.upstreams[upstream].plan.affinity != .off || stripsPrefix(exchange))
            && io.responseHead.status == 200 && !isCounted
        exchanges[exchange].responseKind =
            io.hasContentCoding ? .codedStream : opensLegacy ? .unseenEndpoint : .eventStream
        if !isCounted { keepRequest(exchange) }
        exchanges[exchange].lastUpstreamActivity = clock.now
        noteSessionStream(exchange)
        armHeartbeat(exchange)
        if exchanges[exchange].isMapped, exchanges[exchange].responseKind == .eventStream {
            captureServerRequests(exchange)
        }
    }

    /// Forwards a piece of an event stream.
    mutating func relayEvents(_ exchange: Handle, _ range: ByteRange, chunked: Bool) {
        exchanges[exchange].lastUpstreamActivity = clock.now
        switch exchanges[exchange].responseKind {
        case .unseenEndpoint: scanEndpoint(exchange, range)
        case .codedStream: io.appendData(range, chunked: chunked)
        case .eventStream, .legacyStream, .message:
            if servers.upstreams[Int(exchanges[exchange].upstream)].plan.cache != nil { watchChanges(exchange, range) }
            if !exchanges.toolFilters.isEmpty, filterEvents(exchange, range) == .filtered { break }
            exchanges[exchange].boundary.note(io.received, range.range)
            if !exchanges[exchange].pending.isEmpty { watchEvents(exchange, range) }
            io.appendData(range, chunked: chunked)
        }
        armHeartbeat(exchange)
    }

    /// Gathers the first event of a legacy stream, and sends it on with our signature on its endpoint.
    private mutating func scanEndpoint(_ exchange: Handle, _ range: ByteRange) {
        exchanges[exchange].pending.append(io.received, range)
        let start = Int(exchanges[exchange].targetCount)
        switch EndpointEventScanner.scan(exchanges[exchange].pending, from: start) {
        case .needsMore:
            return
        case .notEndpoint:
            releasePending(exchange)
        case .endpoint(let data):
            rewriteEndpoint(exchange, (data.lowerBound + start)..<(data.upperBound + start))
        }
    }

    /// Sends on what was gathered, as it is.
    mutating func releasePending(_ exchange: Handle) {
        exchanges[exchange].responseKind = .eventStream
        var gathered = ByteBuffer()
        swap(&gathered, &exchanges[exchange].pending)
        gathered.consume(Int(exchanges[exchange].targetCount))
        exchanges[exchange].targetCount = 0
        let all = ByteRange(start: 0, count: gathered.count)
        if !exchanges.toolFilters.isEmpty, filterEvents(exchange, all, of: gathered) == .filtered { return }
        exchanges[exchange].boundary.note(gathered, 0..<gathered.count)
        guard !gathered.isEmpty else { return }
        let chunked = exchanges[exchange].clientFraming == .chunked
        if chunked {
            io.composed.append(hexadecimal: UInt64(gathered.count))
            io.composed.append("\r\n")
        }
        io.composed.append(gathered)
        if chunked { io.composed.append("\r\n") }
    }

    /// The endpoint event names where the client will POST: path-absolute, so that it comes back to us, and with our
    /// signature (or learned), so that we know whose it is.
    private mutating func rewriteEndpoint(_ exchange: Handle, _ data: Range<Int>) {
        guard let target = resolveEndpoint(exchange, data) else {
            releasePending(exchange)
            return
        }
        let server = Int(exchanges[exchange].server)
        let upstream = Int(exchanges[exchange].upstream)
        if servers.upstreams[upstream].plan.affinity == .off {
            replaceEndpoint(exchange, data, with: target)
            return
        }
        metrics.count(.sessionsOpened, server: server)
        var rewritten = ByteBuffer()
        rewritten.append(exchanges[exchange].pending, Int(exchanges[exchange].targetCount)..<data.lowerBound)
        rewritten.append(target)
        if servers.upstreams[upstream].plan.affinity == .signed {
            let issuedAt = io.world.wallSeconds()
            sessions.affinity.signEndpoint(
                target, for: servers[server].plan.tag, issuedAt: issuedAt,
                of: exchanges.authentication.subject(of: exchange), to: &rewritten)
        } else if let value = LegacyTarget.sessionParameter(in: target.span) {
            let id = qualified(Array(target[value]), exchange)
            let result = sessions.affinity.learn(
                id, server: servers[server].id, at: clock.now, in: upstream, endsWithStream: true)
            guard result == .learned else {
                // The client would be told of an endpoint that cannot be found again.
                exchanges[exchange].responseKind = .eventStream
                act(on: exchange, .streamStopped)
                return
            }
            if sessions.shared.isUsed { shareLegacy(id, exchange) }
        }
        rewritten.append(exchanges[exchange].pending, data.upperBound..<exchanges[exchange].pending.count)
        exchanges[exchange].pending = consume rewritten
        exchanges[exchange].targetCount = 0
        releasePending(exchange)
        exchanges[exchange].responseKind = .legacyStream
        metrics.add(.sessions, server: server, 1)
    }

    /// Sets when to look at the stream next: when the client has heard nothing for a while, or the server has sent nothing
    /// for too long.
    private mutating func armHeartbeat(_ exchange: Handle) {
        let upstream = Int(exchanges[exchange].upstream)
        let heartbeat = clock.now + servers.upstreams[upstream].plan.heartbeat
        let idle = exchanges[exchange].lastUpstreamActivity + servers.upstreams[upstream].plan.streamIdleTimeout
        exchanges.setDeadline(exchange, min(heartbeat, idle), &clock)
    }

    /// An exchange's deadline may have come: by phase, its wait, its response, or its silence took too long.
    mutating func exchangeTimedOut(_ exchange: Handle) {
        guard exchanges[exchange].deadline <= clock.now else {
            exchanges.deadlines.arm(
                exchange.slot, at: exchanges[exchange].deadline, now: clock.now, in: &clock.timers)
            return
        }
        exchanges[exchange].deadline = .never
        if !sessions.shared.isEmpty, releaseLate(exchange) == .resumed { return }
        act(on: exchange, .timedOut)
    }

    /// Ends a stream that the server has left silent for too long, or sends a heartbeat. A comment goes between events
    /// only, and not to a client that has not taken what was sent before. What is gathered of a first event has not been
    /// sent: for the client, that is between events.
    mutating func checkSilence(_ exchange: Handle) {
        guard exchanges[exchange].isEventStream else {
            checkBodySilence(exchange)
            return
        }
        let upstream = Int(exchanges[exchange].upstream)
        let silence = clock.now - exchanges[exchange].lastUpstreamActivity
        if silence >= servers.upstreams[upstream].plan.streamIdleTimeout {
            act(on: exchange, .streamStopped)
            return
        }
        shrinkRequest(exchange)
        // A comment says that somebody is there: none is sent for a server that is believed dead.
        if metrics.isHealthy(server: Int(exchanges[exchange].server)) { _ = sendComment(exchange) }
        if exchanges.contains(exchange) { armHeartbeat(exchange) }
    }

    /// What came of sending a comment.
    enum CommentResult { case sent, notPossible }

    /// Sends a comment, if the stream is between events and its client has taken what was sent before.
    mutating func sendComment(_ exchange: Handle) -> CommentResult {
        let client = exchanges[exchange].client
        guard exchanges[exchange].boundary.isAtBoundary, clients.contains(client),
            clients[client].transport.output.isEmpty, clients.hasDrained(client),
            exchanges[exchange].clientFraming != .counted, exchanges[exchange].responseKind != .codedStream
        else { return .notPossible }
        io.composed.clear()
        io.composed.append(exchanges[exchange].clientFraming == .chunked ? "3\r\n:\n\n\r\n" : ":\n\n")
        clients.write(client, &io, &clock)
        return .sent
    }

    /// More of a body is to come, and the client has credit for it: the server's time runs from here.
    mutating func armBodySilence(_ exchange: Handle) {
        let timeout = servers.upstreams[Int(exchanges[exchange].upstream)].plan.readTimeout
        exchanges.setDeadline(exchange, clock.now + timeout, &clock)
    }

    /// Breaks off a response whose server has said nothing for the read timeout. As long as the client takes nothing, it is
    /// not the server that is waited for.
    private mutating func checkBodySilence(_ exchange: Handle) {
        let client = exchanges[exchange].client
        guard clients.contains(client), clients.credit(for: client) > 0 else {
            armBodySilence(exchange)
            return
        }
        act(on: exchange, .responseStalled)
    }
}
