import HTTP
import Kernel
import Reactor
import TLS

/// Bytes on their way to a client.
extension Worker where Outside: ~Copyable {
    /// Sends `composed`, through TLS if there is any; what the socket does not take waits in the connection, and as long
    /// as it does nothing more is read from the server: that is the credit.
    mutating func write(_ c: Handle) {
        guard !io.composed.isEmpty else { return }
        defer { io.composed.clear() }
        guard clients.contains(c) else { return }
        if clients[c].stream != 0 {
            writeToStream(c)
            return
        }
        if clients[c].tls != nil {
            guard var session = clients[c].tls.take() else { return }
            let isSent = io.engine.send(&session, io.composed, outgoing: &io.outgoing)
            clients[c].tls = consume session
            if isSent { writeOutgoing(c) } else { markBroken(c) }
            return
        }
        // In clear, what was composed is what goes on the wire.
        swap(&io.composed, &io.outgoing)
        writeOutgoing(c)
    }

    /// Sends a piece of the scratch as it is: big bodies are not copied on their way.
    mutating func writeReceived(_ c: Handle, _ range: ByteRange) {
        guard clients.contains(c) else { return }
        guard clients[c].tls == nil, clients[c].stream == 0, clients[c].output.isEmpty, clients[c].mayWrite else {
            io.composed.append(io.received, range.range)
            write(c)
            return
        }
        var sent = 0
        switch io.world.send(clients[c].descriptor, io.received, range.range) {
        case .moved(let count): sent = count
        case .wouldBlock, .ended: break
        case .failed:
            markBroken(c)
            return
        }
        guard sent < Int(range.count) else { return }
        clients[c].mayWrite = false
        io.bufferPool.acquire(for: &clients[c].output)
        clients[c].output.append(io.received, (range.lowerBound + sent)..<range.upperBound)
        armWriteTimeout(c)
    }

    /// Sends what is ready for the wire; what the socket does not take waits in the connection.
    mutating func writeOutgoing(_ c: Handle) {
        guard !io.outgoing.isEmpty else { return }
        defer { io.outgoing.clear() }
        guard clients.contains(c) else { return }
        if clients[c].output.isEmpty, clients[c].mayWrite {
            switch io.world.send(clients[c].descriptor, io.outgoing) {
            case .moved(let count):
                io.outgoing.consume(count)
                if io.outgoing.isEmpty { return }
                clients[c].mayWrite = false
            case .wouldBlock, .ended:
                clients[c].mayWrite = false
            case .failed:
                markBroken(c)
                return
            }
        }
        io.bufferPool.acquire(for: &clients[c].output)
        clients[c].output.append(io.outgoing)
        armWriteTimeout(c)
    }

    /// Sends what has waited, now that the socket takes bytes again.
    mutating func flush(_ c: Handle) {
        for _ in 0..<Scratch.transfersPerTurn where !clients[c].output.isEmpty {
            switch io.world.send(clients[c].descriptor, clients[c].output) {
            case .moved(let count):
                clients[c].output.consume(count)
            case .wouldBlock, .ended:
                clients[c].mayWrite = false
                armWriteTimeout(c)
                return
            case .failed:
                markBroken(c)
                return
            }
        }
        guard clients[c].output.isEmpty else {
            // Fairness, or a socket that takes little at a time: either way a writable event or another round follows.
            armWriteTimeout(c)
            clients.resumeLater(c)
            return
        }
        io.bufferPool.release(&clients[c].output)
        drained(c)
    }

    /// The client has taken everything, or a stream's client most of it: what waited for that goes on.
    mutating func drained(_ c: Handle) {
        if clients[c].closesAfterOutput {
            if clients[c].hasEnded { closeClient(c, reset: false) } else { linger(c) }
            return
        }
        switch clients[c].phase {
        case .exchanging:
            if hasEmptied(c) { clients[c].deadline = .never } else { _ = madeProgress(c) }
            let e = clients[c].exchange
            guard exchanges.contains(e), upstreams.contains(exchanges[e].upstream) else { return }
            // What was sent may have been a 1xx: then the client owes us the rest of its body as before.
            if !exchanges[e].isWhole, !exchanges[e].request.isComplete { awaitBodyOrAnswer(e) }
            upstreams.resumeLater(exchanges[e].upstream)
        case .reading:
            awaitRequest(c)
            clients.resumeLater(c)
        case .http2:
            if let m = clients.http2Connections.handle(inSlot: Int(clients[c].http2Connection)) { markDirty(m) }
            let plan = clients.listeners[Int(clients[c].listener)].plan
            clients.setDeadline(c, clock.now + snapshot.listeners[plan].idleTimeout, &clock)
        case .handshaking, .lingering, .awaitingProxyHeader:
            break
        }
    }

    /// A client that takes nothing for as long as an idle one may stay is given up.
    mutating func armWriteTimeout(_ c: Handle) {
        let plan = clients.listeners[Int(clients[c].listener)].plan
        clients.setDeadline(c, clock.now + snapshot.listeners[plan].idleTimeout, &clock)
    }

    /// The socket is broken: the client is gone, as the next event or this turn's end will find.
    mutating func markBroken(_ c: Handle) {
        clients[c].output.clear()
        clients[c].hasEnded = true
        clients[c].mayRead = true
        clients[c].isBroken = true
        clients.resumeLater(c)
    }
}
