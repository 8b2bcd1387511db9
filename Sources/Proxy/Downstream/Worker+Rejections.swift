import HTTP
import Kernel
import MCP
import Reactor

/// Answers to what cannot become an exchange.
extension Worker where Outside: ~Copyable {
    /// Answers and closes: what follows on this connection cannot be understood. `id` is the raw JSON-RPC id of the
    /// request, or empty; `edits`: what is changed in the answer.
    mutating func reject(
        _ client: Handle, _ fault: ExchangeFault, id: [UInt8] = [], edits: ResponseFieldEdits? = nil
    ) {
        if isTraffic(client) { metrics.countRejection(fault) }
        io.received.clear()
        io.composed.clear()
        io.append(fault.response, id: id, isHead: false, closes: true, at: clock.now)
        if let edits { io.editComposedHead(edits) }
        clients.write(client, &io, &clock)
        if clients.contains(client) { clients.linger(client, &io, &clock, metrics) }
    }

    /// Answers a request whose head was read and whose body, if any, was not; the connection closes unless there is none.
    mutating func rejectAndKeepAlive(_ client: Handle, _ fault: ExchangeFault) {
        let edits = isTraffic(client) ? editsOfRejection() : nil
        guard io.requestHead.framing == .none, io.requestHead.isKeepAlive, !fault.response.closesConnection,
            !clients.isStream(client)
        else {
            // As much of the body as is there may say whose answer this is.
            reject(client, fault, id: RequestID.find(in: io.received, io.requestHead), edits: edits)
            return
        }
        if isTraffic(client) { metrics.countRejection(fault) }
        io.received.consume(io.requestHead.length)
        clients[client].hasServed = true
        io.composed.clear()
        io.append(fault.response, id: [], isHead: io.requestHead.method == .head, closes: false, at: clock.now)
        if let edits { io.editComposedHead(edits) }
        clients.write(client, &io, &clock)
        if clients.contains(client) { clients.awaitRequest(client, &clock) }
    }

    private func isTraffic(_ client: Handle) -> Bool {
        clients.listeners[clients.listener(of: client)].plan.role == .traffic
    }
}
