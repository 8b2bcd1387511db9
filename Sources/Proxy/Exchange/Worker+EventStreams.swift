import HTTP
import Kernel
import MCP
import Reactor
import Telemetry

/// Event streams: never held back, kept alive between events, and rewritten in one place only.
extension Worker where Outside: ~Copyable {
    /// Passes on a piece of an event stream.
    mutating func relayEvents(_ e: Handle, _ range: ByteRange, chunked: Bool) {
        exchanges[e].lastUpstreamActivity = clock.now
        if exchanges[e].scansEndpoint {
            scan(e, range, chunked: chunked)
        } else {
            exchanges[e].boundary.note(io.received, range.range)
            appendData(range, chunked: chunked)
        }
        armHeartbeat(e)
    }

    /// Gathers the first event of a legacy stream, and sends it on with our seal on its endpoint.
    private mutating func scan(_ e: Handle, _ range: ByteRange, chunked: Bool) {
        exchanges[e].pending.append(io.received, range)
        let start = Int(exchanges[e].targetCount)
        switch EndpointEventScanner.scan(exchanges[e].pending, from: start) {
        case .needsMore:
            return
        case .notEndpoint:
            releasePending(e)
        case .endpoint(let data):
            rewriteEndpoint(e, (data.lowerBound + start)..<(data.upperBound + start))
        }
    }

    /// Sends on what was gathered, as it is.
    mutating func releasePending(_ e: Handle) {
        exchanges[e].scansEndpoint = false
        sendPending(e)
    }

    private mutating func sendPending(_ e: Handle) {
        var gathered = ByteBuffer()
        swap(&gathered, &exchanges[e].pending)
        gathered.consume(Int(exchanges[e].targetCount))
        exchanges[e].targetCount = 0
        exchanges[e].boundary.note(gathered, 0..<gathered.count)
        if !gathered.isEmpty {
            let chunked = exchanges[e].clientFraming == .chunked
            if chunked {
                io.composed.append(hexadecimal: UInt64(gathered.count))
                io.composed.append("\r\n")
            }
            io.composed.append(gathered)
            if chunked { io.composed.append("\r\n") }
        }
    }

    /// The endpoint event names where the client will POST: path-absolute, so that it comes back to us, and with our seal
    /// (or learned), so that we know whose it is.
    private mutating func rewriteEndpoint(_ e: Handle, _ data: Range<Int>) {
        exchanges[e].scansEndpoint = false
        let upstream = Int(exchanges[e].upstreamIndex)
        guard let target = resolveEndpoint(e, data) else {
            releasePending(e)
            return
        }
        metrics.count(.sessionsOpened, server: Int(exchanges[e].server))
        var rewritten = ByteBuffer()
        rewritten.append(exchanges[e].pending, Int(exchanges[e].targetCount)..<data.lowerBound)
        rewritten.append(target)
        let server = Int(exchanges[e].server)
        if sessions.affinity(upstream) == .signed {
            sessions.signEndpoint(target, for: server, issuedAt: io.world.wallSeconds(), to: &rewritten)
        } else if let value = LegacyTarget.sessionParameter(in: target.span) {
            _ = sessions.learn(
                Array(target[value]), server: server, issuedAt: io.world.wallSeconds(), in: upstream, now: clock.now)
        }
        let end = exchanges[e].pending.count
        rewritten.append(exchanges[e].pending, data.upperBound..<end)
        exchanges[e].pending = consume rewritten
        exchanges[e].targetCount = 0
        sendPending(e)
    }

    private func resolveEndpoint(_ e: Handle, _ data: Range<Int>) -> [UInt8]? {
        let reference = exchanges[e].pending.bytes(data)
        let asked = exchanges[e].pending.bytes(0..<Int(exchanges[e].targetCount))
        return EndpointReference.resolve(data: reference.span, against: asked.span)
    }

    /// Sets when to look at the stream next: when the client has heard nothing for a while, or the server said nothing
    /// for too long.
    mutating func armHeartbeat(_ e: Handle) {
        let upstream = Int(exchanges[e].upstreamIndex)
        let heartbeat = clock.now + snapshot.upstreams[upstream].heartbeat
        let timeout = exchanges[e].lastUpstreamActivity + snapshot.upstreams[upstream].streamIdleTimeout
        exchanges.setDeadline(e, min(heartbeat, timeout), &clock)
    }

    /// An exchange's deadline may have come: by phase, its wait, its answer, or its silence took too long.
    mutating func exchangeTimedOut(_ e: Handle) {
        guard exchanges[e].deadline <= clock.now else {
            exchanges.deadlines.arm(e.slot, at: exchanges[e].deadline, now: clock.now, in: &clock.timers)
            return
        }
        exchanges[e].deadline = .never
        switch exchanges[e].phase {
        case .waiting:
            metrics.count(.unavailable, server: Int(exchanges[e].server))
            fail(e, .queueTimeout)
        case .connecting:
            break
        case .sent:
            metrics.count(.timedOut, server: Int(exchanges[e].server))
            fail(e, .firstByteTimeout)
        case .relaying:
            streamTimedOut(e)
        }
    }

    private mutating func streamTimedOut(_ e: Handle) {
        guard exchanges[e].isEventStream else { return }
        let upstream = Int(exchanges[e].upstreamIndex)
        if clock.now - exchanges[e].lastUpstreamActivity >= snapshot.upstreams[upstream].streamIdleTimeout {
            endStream(e)
            return
        }
        let c = exchanges[e].client
        // Between events only, and not to somebody who has not taken what was sent before. What is gathered of a first
        // event has not been sent: for the client, that is between events.
        if exchanges[e].boundary.isAtBoundary, clients.contains(c),
            clients[c].output.isEmpty, hasEmptied(c), exchanges[e].clientFraming != .counted
        {
            io.composed.clear()
            io.composed.append(exchanges[e].clientFraming == .chunked ? "3\r\n:\n\n\r\n" : ":\n\n")
            write(c)
        }
        if exchanges.contains(e) { armHeartbeat(e) }
    }

    /// Ends an event stream from our side, properly: the client sees a complete body.
    mutating func endStream(_ e: Handle) {
        let c = exchanges[e].client
        let u = exchanges[e].upstream
        io.composed.clear()
        if exchanges[e].clientFraming == .chunked { io.composed.append("0\r\n\r\n") }
        // A body shorter than announced can only be followed by the connection's end.
        if exchanges[e].clientFraming == .counted { exchanges[e].keepsClient = false }
        detach(u, e)
        dropUpstream(u)
        write(c)
        endExchange(e)
    }
}
