import Balancing
import Kernel
import Simulation
import TestSupport

@testable import Proxy

/// Minutes of traffic from one seed: clients of every manner come, ask and go, servers answer in every way, die and come
/// back. Each request carries a tag; whatever answers it repeats the tag, and a body that follows from the tag.
final class Storm {
    struct Asked {
        let tag: String
        let method: String
        let isStream: Bool
    }

    final class Guest {
        let client: ScriptedClient
        var asked: [Asked] = []
        var answered = 0
        var isMute = false

        init(_ client: ScriptedClient) { self.client = client }
    }

    let stage: ProxyStage
    private var generator: SeededGenerator
    private(set) var guests: [Guest] = []
    private(set) var wrongs: [String] = []
    private(set) var answers: [Int: Int] = [:]
    private var tags = 0
    private var sessions: [(id: String, owner: String)] = []
    private var executions: [String: Int] = [:]
    let servers = 3

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed ^ 0x5707)
        let conditions: [Conditions] = [.varied, .calm, .cramped]
        stage = ProxyStage(seed: seed, servers: servers, conditions[Int(seed % 3)])
        stage.plan.affinity = seed % 2 == 0 ? .signed : .learned
        stage.snapshot.learned = LearnedSessions(limit: 10_000)
        let policies: [Policy] = [.roundRobin, .leastRequests, .powerOfTwo, .ipHash]
        stage.plan.policy = policies[Int(seed / 2 % 4)]
        stage.plan.pool.maximum = Int64(1 + seed % 5)
        stage.plan.pool.maximumStreams = 8
        stage.plan.queueLimit = 20
        stage.plan.firstByteTimeout = .seconds(20)
        stage.plan.streamIdleTimeout = .seconds(45)
        stage.plan.pool.connectTimeout = .seconds(2)
        for index in 0..<servers { open(index) }
        stage.start(healthChecks: true)
    }

    private func chance(_ count: UInt64) -> Bool { generator.oneIn(count) }
    private func below(_ count: Int) -> Int { Int.random(in: 0..<count, using: &generator) }

    // MARK: Servers

    private func open(_ index: Int) {
        _ = ScriptedServer(stage, index) { [unowned self] in answer($0, index) }
    }

    static func body(of tag: String, _ count: Int) -> String {
        String(repeating: "\(tag) ", count: count / (tag.utf8.count + 1) + 1)
    }

    private func answer(_ message: Message, _ index: Int) -> [SimulatedPeer.Action] {
        guard let tag = message["x-tag"] else { return .reply("no tag") }
        executions[tag, default: 0] += 1
        if executions[tag, default: 0] > 1, message.method == "POST" { wrongs.append("\(tag) was executed twice") }
        if message.method == "POST", message.body.count != Int(message["x-size"] ?? "") {
            wrongs.append("\(tag) arrived with \(message.body.count) bytes")
        }
        if let session = message["mcp-session-id"], !session.hasPrefix("o\(index)-") {
            wrongs.append("\(session) came to \(index)")
        }
        let body = Storm.body(of: tag, below(chance(8) ? 60_000 : 300))
        let field = "X-Tag: \(tag)\r\nX-Length: \(body.utf8.count)\r\n"
        let pause = SimulatedPeer.Action.pause(.milliseconds(UInt64(below(chance(10) ? 25_000 : 200))))
        let cut = below(body.utf8.count)
        let (one, two) = (String(body.prefix(cut)), String(body.dropFirst(cut)))
        if message["accept"] == "text/event-stream" { return [pause] + events(tag, field) }
        if message["x-kind"] == "open" { return .reply(body, extra: field + "Mcp-Session-Id: o\(index)-\(tag)\r\n") }
        switch below(20) {
        case 0: return [pause, .reset]
        case 1: return [pause, .close]
        case 2:
            return [
                .text("HTTP/1.1 200 OK\r\n\(field)Content-Length: \(body.utf8.count)\r\n\r\n\(one)"), pause, .reset,
            ]
        case 3: return [.text("nonsense\r\n\r\n")]
        case 4: return [pause]
        case 5: return .reply(body, extra: field) + [pause, .close]
        case 6: return [.text("HTTP/1.0 200 OK\r\n\(field)\r\n\(one)"), pause, .text(two), .close]
        case 7: return .reply(body, extra: field + "Connection: close\r\n") + [.close]
        case 8: return [.text("HTTP/1.1 103 Early Hints\r\n\r\n"), pause] + .reply(body, extra: field)
        case 9, 10, 11, 12:
            return [
                .text("HTTP/1.1 200 OK\r\n\(field)Transfer-Encoding: chunked\r\n\r\n"), .chunk(one.isEmpty ? "" : one),
            ]
            .filter { if case .send(let bytes) = $0 { return bytes != Array("0\r\n\r\n".utf8) } else { return true } }
                + [pause, .chunk(two), .text("0\r\nX-Sum: 1\r\n\r\n")]
        default: return [pause] + .reply(body, extra: field)
        }
    }

    private func events(_ tag: String, _ field: String) -> [SimulatedPeer.Action] {
        var actions: [SimulatedPeer.Action] = .stream("data: \(tag)\n\n", extra: field)
        for _ in 0..<below(6) {
            actions += [.pause(.milliseconds(UInt64(below(20_000)))), .chunk("data: \(tag)\n"), .chunk("\n")]
        }
        if chance(2) { actions.append(chance(3) ? .reset : .lastChunk) }
        return actions
    }

    // MARK: Clients

    private func ask(_ guest: Guest) {
        tags += 1
        let tag = "t\(tags)q"
        let isStream = chance(12)
        var head = "Host: h\r\nX-Tag: \(tag)\r\n"
        if isStream {
            guest.asked.append(Asked(tag: tag, method: "GET", isStream: true))
            guest.client.ask("GET /mcp HTTP/1.1\r\n\(head)Accept: text/event-stream\r\n\r\n")
            return
        }
        if chance(3) {
            let method = chance(6) ? "HEAD" : "GET"
            guest.asked.append(Asked(tag: tag, method: method, isStream: false))
            guest.client.ask("\(method) /x HTTP/1.1\r\n\(head)\r\n")
            return
        }
        let opens = chance(8)
        if opens { head += "X-Kind: open\r\n" }
        if !opens, !sessions.isEmpty, chance(2) { head += "Mcp-Session-Id: \(sessions[below(sessions.count)].id)\r\n" }
        let count = below(chance(10) ? 90_000 : 400)
        head += "X-Size: \(count)\r\n"
        let body = [UInt8](repeating: 120, count: count)
        guest.asked.append(Asked(tag: tag, method: "POST", isStream: false))
        if chance(3) {
            let cut = below(count + 1)
            let pieces = [Array(body[..<cut]), Array(body[cut...])].filter { !$0.isEmpty }
            guest.client.ask(
                "POST",
                [.text("POST /mcp HTTP/1.1\r\n\(head)Transfer-Encoding: chunked\r\n\r\n")]
                    + pieces.flatMap { [.chunk($0), .pause(.milliseconds(UInt64(below(300))))] } + [.lastChunk])
        } else {
            guest.client.ask(
                "POST", [.text("POST /mcp HTTP/1.1\r\n\(head)Content-Length: \(count)\r\n\r\n"), .send(body)])
        }
    }

    private func arrive() {
        let guest = Guest(stage.connect())
        guests.append(guest)
        switch below(12) {
        case 0: guest.client.peer.segmentBytes = 1...3
        case 1:
            guest.client.peer.perform(
                .read(.slowly(bytes: 1 + below(2000), every: .milliseconds(UInt64(1 + below(50))))))
        case 2:
            // Never asks anything whole.
            guest.isMute = true
            guest.client.peer.perform(.text("GET /never HTTP/1.1\r\nHo"))
            return
        default: break
        }
        for _ in 0..<(chance(4) ? 1 + below(6) : 1) { ask(guest) }
    }

    private func happening() {
        let live = guests.filter { !$0.client.isOver }
        switch below(40) {
        case 0...13: if live.count < 40 { arrive() }
        case 14...29:
            if !live.isEmpty {
                let guest = live[below(live.count)]
                if guest.answered == guest.asked.count, !guest.isMute { ask(guest) }
            }
        case 30, 31: live.isEmpty ? () : live[below(live.count)].client.peer.perform(.close)
        case 32: live.isEmpty ? () : live[below(live.count)].client.peer.perform(.reset)
        case 33: if chance(3) { failServer(below(servers)) }
        default: break
        }
    }

    private func failServer(_ index: Int) {
        let address = ProxyStage.server(index)
        for peer in stage.network.served(at: address) where !peer.isDone { peer.perform(chance(2) ? .reset : .close) }
        if chance(4) { stage.network.swallow(at: address) } else { stage.network.refuse(at: address) }
        stage.network.after(.milliseconds(UInt64(below(8000)))) { [unowned self] in open(index) }
    }

    // MARK: Judging

    private func judge(_ guest: Guest) {
        let client = guest.client
        if client.isBroken { return note(guest, "broken bytes") }
        let responses = client.responses
        while guest.answered < responses.count {
            let response = responses[guest.answered]
            guard guest.answered < guest.asked.count else {
                // One refusal more may come for what was no request.
                if response.status != 408 { note(guest, "an answer too many: \(response.startLine)") }
                guest.answered += 1
                continue
            }
            judge(response, guest.asked[guest.answered], guest)
            guest.answered += 1
        }
        if guest.answered < guest.asked.count { judge(client.current, guest.asked[guest.answered], guest) }
    }

    private func judge(_ response: Message, _ asked: Asked, _ guest: Guest) {
        guard response.hasHead else { return }
        if response.isComplete { answers[response.status, default: 0] += 1 }
        guard response.status == 200 else {
            if ![404, 408, 502, 503, 504].contains(response.status) { note(guest, "status \(response.startLine)") }
            return
        }
        guard response["x-tag"] == asked.tag else {
            return note(guest, "\(asked.tag) got \(response["x-tag"] ?? "none")")
        }
        if asked.isStream {
            let events = response.text.replacing(":\n\n", with: "").split(separator: "\n\n")
            if events.dropLast().contains(where: { $0 != "data: \(asked.tag)" }) { note(guest, "events \(events)") }
        } else if asked.method != "HEAD" {
            let whole = Storm.body(of: asked.tag, response.body.count)
            if !whole.hasPrefix(response.text) { note(guest, "the body of \(asked.tag)") }
            if response.isComplete, response.body.count != Int(response["x-length"] ?? "") {
                note(guest, "the length of \(asked.tag)")
            }
        }
        if response.isComplete, let id = response["mcp-session-id"] {
            if sessions.count < 50 { sessions.append((id, "")) }
        }
    }

    private func note(_ guest: Guest, _ what: String) {
        guard wrongs.count < 20 else { return }
        wrongs.append("\(what), client \(guest.client.peer.address.port), seed \(stage.network.seed)")
    }

    func runTraffic(for interval: Interval) {
        let end = stage.network.now + interval
        while stage.network.now < end, wrongs.isEmpty {
            happening()
            stage.run(for: .milliseconds(UInt64(1 + below(400))))
            for guest in guests { judge(guest) }
            guests.removeAll { $0.client.isOver && $0.client.peer.isDone }
        }
    }

    /// Everybody who still waits gets an answer, in time.
    func drain() {
        for index in 0..<servers { open(index) }
        stage.run(for: .seconds(150))
        for guest in guests {
            judge(guest)
            // Who reads in sips may still be at it.
            let isSlowReader = guest.client.peer.lastRead.map { stage.network.now - $0 < .seconds(20) } ?? false
            let waits = guest.answered < guest.asked.count && !guest.client.isOver && !isSlowReader
            if waits, !guest.asked[guest.answered].isStream {
                note(guest, "\(guest.asked[guest.answered].tag) waits for ever")
            }
            guest.client.leave()
        }
    }
}
