import Caching
import HTTP
import Kernel
import Reactor

/// Whether an answer of the cache went to the client in place of another one.
enum Substitution { case served, nothingToServe }

/// Sends answers that are kept.
extension Worker where Outside: ~Copyable {
    /// Answers in a server's place. `id` is the raw JSON-RPC id of the request. Nothing of a response has gone to the client.
    mutating func serve(_ answer: CachedAnswer, _ exchange: Handle, id: [UInt8]) {
        let client = exchanges[exchange].client
        guard clients.contains(client) else {
            complete(exchange, .clientDisconnected)
            return
        }
        let filtered = exchanges.toolFilters.isEmpty ? nil : filteredMessage(answer, exchange, id: id)
        let bytes = filtered?.count ?? answer.messageBytes(idBytes: id.count, at: clock.now)
        act(on: exchange, .answeredFromCache)
        exchanges[exchange].status = 200
        exchanges[exchange].responseBytes = UInt64(bytes)
        exchanges[exchange].times.noteFirstByte(at: clock.now)
        exchanges[exchange].deadline = .never
        noteCached(exchange)
        if lifecycle.isDraining { exchanges[exchange].keepsClient = false }
        io.composed.clear()
        compose(answer, bytes: bytes, closes: !exchanges[exchange].keepsClient)
        if let filtered {
            io.composed.append(filtered)
        } else {
            answer.writeMessage(id: id.span, at: clock.now) { io.composed.append($0) }
        }
        sendOwnResponse(exchange, .responded)
    }

    private mutating func compose(_ answer: CachedAnswer, bytes: Int, closes: Bool) {
        io.composed.append("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ")
        io.composed.append(decimal: UInt64(bytes))
        io.composed.append("\r\ncache-status: berth; hit; ttl=")
        if let remaining = answer.remaining(at: clock.now) {
            io.composed.append(decimal: remaining.nanoseconds / 1_000_000_000)
        } else {
            io.composed.append("-")
            let end = answer.receivedAt + answer.result.ttl
            io.composed.append(decimal: (clock.now - end).nanoseconds / 1_000_000_000)
        }
        io.composed.append("\r\n")
        io.composed.append(answer.fields)
        io.appendDate(at: clock.now)
        io.composed.append(closes ? "connection: close\r\n\r\n" : "\r\n")
    }

    /// The server has failed, by `status` of its own or as we say it: an answer whose time is over goes to the client instead,
    /// if there is one and the operator wants it (RFC 5861 section 4).
    mutating func serveStale(_ exchange: Handle, status: UInt16) -> Substitution {
        guard status >= 500 else { return .nothingToServe }
        let stale: CachedAnswer?
        switch exchanges.caching[exchange] {
        case .fetching(_, let answer), .passing(let answer): stale = answer
        case .waiting, .woken, .searching, nil: stale = nil
        }
        guard let stale, exchanges[exchange].replayBytes > 0 else { return .nothingToServe }
        let id = requestID(exchange)
        guard !id.isEmpty else { return .nothingToServe }
        servers.upstreams[Int(exchanges[exchange].upstream)].plan.cache?.answers.countStale(stale)
        serve(stale, exchange, id: id)
        return .served
    }

    /// Says in the response's head why a server was asked (RFC 9211).
    mutating func appendCacheStatus(_ exchange: Handle) {
        switch exchanges.caching[exchange] {
        case .fetching(_, .some), .passing(.some): io.composed.append("cache-status: berth; fwd=stale\r\n")
        case .fetching: io.composed.append("cache-status: berth; fwd=miss\r\n")
        case .passing: io.composed.append("cache-status: berth; fwd=bypass\r\n")
        case .waiting, .woken, .searching, nil: break
        }
    }
}
