import HTTP
import Kernel
import Reactor
import Telemetry

/// HTTP/2 frames from and to clients. What a session reports becomes requests, and the ends of requests, of the clients
/// that stand for its streams.
extension Worker where Outside: ~Copyable {
    /// Bytes of frames gathered for one write.
    private static var framesPerWrite: Int { 131_072 }

    /// Hands what the connection has sent, in `io.received`, to its session and acts on what that reports.
    mutating func receiveFrames(_ client: Handle) {
        guard let connection = clients.http2Connection(of: client) else {
            io.received.clear()
            return
        }
        io.events.removeAll()
        if !clients.http2Connections[connection].session.receive(&io.received, now: clock.now, events: &io.events) {
            clients.http2Connections[connection].isBroken = true
        }
        if !io.received.isEmpty { io.saveInput(&clients[client].transport) }
        continueHTTP2(connection)
    }

    /// The same with what an earlier turn has left of it.
    mutating func receiveSavedFrames(_ client: Handle) {
        guard let connection = clients.http2Connection(of: client) else { return }
        io.events.removeAll()
        let isWhole = clients.http2Connections[connection].session.receive(
            &clients.slab[client].transport.input, isRest: true, now: clock.now, events: &io.events)
        if !isWhole { clients.http2Connections[connection].isBroken = true }
        io.bufferPool.release(&clients[client].transport.input)
        continueHTTP2(connection)
    }

    private mutating func continueHTTP2(_ connection: Handle) {
        let client = clients.http2Connections[connection].client
        // A flood's frames wait in the queue for expensive work, and what follows them in the socket.
        if !clients[client].transport.input.isEmpty { clients.deferLater(client) }
        clients.armHeadTimeout(connection, &clock)
        handleEvents(connection)
        if clients.http2Connections.contains(connection) { clients.markDirty(connection) }
    }

    /// Acts on what a session has reported, as long as its connection is there.
    private mutating func handleEvents(_ connection: Handle) {
        var position = 0
        while position < io.events.count, clients.http2Connections.contains(connection) {
            handle(io.events[position], of: connection)
            position += 1
        }
    }

    private mutating func handle(_ event: HTTP2Event, of connection: Handle) {
        switch event {
        case .request(let stream, let head, let endsStream):
            openStream(connection, stream, head, isWhole: endsStream)
        case .data(let stream, let bytes):
            receiveBody(connection, stream, bytes)
        case .requestEnd(let stream, let trailers):
            endRequest(connection, stream, trailers)
        case .reset(let stream, _), .closed(let stream):
            guard let client = clients.http2Connections[connection].streams.removeValue(forKey: stream),
                clients.contains(client)
            else { return }
            abortExchange(of: client)
            clients.removeStream(client, &io)
        case .drained(let stream):
            if let client = clients.http2Connections[connection].streams[stream], clients.contains(client) {
                clientDrained(client)
            }
        case .protocolEvent(let event):
            metrics.increment(event.counter)
        case .goAway:
            break
        }
    }

    /// Sends the frames of this turn, one write a connection.
    mutating func sendFrames() {
        clients.unsentHTTP2Connections.beginRound()
        while let connection = clients.unsentHTTP2Connections.popFirst(from: &clients.http2Connections) {
            sendFrames(connection)
        }
    }

    private mutating func sendFrames(_ connection: Handle) {
        let client = clients.http2Connections[connection].client
        guard clients.contains(client) else { return }
        // The socket's next writable event marks the connection dirty again.
        guard clients[client].transport.output.isEmpty else {
            // The client does not read: what there is to say about a broken session would not be heard.
            if clients.http2Connections[connection].isBroken { clients.linger(client, &io, &clock, metrics) }
            return
        }
        io.composed.clear()
        io.events.removeAll()
        clients.http2Connections[connection].session.send(
            into: &io.composed, limit: Worker.framesPerWrite, events: &io.events)
        let isLong = io.composed.count >= Worker.framesPerWrite
        clients.write(client, &io, &clock)
        handleEvents(connection)
        guard clients.http2Connections.contains(connection), clients.contains(client) else { return }
        if clients.http2Connections[connection].isBroken || clients.http2Connections[connection].session.isFinished {
            clients.linger(client, &io, &clock, metrics)
        } else if isLong {
            clients.markDirty(connection)
        }
    }

    /// The deadline of an HTTP/2 connection has come: one whose head drips ends, a quiet one is told to go.
    mutating func http2TimedOut(_ client: Handle) {
        guard let connection = clients.http2Connection(of: client) else {
            clients.close(client, reset: false, &io, metrics)
            return
        }
        guard clients.http2Connections[connection].headDeadline > clock.now else {
            clients.http2Connections[connection].failUnfinished()
            clients.markDirty(connection)
            return
        }
        if clients.http2Connections[connection].streams.isEmpty {
            guard clients.http2Connections[connection].goAwayState != .final else {
                clients.linger(client, &io, &clock, metrics)
                return
            }
            clients.sendGoAway(connection, &clock)
        }
        clients.armIdleTimeout(connection, &clock)
    }
}

extension HTTP2ProtocolEvent {
    /// What counts such events.
    fileprivate var counter: AbuseCounter {
        switch self {
        case .largeHead: .largeHeads
        case .malformed: .malformedRequests
        case .refused: .refusedStreams
        case .broken: .brokenConnections
        }
    }
}
