import Balancing
import HTTP
import Kernel
import MCP
import Reactor
import Telemetry

/// The last event of a stream whose server died before it answered: a JSON-RPC error with the request's id, so that the
/// client does not wait for its own timeout. Only where the client can have no doubt: between two events, after no event
/// with an id (which the client could resume from), and before any answer.
extension Worker where Outside: ~Copyable {
    /// An event stream answers a POST: keeps the request, which says the id, instead of giving its memory back.
    mutating func keepRequest(_ exchange: Handle) {
        let client = exchanges[exchange].client
        let count = Int(exchanges[exchange].replayBytes)
        guard case .eventStream = exchanges[exchange].responseKind, case .post = exchanges[exchange].method,
            exchanges[exchange].isWhole, exchanges[exchange].pending.isEmpty, count > 0
        else { return }
        if case .legacyMessage = exchanges[exchange].kind { return }
        if clients[client].transport.input.count == count {
            swap(&clients[client].transport.input, &exchanges[exchange].pending)
        } else {
            io.bufferPool.acquire(for: &exchanges[exchange].pending)
            exchanges[exchange].pending.append(clients[client].transport.input, 0..<count)
            clients[client].transport.input.consume(count)
        }
        exchanges[exchange].replayBytes = 0
    }

    /// A piece of an event stream that answers a POST was forwarded. What its end follows at once is not looked at: most
    /// answers are one event.
    mutating func watchEvents(_ exchange: Handle, _ range: ByteRange) {
        let isLast =
            io.received.count - range.upperBound == 7 && exchanges[exchange].response.isChunked
            && io.received.has("\r\n0\r\n\r\n", at: range.upperBound)
        if !isLast { exchanges[exchange].boundary.watch(io.received, range.range) }
    }

    /// The stream goes on for a while: keeps the id alone, behind a mark if the request was `subscriptions/listen`.
    mutating func shrinkRequest(_ exchange: Handle) {
        guard exchanges[exchange].pending.count > 0, case .post = exchanges[exchange].method,
            case .eventStream = exchanges[exchange].responseKind, exchanges[exchange].responseBody == .data,
            exchanges[exchange].pending.span[0] == UInt8(ascii: "P"), let id = streamID(exchange)
        else { return }
        let isListen = answersListen(exchange)
        exchanges[exchange].pending.clear()
        io.bufferPool.release(&exchanges[exchange].pending)
        guard !id.isEmpty else { return }
        exchanges[exchange].pending.reserve(exactly: id.count + 1)
        if isListen { exchanges[exchange].pending.append([Self.listenMark]) }
        exchanges[exchange].pending.append(id)
    }

    /// The raw JSON-RPC id of the request that the stream answers: empty if it has none, nil if nothing was kept.
    private mutating func streamID(_ exchange: Handle) -> [UInt8]? {
        let count = exchanges[exchange].pending.count
        guard count > 0 else { return nil }
        // A request line begins with its method, an id with a quote, a sign or a digit.
        guard exchanges[exchange].pending.span[0] == UInt8(ascii: "P") else {
            let isMarked = exchanges[exchange].pending.span[0] == Self.listenMark
            return exchanges[exchange].pending.bytes((isMarked ? 1 : 0)..<count)
        }
        let parser = clients.listeners[clients.listener(of: exchanges[exchange].client)].parser
        guard case .complete = parser.parse(exchanges[exchange].pending, into: &io.requestHead) else { return [] }
        return RequestID.find(in: exchanges[exchange].pending, io.requestHead)
    }

    /// Whether a stream was ended with an error.
    enum StreamError { case sent, impossible }

    /// Appends an error to `io.composed`, with the stream's end, if the client is to be told so. `isFinal`: it would get no answer
    /// either if it resumed the stream.
    mutating func composeStreamError(
        _ exchange: Handle, _ error: ErrorResponse = .serverReset, isFinal: Bool = false
    ) -> StreamError {
        guard case .eventStream = exchanges[exchange].responseKind, case .post = exchanges[exchange].method,
            exchanges[exchange].responseBody == .data,
            isFinal ? exchanges[exchange].boundary.isAtBoundary : exchanges[exchange].boundary.takesError,
            exchanges[exchange].clientFraming != .counted, clients.contains(exchanges[exchange].client),
            let id = streamID(exchange), !id.isEmpty
        else { return .impossible }
        appendEvent(error.body(id: id.span), exchange)
        if exchanges[exchange].clientFraming == .chunked { io.composed.append("0\r\n\r\n") }
        return .sent
    }

    // MARK: - Streams without an end

    private static var listenMark: UInt8 { UInt8(ascii: "l") }

    /// The stream has no end of its own: it is the one that a session's client listens on, or answers
    /// `subscriptions/listen` (MCP 2026-07-28).
    mutating func isEndless(_ exchange: Handle) -> Bool {
        guard exchanges[exchange].isEventStream else { return false }
        return if case .get = exchanges[exchange].method { true } else { answersListen(exchange) }
    }

    private mutating func answersListen(_ exchange: Handle) -> Bool {
        guard case .modern = exchanges[exchange].kind, exchanges[exchange].pending.count > 0 else { return false }
        guard exchanges[exchange].pending.span[0] == UInt8(ascii: "P") else {
            return exchanges[exchange].pending.span[0] == Self.listenMark
        }
        let parser = clients.listeners[clients.listener(of: exchanges[exchange].client)].parser
        guard case .complete = parser.parse(exchanges[exchange].pending, into: &io.requestHead) else { return false }
        return KeptCall.find(in: exchanges[exchange].pending, io.requestHead)?.method == .listen
    }

    /// Appends the last words of an endless stream to `io.composed` that ends because the process does: the result of
    /// `subscriptions/listen`, which says that it is complete, or when to come back.
    mutating func composeLastWords(_ exchange: Handle) {
        guard case .eventStream = exchanges[exchange].responseKind, exchanges[exchange].boundary.isAtBoundary,
            exchanges[exchange].responseBody == .data, exchanges[exchange].clientFraming != .counted
        else { return }
        guard case .post = exchanges[exchange].method else {
            appendChunk(Array("retry: \(1_000 + spread(1_000, of: exchange))\n\n".utf8), exchange)
            return
        }
        guard answersListen(exchange), exchanges[exchange].boundary.takesError, let id = streamID(exchange), !id.isEmpty
        else { return }
        let result = Array(#"{"jsonrpc":"2.0","id":"#.utf8) + id + Array(#","result":{"resultType":"complete"}}"#.utf8)
        appendEvent(result, exchange)
    }

    /// A number from 0 to `width`, another one for each exchange: who is sent away together is not to come back together.
    func spread(_ width: UInt64, of exchange: Handle) -> UInt64 {
        let place = UInt64(exchange.slot) << 32 | UInt64(truncatingIfNeeded: metrics.worker)
        return SplitMix64.avalanche(SplitMix64.avalanche(place) ^ clock.now.nanoseconds) % (width + 1)
    }

    /// Appends an event with a message to `io.composed`.
    private mutating func appendEvent(_ message: [UInt8], _ exchange: Handle) {
        appendChunk(Array("event: message\ndata: ".utf8) + message + Array("\n\n".utf8), exchange)
    }

    /// Appends a piece of a response body to `io.composed`, as the client's framing asks.
    mutating func appendChunk(_ bytes: [UInt8], _ exchange: Handle) {
        let isChunked = exchanges[exchange].clientFraming == .chunked
        if isChunked {
            io.composed.append(hexadecimal: UInt64(bytes.count))
            io.composed.append("\r\n")
        }
        io.composed.append(bytes)
        if isChunked { io.composed.append("\r\n") }
    }
}
