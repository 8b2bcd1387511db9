import HTTP
import Kernel
import Reactor
import TLS
import Telemetry

/// HTTP/2 (RFC 9113): one connection, many clients.
extension Worker where Outside: ~Copyable {
    /// The connection speaks HTTP/2, by ALPN or by prior knowledge.
    mutating func beginMultiplexing(_ c: Handle) {
        let plan = listeners[Int(clients[c].listener)].plan
        guard let session = HTTP2Session(limits: snapshot.listeners[plan].http2, now: now),
            let m = multiplexes.insert(Multiplex(connection: c, session: session))
        else {
            closeClient(c, reset: true)
            return
        }
        clients[c].phase = .multiplexing
        clients[c].multiplex = m.slot
        clients[c].needed = 0
        clients[c].isGathering = false
        setDeadline(client: c, now + snapshot.listeners[plan].idleTimeout)
        markDirty(m)
    }

    /// True if what the scratch holds is the beginning of HTTP/2 without TLS (RFC 9113 section 3.3).
    func startsMultiplexing(_ c: Handle) -> Bool {
        guard !clients[c].hasServed, clients[c].stream == 0, received.count >= 4 else { return false }
        let preface: StaticString = "PRI * HTTP/2.0"
        let view = received.span
        for index in 0..<min(view.count, preface.utf8CodeUnitCount)
        where view[index] != (preface.utf8Start + index).pointee {
            return false
        }
        return true
    }

    /// Hands what the connection has sent to its session and acts on what that says.
    mutating func feed(_ c: Handle) {
        guard let m = multiplexes.handle(inSlot: Int(clients[c].multiplex)) else { return }
        events.removeAll()
        if !multiplexes[m].session.receive(&received, now: now, events: &events) {
            multiplexes[m].isBroken = true
        }
        if !received.isEmpty { stash(c) }
        goOn(m)
    }

    /// The same with what was left of it.
    mutating func feedRest(_ c: Handle) {
        guard let m = multiplexes.handle(inSlot: Int(clients[c].multiplex)) else { return }
        events.removeAll()
        if !multiplexes[m].session.receive(&clients[c].input, isRest: true, now: now, events: &events) {
            multiplexes[m].isBroken = true
        }
        spare.collect(&clients[c].input)
        goOn(m)
    }

    private mutating func goOn(_ m: Handle) {
        let c = multiplexes[m].connection
        // A flood's frames wait in line, and what follows them in the socket.
        if !clients[c].input.isEmpty { toilLater(c) }
        if clients[c].output.isEmpty { expectQuiet(m) }
        heedEvents(m)
        if multiplexes.contains(m) { markDirty(m) }
    }

    /// Acts on what a session has said, as long as its connection is there.
    mutating func heedEvents(_ m: Handle) {
        var position = 0
        while position < events.count, multiplexes.contains(m) {
            heed(m, events[position])
            position += 1
        }
    }

    private mutating func heed(_ m: Handle, _ event: HTTP2Event) {
        switch event {
        case .request(let stream, let head, let endsStream):
            openStream(m, stream, head, isWhole: endsStream)
        case .data(let stream, let bytes):
            takeData(m, stream, bytes)
        case .requestEnd(let stream, let trailers):
            endRequest(m, stream, trailers)
        case .reset(let stream, _), .closed(let stream):
            guard let c = multiplexes[m].streams.removeValue(forKey: stream), clients.contains(c) else { return }
            abandonExchange(of: c)
            removeStream(c)
        case .roomAgain(let stream):
            if let c = multiplexes[m].streams[stream], clients.contains(c) { roomAgain(c) }
        case .misdeed(let misdeed):
            note(misdeed)
        case .goAway:
            break
        }
    }

    /// The connection is closing: every stream's exchange is called off, one after the other, for each may have a
    /// connection to a server to close.
    mutating func dissolve(_ c: Handle) {
        guard let m = multiplexes.handle(inSlot: Int(clients[c].multiplex)) else { return }
        clients[c].multiplex = .max
        noteAbuse(m)
        guard let multiplex = multiplexes.remove(m) else { return }
        for (_, client) in multiplex.streams where clients.contains(client) {
            clients[client].multiplex = .max
            toilLater(client)
        }
    }

    /// Counts what ended the connection, if it was more than a client may do.
    private func noteAbuse(_ m: Handle) {
        let incident: Incident? =
            switch multiplexes[m].session.abuse.verdict {
            case .none: nil
            case .resets: .resets
            case .refusals: .refusals
            case .pings: .pings
            case .settings: .settings
            case .emptyData: .emptyData
            case .priorities: .priorities
            case .windowUpdates: .windowUpdates
            case .continuations: .continuations
            case .ignoredFrames: .ignoredFrames
            case .headerList: .headerLists
            case .headText: .headText
            case .queuedFrames: .queuedFrames
            }
        if let incident { board.note(incident) }
    }

    /// Counts what the client did that costs it no more than a stream, or breaks the protocol.
    private func note(_ misdeed: HTTP2Misdeed) {
        switch misdeed {
        case .largeHead: board.note(.largeHeads)
        case .malformed: board.note(.malformedRequests)
        case .refused: board.note(.refusedStreams)
        case .broken: board.note(.brokenConnections)
        }
    }

    /// The client with the socket: itself, or the connection that a stream belongs to.
    func connection(of c: Handle) -> Handle {
        guard clients[c].stream != 0, let m = multiplexes.handle(inSlot: Int(clients[c].multiplex)) else { return c }
        return multiplexes[m].connection
    }

    /// The connection's own deadline: a quiet one is told to go.
    mutating func multiplexDue(_ c: Handle) {
        guard let m = multiplexes.handle(inSlot: Int(clients[c].multiplex)) else {
            closeClient(c, reset: false)
            return
        }
        if multiplexes[m].streams.isEmpty {
            switch multiplexes[m].farewell {
            case .none, .notice: sayGoAway(m)
            case .final:
                linger(c)
                return
            }
        }
        expectQuiet(m)
    }

    /// The connection was heard, or looked at: sets when it is looked at next.
    mutating func expectQuiet(_ m: Handle) {
        let c = multiplexes[m].connection
        let plan = listeners[Int(clients[c].listener)].plan
        let patience = snapshot.listeners[plan].idleTimeout
        let isLeaving = multiplexes[m].farewell != .none
        setDeadline(client: c, now + (isLeaving ? min(patience, .seconds(1)) : patience))
    }

    /// First a notice, next time the end: no new streams; those there are go on.
    mutating func sayGoAway(_ m: Handle) {
        switch multiplexes[m].farewell {
        case .none:
            multiplexes[m].farewell = .notice
            multiplexes[m].session.goAway(isFinal: false)
        case .notice:
            multiplexes[m].farewell = .final
            multiplexes[m].session.goAway(isFinal: true)
        case .final:
            return
        }
        multiplexes[m].farewellAt = now
        markDirty(m)
    }

    /// During a drain: the final word follows the notice by more than a round trip. True if it has been said.
    mutating func hasLeft(_ c: Handle) -> Bool {
        guard let m = multiplexes.handle(inSlot: Int(clients[c].multiplex)) else { return true }
        switch multiplexes[m].farewell {
        case .none:
            sayGoAway(m)
        case .notice:
            if now - multiplexes[m].farewellAt >= .milliseconds(200) { sayGoAway(m) }
        case .final:
            // Said in an earlier turn, it is sent; or the client does not read.
            return now > multiplexes[m].farewellAt
        }
        return false
    }
}
