import HTTP
import Kernel
import MCP
import Reactor
import TLS

/// From a client's bytes to requests.
extension Worker where Outside: ~Copyable {
    mutating func clientReady(_ client: Handle, _ readiness: Readiness) {
        guard clients.contains(client) else { return }
        clients[client].transport.note(readiness)
        if readiness.isWritable, !clients[client].transport.output.isEmpty {
            flush(client)
            guard clients.contains(client) else { return }
        }
        if readiness.hasFailed || (clients[client].transport.hasEnded && clients[client].phase == .exchanging) {
            clientDisconnected(client)
            return
        }
        readWhileAllowed(client)
    }

    /// Looks at a client again: pipelined requests may be in hand, or reading may go on.
    mutating func resumeClient(_ client: Handle) {
        if clients.isOrphan(client) || (clients[client].phase == .http2 && !clients[client].transport.input.isEmpty) {
            // Its connection is gone, or frames were left while it waited here.
            clients.deferLater(client)
            return
        }
        if clients[client].phase == .reading, !clients[client].transport.input.isEmpty {
            io.received.clear()
            clients.returnWindow(client)
            io.restoreInput(&clients[client].transport)
            readRequests(client)
            guard clients.contains(client) else { return }
        }
        if clients[client].transport.hasEnded, clients[client].phase == .exchanging {
            clientDisconnected(client)
            return
        }
        readWhileAllowed(client)
    }

    /// Reads while there is something to read and the bytes can be used; what can wait is read last in the turn.
    mutating func readWhileAllowed(_ client: Handle) {
        if clients.isLowPriority(client) {
            if clients[client].transport.mayRead { clients.deferLater(client) }
        } else {
            readClient(client)
        }
    }

    /// The same without regard to what it costs.
    mutating func readClient(_ client: Handle) {
        let isExpensive = clients.isRunningDeferred || clients[client].phase == .http2
        for _ in 0..<(isExpensive ? 1 : Scratch.transfersPerTurn) {
            guard clients.contains(client), clients[client].transport.mayRead, acceptsInput(client),
                clients.isRunningDeferred || !clients.isLowPriority(client)
            else { break }
            let spliced = spliceUpload(client)
            switch spliced ?? readInput(client) {
            case .moved:
                if spliced == nil { process(client) }
            case .wouldBlock:
                // A handshake step may have produced bytes to send all the same.
                return
            case .ended, .failed:
                clientEnded(client)
                return
            }
        }
        guard clients.contains(client) else { return }
        if clients[client].transport.hasEnded, clients[client].phase == .exchanging {
            // The request came together with the FIN: nobody waits for a response.
            clientDisconnected(client)
        } else if clients[client].transport.mayRead, acceptsInput(client) {
            if isExpensive { clients.deferLater(client) } else { clients.resumeLater(client) }
        }
    }

    /// Whether bytes from this client can be used now.
    private func acceptsInput(_ client: Handle) -> Bool {
        switch clients[client].phase {
        case .handshaking, .lingering, .awaitingProxyHeader: return true
        // More is not read before what is in hand is used.
        case .http2: return clients[client].transport.input.isEmpty
        case .reading: return clients[client].transport.output.isEmpty
        case .exchanging:
            let exchange = clients[client].exchange
            guard exchanges.contains(exchange), exchanges[exchange].awaitsRequestBody else { return false }
            let connection = exchanges[exchange].connection
            return exchanges[exchange].state.isRequestSent && upstreams.contains(connection)
                && upstreams[connection].transport.output.isEmpty
        }
    }

    /// Puts what the client has sent so far into `io.received`: first what is kept from earlier, then one read.
    private mutating func readInput(_ client: Handle) -> Transfer {
        if clients.isStream(client) { return clients.takeStreamInput(client, &io) }
        io.received.clear()
        if clients.usesTLS(client) { return readRecords(client) }
        io.restoreInput(&clients[client].transport)
        io.savedCount = io.received.count
        let outcome =
            clients[client].phase == .http2
            // What a flood leaves for later turns is kept with the connection: no more of it than need be.
            ? io.receive(&clients[client].transport, atMost: Scratch.readBytes)
            : io.receive(&clients[client].transport)
        if case .moved = outcome { return outcome }
        if !io.received.isEmpty { io.saveInput(&clients[client].transport) }
        return outcome
    }

    /// What `io.received` holds now belongs to the client: by phase, it is a request, a piece of a body, or nothing.
    mutating func process(_ client: Handle) {
        switch clients[client].phase {
        case .handshaking: io.saveInput(&clients[client].transport)
        case .awaitingProxyHeader: readProxyHeader(client)
        case .lingering: discardLingering(client)
        case .http2: receiveFrames(client)
        case .exchanging: forwardBody(client)
        case .reading: processRequestBytes(client)
        }
    }

    private mutating func processRequestBytes(_ client: Handle) {
        if clients.hasHTTP2Preface(client, io.received) {
            clients.startHTTP2(client, &io, &clock, metrics)
            if clients.contains(client) { receiveFrames(client) } else { io.received.clear() }
            return
        }
        // What could complete a request has not come: the same bytes are not parsed again.
        if io.received.count < Int(clients[client].needed) || hasIncompleteLine(client) || cannotEndChunks(client) {
            io.saveInput(&clients[client].transport)
            clients.armReadTimeout(client, &clock)
        } else {
            readRequests(client)
        }
    }

    /// Whether the rest of a head is awaited and the last read ended no line of it. Parsing starts from the head's first
    /// byte each time; a head that comes byte by byte must not be parsed as often.
    private func hasIncompleteLine(_ client: Handle) -> Bool {
        guard clients[client].gathering == .head else { return false }
        let limit = clients.listeners[clients.listener(of: client)].plan.limits.headBytes
        return io.received.count <= limit && !io.received.contains(0x0a, from: io.savedCount)
    }

    /// Whether the end of a chunked body is awaited and the last read brought none: it is a blank line, wherever it stands
    /// (RFC 9112 section 7.1). Decoding starts from the first chunk each time.
    private func cannotEndChunks(_ client: Handle) -> Bool {
        guard clients[client].gathering == .chunkedBody, io.received.count < RequestExtent.gatheredBytes else {
            return false
        }
        let bytes = io.received.span
        var index = max(0, io.savedCount - 3)
        while index + 1 < bytes.count {
            if bytes[index] == 0x0a {
                if bytes[index + 1] == 0x0a { return false }
                if bytes[index + 1] == 0x0d, index + 2 < bytes.count, bytes[index + 2] == 0x0a { return false }
            }
            index += 1
        }
        return true
    }

    /// Parses and starts requests from `io.received`, which holds all unread bytes of the client; what is left over goes
    /// back to the client.
    mutating func readRequests(_ client: Handle) {
        while clients.contains(client), clients[client].phase == .reading, !io.received.isEmpty,
            clients[client].transport.output.isEmpty
        {
            switch parseHead(client) {
            case .incomplete:
                clients[client].needed = UInt32(io.received.count + 1)
                io.saveInput(&clients[client].transport)
                clients.armReadTimeout(client, &clock)
                return
            case .invalid(let error):
                reject(client, ExchangeFault(error))
            case .complete:
                receive(client)
            }
        }
        if clients.contains(client) { io.saveInput(&clients[client].transport) } else { io.received.clear() }
    }

    /// Parses the request at the front of `io.received`; a stream's by the lines that its session has noted, if it has.
    private mutating func parseHead(_ client: Handle) -> HeadOutcome {
        let listener = clients.listener(of: client)
        if clients.isStream(client), let head = clients.notedHeads.take(client) {
            return clients.listeners[listener].parser.parse(io.received, head, in: io.events, into: &io.requestHead)
        }
        return clients.listeners[listener].parser.parse(io.received, into: &io.requestHead)
    }
}
