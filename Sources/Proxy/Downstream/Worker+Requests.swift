import HTTP
import Kernel
import MCP
import Reactor

/// From a parsed head to an exchange.
extension Worker where Outside: ~Copyable {
    /// Requests up to this size, body included, are gathered before they are placed: the server is not kept waiting by a
    /// slow client, the request can be sent again, and its JSON-RPC id can be echoed. Larger ones stream.
    private static var gatheredBytes: Int { 65_536 }

    /// Takes up the request at the front of the scratch. True if it was answered on the spot and the scratch starts with
    /// what follows; false if the scratch is dealt with.
    mutating func receiveRequest(_ c: Handle) -> Bool {
        let plan = clients.listeners[Int(clients[c].listener)].plan
        guard snapshot.listeners[plan].role == .traffic else { return respondAdmin(c) }
        switch io.requestHead.method {
        case .get, .head, .post, .put, .delete, .options, .patch: break
        case .trace, .connect, .other: return rejectAndKeepAlive(c, .methodNotAllowed)
        }
        let isStream = clients[c].stream != 0
        switch measure(limit: snapshot.listeners[plan].maximumRequestBody, isStream: isStream) {
        case .invalid:
            return rejectAndKeepAlive(c, .malformed)
        case .tooLarge:
            return rejectAndKeepAlive(c, .requestTooLarge)
        case .gathering(let needed):
            clients[c].needed = UInt32(needed)
            clients[c].isGathering = true
            clients[c].isGatheringBody = true
            clients.setDeadline(c, clock.now + snapshot.listeners[plan].bodyTimeout, &clock)
            saveInput(c)
            return false
        case .whole(let length):
            begin(c, isWhole: true, length: length)
        case .streaming:
            begin(c, isWhole: false, length: io.received.count)
        }
        io.received.clear()
        return false
    }

    private enum Extent {
        case whole(Int)
        case gathering(needed: Int)
        case streaming
        case tooLarge
        case invalid
    }

    /// How much of the request is here, by its framing.
    private func measure(limit: UInt64, isStream: Bool) -> Extent {
        let head = io.requestHead.length
        switch io.requestHead.framing {
        case .none, .untilClose:
            return .whole(head)
        case .length(let count):
            if count > limit { return .tooLarge }
            let total = UInt64(head) + count
            if total <= UInt64(io.received.count) { return .whole(Int(total)) }
            // Whoever waits for "100 Continue" sends nothing before the server has seen the head.
            if io.requestHead.expectsContinue || total > UInt64(Worker.gatheredBytes) { return .streaming }
            return .gathering(needed: Int(total))
        case .chunked:
            let extent = measureChunks(from: head, limit: limit)
            // An HTTP/2 stream says by itself when its body is whole. Until then, or until it is large, no server is kept
            // waiting for it: else one connection with its streams half open could hold a server's every connection.
            guard isStream, case .streaming = extent, !io.requestHead.expectsContinue,
                io.received.count < head + Worker.gatheredBytes
            else { return extent }
            // Looked at when it may be too large, and then not for every byte.
            let most = Int(min(limit, UInt64(Worker.gatheredBytes)))
            return .gathering(needed: max(head + most, io.received.count + 1_024))
        }
    }

    private func measureChunks(from head: Int, limit: UInt64) -> Extent {
        var reader = BodyReader(.chunked)
        var offset = head
        var total: UInt64 = 0
        while true {
            switch reader.next(io.received, from: offset) {
            case .data(let range):
                total += UInt64(range.count)
                if total > limit { return .tooLarge }
                offset = range.upperBound
            case .trailer(let range):
                offset = range.upperBound
            case .needsMore:
                return .streaming
            case .end(let end):
                return .whole(end)
            case .invalid:
                return .invalid
            }
        }
    }

    /// Makes an exchange of the request at the front of the scratch and finds it a place.
    private mutating func begin(_ c: Handle, isWhole: Bool, length: Int) {
        clients[c].hasServed = true
        clients[c].isGathering = false
        clients[c].isGatheringBody = false
        clients[c].needed = 0
        // From here on the client's input holds the request; whatever becomes of the exchange, it is found there.
        saveCopy(c)
        guard let upstream = route() else {
            reject(c, ErrorResponse.noRoute)
            return
        }
        let kind = classify()
        let exchange = Exchange(
            client: c, upstreamIndex: upstream, kind: kind, head: io.requestHead, isWhole: isWhole, length: length)
        guard let e = exchanges.insert(exchange) else {
            reject(c, ErrorResponse.noServerAvailable)
            return
        }
        clients[c].exchange = e
        clients[c].phase = .exchanging
        clients[c].deadline = .never
        if let session = io.requestHead.sessionID { exchanges[e].sessionID = session }
        if kind == .streamOpening { keepTarget(e) }
        selectServer(e)
    }

    private mutating func saveCopy(_ c: Handle) {
        io.bufferPool.acquire(for: &clients[c].input)
        clients[c].input.append(io.received)
    }

    private mutating func keepTarget(_ e: Handle) {
        let target = io.requestHead.target.range
        guard target.count <= Int(UInt16.max) else { return }
        exchanges[e].pending.reserve(exactly: target.count)
        exchanges[e].pending.append(io.received, target)
        exchanges[e].targetCount = UInt16(target.count)
    }

    private func classify() -> RequestKind {
        let bytes = io.received.span
        let version = io.requestHead.protocolVersion ?? .empty
        return RequestKind.classify(
            isGet: io.requestHead.method == .get, isPost: io.requestHead.method == .post,
            isOptions: io.requestHead.method == .options, protocolVersion: bytes.extracting(version.range),
            sessionID: io.requestHead.sessionID != nil, lastEventID: io.requestHead.lastEventID != nil,
            acceptsEventStream: io.requestHead.acceptsEventStream, target: bytes.extracting(io.requestHead.target.range)
        )
    }

    /// Puts an exchange's request, which its client's input holds, back at the front of the scratch and parses it again.
    /// The cold path: a connection had to be opened or waited for, or the request is sent a second time. False if there is
    /// nobody left to answer.
    mutating func reloadRequest(_ e: Handle) -> Bool {
        let c = exchanges[e].client
        guard clients.contains(c), !isOrphan(c) else { return false }
        io.received.clear()
        io.received.append(clients[c].input)
        let outcome = clients.listeners[Int(clients[c].listener)].parser.parse(io.received, into: &io.requestHead)
        guard case .complete = outcome else { return false }
        return true
    }

    /// Sends on what the client has sent of a body that was not whole when it was dispatched.
    mutating func forwardBody(_ c: Handle) {
        let e = clients[c].exchange
        guard exchanges.contains(e), upstreams.contains(exchanges[e].upstream) else {
            saveInput(c)
            return
        }
        io.composed.clear()
        guard composeBody(e, from: 0) else { return }
        saveInput(c)
        writeUpstream(exchanges[e].upstream)
        awaitBodyOrAnswer(e)
    }

    /// Sets the deadlines that go with how much of the request is out.
    mutating func awaitBodyOrAnswer(_ e: Handle) {
        guard exchanges.contains(e) else { return }
        let c = exchanges[e].client
        let upstream = Int(exchanges[e].upstreamIndex)
        if exchanges[e].isWhole || exchanges[e].request.isComplete {
            clients[c].deadline = .never
            if exchanges[e].phase == .sent {
                exchanges.setDeadline(e, clock.now + snapshot.upstreams[upstream].firstByteTimeout, &clock)
            }
        } else {
            let plan = clients.listeners[Int(clients[c].listener)].plan
            clients.setDeadline(c, clock.now + snapshot.listeners[plan].bodyTimeout, &clock)
        }
    }
}
