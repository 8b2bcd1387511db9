import HTTP
import Kernel
import Reactor
import TLS
import Telemetry

/// HTTP/2 (RFC 9113): one connection, many clients.
extension Worker where Outside: ~Copyable {
    /// The connection speaks HTTP/2, by ALPN or by prior knowledge.
    mutating func startHTTP2(_ c: Handle) {
        let plan = listeners[Int(clients[c].listener)].plan
        guard let session = HTTP2Session(limits: snapshot.listeners[plan].http2, now: now),
            let m = http2Connections.insert(HTTP2Connection(connection: c, session: session))
        else {
            closeClient(c, reset: true)
            return
        }
        clients[c].phase = .http2
        clients[c].http2Connection = m.slot
        clients[c].needed = 0
        clients[c].isGathering = false
        setDeadline(client: c, now + snapshot.listeners[plan].idleTimeout)
        markDirty(m)
    }

    /// True if what the scratch holds is the beginning of HTTP/2 without TLS (RFC 9113 section 3.3).
    func hasHTTP2Preface(_ c: Handle) -> Bool {
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
    mutating func receiveFrames(_ c: Handle) {
        guard let m = http2Connections.handle(inSlot: Int(clients[c].http2Connection)) else { return }
        events.removeAll()
        if !http2Connections[m].session.receive(&received, now: now, events: &events) {
            http2Connections[m].isBroken = true
        }
        if !received.isEmpty { saveInput(c) }
        continueHTTP2(m)
    }

    /// The same with what was left of it.
    mutating func receiveSavedFrames(_ c: Handle) {
        guard let m = http2Connections.handle(inSlot: Int(clients[c].http2Connection)) else { return }
        events.removeAll()
        if !http2Connections[m].session.receive(&clients[c].input, isRest: true, now: now, events: &events) {
            http2Connections[m].isBroken = true
        }
        bufferPool.release(&clients[c].input)
        continueHTTP2(m)
    }

    private mutating func continueHTTP2(_ m: Handle) {
        let c = http2Connections[m].connection
        // A flood's frames wait in line, and what follows them in the socket.
        if !clients[c].input.isEmpty { deferLater(c) }
        if clients[c].output.isEmpty { armIdleTimeout(m) }
        handleEvents(m)
        if http2Connections.contains(m) { markDirty(m) }
    }

    /// Acts on what a session has said, as long as its connection is there.
    mutating func handleEvents(_ m: Handle) {
        var position = 0
        while position < events.count, http2Connections.contains(m) {
            handle(m, events[position])
            position += 1
        }
    }

    private mutating func handle(_ m: Handle, _ event: HTTP2Event) {
        switch event {
        case .request(let stream, let head, let endsStream):
            openStream(m, stream, head, isWhole: endsStream)
        case .data(let stream, let bytes):
            takeData(m, stream, bytes)
        case .requestEnd(let stream, let trailers):
            endRequest(m, stream, trailers)
        case .reset(let stream, _), .closed(let stream):
            guard let c = http2Connections[m].streams.removeValue(forKey: stream), clients.contains(c) else { return }
            abortExchange(of: c)
            removeStream(c)
        case .drained(let stream):
            if let c = http2Connections[m].streams[stream], clients.contains(c) { drained(c) }
        case .protocolEvent(let protocolEvent):
            note(protocolEvent)
        case .goAway:
            break
        }
    }

    /// The connection is closing: every stream's exchange is called off, one after the other, for each may have a
    /// connection to a server to close.
    mutating func tearDownStreams(_ c: Handle) {
        guard let m = http2Connections.handle(inSlot: Int(clients[c].http2Connection)) else { return }
        clients[c].http2Connection = .max
        noteAbuse(m)
        guard let http2Connection = http2Connections.remove(m) else { return }
        for (_, client) in http2Connection.streams where clients.contains(client) {
            clients[client].http2Connection = .max
            deferLater(client)
        }
    }

    /// Counts what ended the connection, if it was more than a client may do.
    private func noteAbuse(_ m: Handle) {
        let counter: AbuseCounter? =
            switch http2Connections[m].session.abuse.exceededLimit {
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
        if let counter { metrics.increment(counter) }
    }

    /// Counts what the client did that costs it no more than a stream, or breaks the protocol.
    private func note(_ protocolEvent: HTTP2ProtocolEvent) {
        switch protocolEvent {
        case .largeHead: metrics.increment(.largeHeads)
        case .malformed: metrics.increment(.malformedRequests)
        case .refused: metrics.increment(.refusedStreams)
        case .broken: metrics.increment(.brokenConnections)
        }
    }

    /// The client with the socket: itself, or the connection that a stream belongs to.
    func connection(of c: Handle) -> Handle {
        guard clients[c].stream != 0, let m = http2Connections.handle(inSlot: Int(clients[c].http2Connection)) else {
            return c
        }
        return http2Connections[m].connection
    }

    /// The connection's own deadline: a quiet one is told to go.
    mutating func http2TimedOut(_ c: Handle) {
        guard let m = http2Connections.handle(inSlot: Int(clients[c].http2Connection)) else {
            closeClient(c, reset: false)
            return
        }
        if http2Connections[m].streams.isEmpty {
            switch http2Connections[m].goAwayState {
            case .none, .notice: sendGoAway(m)
            case .final:
                linger(c)
                return
            }
        }
        armIdleTimeout(m)
    }

    /// The connection was heard, or looked at: sets when it is looked at next.
    mutating func armIdleTimeout(_ m: Handle) {
        let c = http2Connections[m].connection
        let plan = listeners[Int(clients[c].listener)].plan
        let timeout = snapshot.listeners[plan].idleTimeout
        let isLeaving = http2Connections[m].goAwayState != .none
        setDeadline(client: c, now + (isLeaving ? min(timeout, .seconds(1)) : timeout))
    }

    /// First a notice, next time the end: no new streams; those there are go on.
    mutating func sendGoAway(_ m: Handle) {
        switch http2Connections[m].goAwayState {
        case .none:
            http2Connections[m].goAwayState = .notice
            http2Connections[m].session.goAway(isFinal: false)
        case .notice:
            http2Connections[m].goAwayState = .final
            http2Connections[m].session.goAway(isFinal: true)
        case .final:
            return
        }
        http2Connections[m].goAwaySentAt = now
        markDirty(m)
    }

    /// During a drain: the final word follows the notice by more than a round trip. True if it has been said.
    mutating func hasSentFinalGoAway(_ c: Handle) -> Bool {
        guard let m = http2Connections.handle(inSlot: Int(clients[c].http2Connection)) else { return true }
        switch http2Connections[m].goAwayState {
        case .none:
            sendGoAway(m)
        case .notice:
            if now - http2Connections[m].goAwaySentAt >= .milliseconds(200) { sendGoAway(m) }
        case .final:
            // Said in an earlier turn, it is sent; or the client does not read.
            return now > http2Connections[m].goAwaySentAt
        }
        return false
    }
}
