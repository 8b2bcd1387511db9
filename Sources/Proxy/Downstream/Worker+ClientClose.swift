import HTTP
import Kernel
import MCP
import Reactor
import TLS
import Telemetry

/// How a client's connection ends.
extension Worker where Outside: ~Copyable {
    /// Reading came to its end: between requests that is a good-bye, inside one it is a loss.
    mutating func clientEnded(_ c: Handle) {
        guard clients.contains(c) else { return }
        clients[c].hasEnded = true
        clients[c].mayRead = false
        if clients[c].phase == .exchanging || clients[c].phase == .http2 {
            clientDisconnected(c)
        } else if clients[c].output.isEmpty {
            closeClient(c, reset: false)
        } else {
            clients[c].closesAfterOutput = true
        }
    }

    /// The client is gone: whatever it was waiting for is called off. For requests of 2026-07-28 this is the cancel; for
    /// older ones the server's stream must end too, or the client's next GET is refused as a second one.
    mutating func clientDisconnected(_ c: Handle) {
        guard clients.contains(c) else { return }
        abortExchange(of: c)
        closeClient(c, reset: false)
    }

    /// Closes the socket and forgets the connection. Its exchange must have been ended or abandoned before.
    mutating func closeClient(_ c: Handle, reset: Bool) {
        guard clients.contains(c) else { return }
        if clients[c].stream != 0 {
            resetStream(c, code: reset ? .internalError : .cancel)
            return
        }
        if clients[c].phase == .http2 { tearDownStreams(c) }
        if clients[c].phase == .handshaking { metrics.increment(.failedHandshakes) }
        guard var connection = clients.remove(c) else { return }
        if snapshot.listeners[listeners[Int(connection.listener)].plan].role == .traffic { metrics.releaseClient() }
        if !reset, connection.output.isEmpty, var session = connection.tls.take() {
            outgoing.clear()
            engine.appendCloseNotify(&session, outgoing: &outgoing)
            if !outgoing.isEmpty { _ = world.send(connection.descriptor, outgoing) }
            outgoing.clear()
        }
        world.close(connection.descriptor, reset: reset)
        connection.input.clear()
        connection.output.clear()
        bufferPool.release(&connection.input)
        bufferPool.release(&connection.output)
    }

    /// Sends FIN and reads on for a while: closing with unread bytes would reset the connection, and the reset could
    /// overtake the answer (RFC 9112 section 9.6).
    mutating func linger(_ c: Handle) {
        if clients[c].stream != 0 {
            endStreamResponse(c)
            return
        }
        if clients[c].phase == .http2 { tearDownStreams(c) }
        clients[c].phase = .lingering
        clients[c].exchange = .none
        clients[c].input.clear()
        bufferPool.release(&clients[c].input)
        if !clients[c].output.isEmpty {
            clients[c].closesAfterOutput = true
            return
        }
        if var session = clients[c].tls.take() {
            outgoing.clear()
            engine.appendCloseNotify(&session, outgoing: &outgoing)
            clients[c].tls = consume session
            if !outgoing.isEmpty { _ = world.send(clients[c].descriptor, outgoing) }
            outgoing.clear()
        }
        world.finish(clients[c].descriptor)
        clients[c].closesAfterOutput = false
        setDeadline(client: c, now + .seconds(2))
        if clients[c].hasEnded { closeClient(c, reset: false) } else { resumeLater(client: c) }
    }

    /// The client's deadline may have come; it moves with every request, so look first.
    mutating func clientDue(_ c: Handle) {
        guard clients[c].deadline <= now else {
            clientDeadlines.arm(c.slot, at: clients[c].deadline, now: now, in: &timers)
            return
        }
        if clients[c].isResuming, hasServedNothing(c) {
            // It waits for us.
            setDeadline(client: c, now + .milliseconds(100))
            return
        }
        clients[c].deadline = .never
        if !clients[c].output.isEmpty {
            // It has not taken a byte for the whole patience: nothing we send would arrive.
            abortExchange(of: c)
            closeClient(c, reset: true)
            return
        }
        if !hasEmptied(c) {
            // A stream whose window the client does not open.
            if !madeProgress(c) { stalled(c) }
            return
        }
        switch clients[c].phase {
        case .awaitingProxyHeader:
            metrics.increment(.proxyHeaderTimedOut)
            closeClient(c, reset: false)
        case .handshaking, .lingering:
            closeClient(c, reset: false)
        case .reading:
            if clients[c].isGatheringBody {
                reject(c, .bodyTimeout)
            } else if clients[c].isGathering || !clients[c].input.isEmpty {
                reject(c, .headTimeout)
            } else {
                closeClient(c, reset: false)
            }
        case .exchanging:
            bodyStalled(c)
        case .http2:
            http2TimedOut(c)
        }
    }

    private mutating func stalled(_ c: Handle) {
        metrics.increment(.stalledStreams)
        abortExchange(of: c)
        closeClient(c, reset: false)
    }

    /// A request body stopped coming.
    private mutating func bodyStalled(_ c: Handle) {
        let e = clients[c].exchange
        guard exchanges.contains(e), !exchanges[e].isWhole, !exchanges[e].request.isComplete else { return }
        if exchanges[e].phase == .relaying {
            removeExchange(e)
            closeClient(c, reset: true)
        } else {
            fail(e, .bodyTimeout)
        }
    }
}
