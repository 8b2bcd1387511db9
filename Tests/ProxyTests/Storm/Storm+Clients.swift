import Kernel
import Simulation
import TLS
import TestSupport

/// Who comes in a storm, and what they ask for.
extension Storm {
    private struct Request {
        var method: String
        var path: String
        var fields: [HeaderField]
        var body: [UInt8]?
    }

    // MARK: Coming

    func arrive() {
        let guest = newGuest()
        guests.append(guest)
        let peer = guest.peer
        switch below(12) {
        case 0: peer.segmentBytes = 1...3
        case 1:
            guest.readsSlowly = true
            peer.perform(.read(.slowly(bytes: 1 + below(2000), every: .milliseconds(UInt64(1 + below(50))))))
        default: break
        }
        if case .http2(let client) = guest.voice, chance(6) { client.holdsWindows = true }
        for _ in 0..<(chance(4) ? 1 + below(6) : 1) { ask(guest) }
    }

    private func newGuest() -> StormGuest {
        switch below(10) {
        case 0...2: return StormGuest(.http1(stage.connect()))
        case 3...5:
            let client = stage.connectSecurely(chance(4) ? ClientTLS.oldest : ClientTLS.http1, resuming: ticket())
            keepTicket(of: client.peer)
            return StormGuest(.http1(client))
        case 6...8:
            let settings: [[(HTTP2Frame.Setting, UInt32)]] = [[], [(.initialWindow, 300)], [(.initialWindow, 1 << 20)]]
            return StormGuest(
                .http2(stage.connectHTTP2(isSecure: chance(2), settings: settings[below(3)], connectionWindow: 1 << 20))
            )
        default: return mute()
        }
    }

    private func ticket() -> TLSTicket? { tickets.isEmpty || chance(2) ? nil : tickets[below(tickets.count)] }

    /// Takes note of the ticket that the client gets, if it gets one.
    private func keepTicket(of peer: SimulatedPeer) {
        peer.after(.seconds(1)) { [unowned self] in
            guard tickets.count < 4, let ticket = (peer.layer as? TLSLayer)?.ticket else { return }
            tickets.append(ticket)
        }
    }

    private func mute() -> StormGuest {
        switch below(4) {
        case 0:
            let client = stage.connect()
            client.peer.perform(.text("GET /never HTTP/1.1\r\nHo"))
            return StormGuest(.mute(client.peer))
        case 1:
            let client = stage.connectSecurely()
            client.peer.perform(.text("GET /never HTTP/1.1\r\nHo"))
            return StormGuest(.mute(client.peer))
        case 2:
            let client = stage.connect()
            client.peer.perform(.text(String(HTTP2Frame.preface.prefix(below(HTTP2Frame.preface.count)))))
            return StormGuest(.mute(client.peer))
        default:
            let client = stage.connectHTTP2(isSecure: chance(2))
            client.send(Array(HTTP2Frame.make(.headers, stream: 1, [UInt8](repeating: 0, count: 99)).prefix(50)))
            return StormGuest(.mute(client.peer))
        }
    }

    /// A client's handshake comes to nothing.
    func breakHandshake() {
        let faults = BrokenHandshake.Fault.allCases
        switch below(faults.count + 2) {
        case faults.count: _ = stage.connectSecurely(ClientTLS.distrustful)
        case faults.count + 1:
            // Told so in its own language.
            stage.network.connect(to: ProxyStage.secureFront).perform(.text(.get()))
        case let choice:
            stage.network.connect(
                to: ProxyStage.secureFront,
                as: BrokenHandshake(faults[choice], client: ClientTLS.http1, server: ServerTLS.trusted))
        }
    }

    // MARK: Asking

    /// A client that is there does one thing more.
    func continueTraffic(_ guest: StormGuest) {
        guard case .http2(let client) = guest.voice, chance(3) else {
            if guest.mayAsk { ask(guest) }
            return
        }
        let open = guest.asked.filter { !$0.isAnswered }.map(\.stream)
        switch below(6) {
        case 0, 1: if !open.isEmpty { client.cancel(open[below(open.count)]) }
        case 2: if !open.isEmpty { client.stalled.insert(open[below(open.count)]) }
        case 3: client.ping()
        case 4: client.releaseWindows()
        default: for _ in 0..<4 where guest.mayAsk { ask(guest) }
        }
    }

    func ask(_ guest: StormGuest) {
        tags += 1
        let tag = "t\(tags)q"
        let isOther = chance(3)
        let isStream = chance(12)
        let request = newRequest(tag, isOther ? "/other" : "/mcp", isStream: isStream)
        var asked = StormGuest.Asked(
            tag: tag, method: request.method, isStream: isStream, upstream: isOther ? 1 : 0)
        switch guest.voice {
        case .mute: return
        case .http1(let client): send(request, to: client)
        case .http2(let client):
            // Not in smaller pieces: thousands of DATA frames on a stream that is gone would be an abuse, and the upload
            // would outlast the storm.
            asked.stream = client.ask(
                request.method, request.path, request.fields, body: request.body,
                inPiecesOf: chance(3) ? 1000 + below(5000) : .max, every: milliseconds(below: 300))
        }
        guest.asked.append(asked)
    }

    private func newRequest(_ tag: String, _ path: String, isStream: Bool) -> Request {
        var request = Request(method: "GET", path: path, fields: [HeaderField("x-tag", tag)])
        // A greedy agent and two others; most have no credential.
        if chance(3) { request.fields.append(HeaderField("authorization", "Bearer \(chance(2) ? 0 : below(3))")) }
        let known = sessions.filter { ($0.upstream == 1) == (path == "/other") }
        if isStream {
            request.fields.append(HeaderField("accept", "text/event-stream"))
            if !known.isEmpty, chance(2) {
                request.fields.append(HeaderField("mcp-session-id", known[below(known.count)].id))
            }
            return request
        }
        if chance(3) {
            request.method = chance(6) ? "HEAD" : "GET"
            request.path += "/x"
            return request
        }
        request.method = "POST"
        if chance(8) {
            request.fields.append(HeaderField("x-kind", "open"))
        } else if !known.isEmpty, chance(2) {
            request.fields.append(HeaderField("mcp-session-id", known[below(known.count)].id))
        }
        let count = below(chance(10) ? 90_000 : 400)
        request.fields.append(HeaderField("x-size", "\(count)"))
        request.body = [UInt8](repeating: 120, count: count)
        return request
    }

    private func send(_ request: Request, to client: ScriptedClient) {
        var head = "\(request.method) \(request.path) HTTP/1.1\r\nHost: mcp.test\r\n"
        for field in request.fields { head += "\(field.name): \(field.value)\r\n" }
        guard let body = request.body else { return client.ask(head + "\r\n") }
        guard chance(3) else {
            client.ask(request.method, [.text(head + "Content-Length: \(body.count)\r\n\r\n"), .send(body)])
            return
        }
        let cut = below(body.count + 1)
        let pieces = [Array(body[..<cut]), Array(body[cut...])].filter { !$0.isEmpty }
        client.ask(
            request.method,
            [.text(head + "Transfer-Encoding: chunked\r\n\r\n")]
                + pieces.flatMap { [.chunk($0), .pause(milliseconds(below: 300))] } + [.lastChunk])
    }
}
