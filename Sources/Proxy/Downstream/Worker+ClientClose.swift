import HTTP
import Kernel
import MCP
import Reactor
import Telemetry

/// How clients go, and what that means for their exchanges.
extension Worker where Outside: ~Copyable {
    /// Reading came to its end: between requests the client has gone, inside one it was lost.
    mutating func clientEnded(_ client: Handle) {
        guard clients.contains(client) else { return }
        clients[client].transport.hasEnded = true
        clients[client].transport.mayRead = false
        if clients[client].phase == .exchanging || clients[client].phase == .http2 {
            clientDisconnected(client)
        } else if clients[client].transport.output.isEmpty {
            clients.close(client, reset: false, &io, metrics)
        } else {
            clients[client].closesAfterOutput = true
        }
    }

    /// The client is gone: whatever it was waiting for is aborted. For requests of 2026-07-28 this is the cancel; for
    /// older ones the server's stream must end too, or the client's next GET is rejected as a second one.
    mutating func clientDisconnected(_ client: Handle) {
        guard clients.contains(client) else { return }
        abortExchange(of: client)
        clients.close(client, reset: false, &io, metrics)
    }

    /// A client that was answered sends on: that is thrown away.
    mutating func discardLingering(_ client: Handle) {
        let count = io.received.count
        io.received.clear()
        guard clients.renewLinger(client, bytes: count, &clock) == .exhausted else { return }
        clients.close(client, reset: false, &io, metrics)
    }

    /// Sends what has waited for the client, now that its socket takes bytes again.
    mutating func flush(_ client: Handle) {
        let before = clients[client].transport.output.count
        let result = io.flush(&clients[client].transport)
        let taken = before - clients[client].transport.output.count
        if taken > 0 { clients.noteTaken(client, taken, isPaced: isPaced(client), &clock) }
        switch result {
        case .flushed:
            clientDrained(client)
        case .blocked:
            break
        case .unfinished:
            clients.resumeLater(client)
        case .failed:
            clients.markBroken(client)
        }
    }

    /// Whether the client must take what waits for it at the least rate. Event streams are idle by nature; of an HTTP/2 connection
    /// the streams are asked; and as long as more of a request is to come, that has the time.
    private func isPaced(_ client: Handle) -> Bool {
        if clients[client].phase == .http2 { return false }
        let exchange = clients[client].exchange
        guard exchanges.contains(exchange) else { return true }
        return !exchanges[exchange].isEventStream && !exchanges[exchange].awaitsRequestBody
    }

    /// The client has taken everything, or a stream's client most of it: what waited for that goes on.
    mutating func clientDrained(_ client: Handle) {
        if clients[client].closesAfterOutput {
            if clients[client].transport.hasEnded {
                clients.close(client, reset: false, &io, metrics)
            } else {
                clients.linger(client, &io, &clock, metrics)
            }
            return
        }
        switch clients[client].phase {
        case .exchanging:
            resumeResponse(client)
        case .reading:
            clients.awaitRequest(client, &clock)
            clients.resumeLater(client)
        case .http2:
            guard let connection = clients.http2Connection(of: client) else { return }
            clients.markDirty(connection)
            clients.armIdleTimeout(connection, &clock)
        case .handshaking, .lingering, .awaitingProxyHeader:
            break
        }
    }

    private mutating func resumeResponse(_ client: Handle) {
        let isPaced = isPaced(client)
        if clients.hasDrained(client) {
            let taken = clients.isStream(client) ? Int(clients[client].needed) : 0
            clients.disarmWriteTimeout(client, taken, isPaced: isPaced, at: clock.now)
        } else {
            clients.noteProgress(client, isPaced: isPaced, &clock)
        }
        let exchange = clients[client].exchange
        guard exchanges.contains(exchange), upstreams.contains(exchanges[exchange].connection) else { return }
        // What was sent may have been a 1xx: then the rest of the client's body is awaited as before.
        if exchanges[exchange].awaitsRequestBody { armRequestTimeout(exchange) }
        if exchanges[exchange].state.phase == .relaying, !exchanges[exchange].isEventStream { armBodySilence(exchange) }
        upstreams.resumeLater(exchanges[exchange].connection)
    }

    /// The client's deadline may have come; it moves with every request, so it is compared first.
    mutating func clientTimedOut(_ client: Handle) {
        guard clients[client].deadline <= clock.now else {
            clients.deadlines.arm(client.slot, at: clients[client].deadline, now: clock.now, in: &clock.timers)
            return
        }
        if clients[client].awaitsTurn, clients.hasServedNothing(client) {
            // It waits for us.
            clients.setDeadline(client, clock.now + .milliseconds(100), &clock)
            return
        }
        if !clients[client].transport.output.isEmpty {
            // It has not taken a byte for the whole timeout, or too few for too long.
            abortExchange(of: client)
            clients.close(client, reset: true, &io, metrics)
        } else if !clients.hasDrained(client) {
            if clients.noteProgress(client, isPaced: isPaced(client), &clock) == .stalled { streamStalled(client) }
        } else {
            clients[client].deadline = .never
            phaseTimedOut(client)
        }
    }

    /// A stream whose window the client does not open.
    private mutating func streamStalled(_ client: Handle) {
        metrics.increment(.stalledStreams)
        abortExchange(of: client)
        clients.close(client, reset: false, &io, metrics)
    }

    private mutating func phaseTimedOut(_ client: Handle) {
        switch clients[client].phase {
        case .awaitingProxyHeader:
            metrics.increment(.proxyHeaderTimedOut)
            clients.close(client, reset: false, &io, metrics)
        case .handshaking, .lingering:
            clients.close(client, reset: false, &io, metrics)
        case .reading:
            if clients[client].gathering.isBody {
                reject(client, .bodyTimeout, id: requestID(of: client, kept: clients[client].transport.input.count))
            } else if clients[client].gathering == .head || !clients[client].transport.input.isEmpty {
                reject(client, .headTimeout)
            } else {
                clients.close(client, reset: false, &io, metrics)
            }
        case .exchanging:
            let exchange = clients[client].exchange
            if exchanges.contains(exchange), exchanges[exchange].awaitsRequestBody {
                act(on: exchange, .requestBodyFailed(.bodyTimeout))
            }
        case .http2:
            http2TimedOut(client)
        }
    }
}
