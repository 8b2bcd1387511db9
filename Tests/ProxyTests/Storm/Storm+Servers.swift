import Kernel
import Simulation

/// How servers answer in a storm, and how they fail.
extension Storm {
    func open(_ index: Int) {
        _ = ScriptedServer(stage, index) { [unowned self] in answer($0, index) }
    }

    static func body(of tag: String, _ count: Int) -> String {
        String(repeating: "\(tag) ", count: count / (tag.utf8.count + 1) + 1)
    }

    private func answer(_ message: Message, _ index: Int) -> [SimulatedPeer.Action] {
        guard let tag = message["x-tag"] else { return answerCheck(message, index) }
        inspect(message, tag, index)
        let body = Storm.body(of: tag, below(chance(8) ? 60_000 : 300))
        let field = "X-Tag: \(tag)\r\nX-Length: \(body.utf8.count)\r\n"
        let pause = SimulatedPeer.Action.pause(milliseconds(below: chance(10) ? 25_000 : 200))
        if message["accept"] == "text/event-stream" {
            // It knows of another stream of the session.
            if message["mcp-session-id"] != nil, chance(3) { return .reply("", status: "409 Conflict", extra: field) }
            return [pause] + events(tag, field)
        }
        if message["x-kind"] == "open" { return .reply(body, extra: field + "Mcp-Session-Id: o\(index)-\(tag)\r\n") }
        return answer(body, field, pause)
    }

    /// Whether the request arrived whole, once, and where its session is.
    private func inspect(_ message: Message, _ tag: String, _ index: Int) {
        executions[tag, default: 0] += 1
        if executions[tag, default: 0] > 1, message.method == "POST" { note("\(tag) was executed twice") }
        if message.method == "POST", message.body.count != Int(message["x-size"] ?? "") {
            note("\(tag) arrived with \(message.body.count) bytes")
        }
        if message.target.hasPrefix("/other") != Storm.secureServers.contains(index) {
            note("\(message.target) came to server \(index)")
        }
        if let session = message["mcp-session-id"], !session.hasPrefix("o\(index)-") {
            note("\(session) came to \(index)")
        }
    }

    private func answer(_ body: String, _ field: String, _ pause: SimulatedPeer.Action) -> [SimulatedPeer.Action] {
        let cut = below(body.utf8.count)
        let (one, two) = (String(body.prefix(cut)), String(body.dropFirst(cut)))
        let counted = "HTTP/1.1 200 OK\r\n\(field)Content-Length: \(body.utf8.count)\r\n\r\n\(one)"
        switch below(24) {
        case 0: return [pause, .reset]
        case 1: return [pause, .close]
        case 2: return [.text(counted), pause, .reset]
        case 3: return [.text("nonsense\r\n\r\n")]
        case 4: return [pause]
        case 5: return .reply(body, extra: field) + [pause, .close]
        case 6: return [.text("HTTP/1.0 200 OK\r\n\(field)\r\n\(one)"), pause, .text(two), .close]
        case 7: return .reply(body, extra: field + "Connection: close\r\n") + [.close]
        case 8: return [.text("HTTP/1.1 103 Early Hints\r\n\r\n"), pause] + .reply(body, extra: field)
        case 9...12:
            let head = SimulatedPeer.Action.text("HTTP/1.1 200 OK\r\n\(field)Transfer-Encoding: chunked\r\n\r\n")
            return [head] + (one.isEmpty ? [] : [.chunk(one)]) + [pause, .chunk(two), .text("0\r\nX-Sum: 1\r\n\r\n")]
        case 13:
            return [pause, .vanish]
        case 14:
            return [.text(counted), pause, .vanish]
        default: return [pause] + .reply(body, extra: field)
        }
    }

    private func events(_ tag: String, _ field: String) -> [SimulatedPeer.Action] {
        var actions: [SimulatedPeer.Action] = .stream("data: \(tag)\n\n", extra: field)
        for _ in 0..<below(6) {
            actions += [.pause(milliseconds(below: 20_000)), .chunk("data: \(tag)\n"), .chunk("\n")]
        }
        switch below(6) {
        case 0: actions.append(.reset)
        case 1, 2: actions.append(.lastChunk)
        case 3: actions.append(.vanish)
        default: break
        }
        return actions
    }

    // MARK: Failing

    /// A server loses all its connections and is away for some seconds, in one of many ways.
    func failServer(_ index: Int) {
        let address = ProxyStage.server(index)
        let ends: [SimulatedPeer.Action] = [.reset, .close, .vanish]
        for peer in stage.network.served(at: address) where !peer.isDone {
            let end = ends[below(3)]
            peer.perform(end)
        }
        switch below(4) {
        case 0: stage.network.swallow(at: address)
        case 1 where Storm.secureServers.contains(index): failHandshakes(index)
        default: stage.network.refuse(at: address)
        }
        stage.network.after(milliseconds(below: 8000)) { [unowned self] in open(index) }
    }

    private func failHandshakes(_ index: Int) {
        let faults = BrokenHandshake.Fault.allCases
        let choice = below(faults.count + 1)
        guard choice < faults.count else {
            ScriptedServer(stage, index) { _ in [] }.tls = ServerTLS.untrusted
            return
        }
        stage.network.serve(
            at: ProxyStage.server(index),
            as: BrokenHandshake(faults[choice], client: ClientTLS.http1, server: ServerTLS.trusted))
    }
}
