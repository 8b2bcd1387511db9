import Kernel
import Simulation
import TestSupport

@testable import Proxy

/// Calls from one seed to servers that list their tools, while connections are reset at random and servers die, are full
/// and come back. The servers count how often they execute each call; the calls' ids are all different.
final class RetryStorm {
    /// What a client asks for.
    enum Kind: String, CaseIterable {
        case initialize, list = "tools/list", ping, read, put, pay, plain

        /// Executing it twice is executing it once, by the protocol or by what the servers say.
        var isRepeatable: Bool {
            switch self {
            case .initialize, .list, .ping, .read, .put: true
            case .pay, .plain: false
            }
        }
    }

    private final class Caller {
        let client: ScriptedClient
        var session: String?
        var asked: (id: Int, kind: Kind)?
        var answered = 0

        init(_ client: ScriptedClient) { self.client = client }
    }

    let stage: ProxyStage
    private var generator: SeededGenerator
    private var servers: [ScriptedServer] = []
    private var callers: [Caller] = []
    private var kinds: [Int: Kind] = [:]
    private(set) var executions: [Int: Int] = [:]
    private(set) var wrongs: [String] = []
    /// Answers by what they were.
    private(set) var answers: [String: Int] = [:]
    private let trusts: Bool
    static let serverCount = 3

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed ^ 0x2E7B)
        trusts = !seed.isMultiple(of: 4)
        let conditions: [Conditions] = [.varied, .calm, .cramped]
        stage = ProxyStage(seed: seed, servers: RetryStorm.serverCount, conditions[Int(seed % 3)])
        stage.plan.affinity = seed.isMultiple(of: 2) ? .signed : .learned
        stage.snapshot.learned = LearnedSessions(limit: 10_000)
        stage.plan.retry.trustsAnnotations = trusts
        stage.plan.firstByteTimeout = .seconds(10)
        stage.plan.pool.maximum = Int64(2 + seed % 5)
        if seed.isMultiple(of: 3) { stage.plan.legacyErrors = .rpc200 }
        for index in 0..<RetryStorm.serverCount {
            servers.append(ScriptedServer(stage, index) { [unowned self] in answer($0, index) })
        }
        stage.start(healthChecks: true)
    }

    private func below(_ count: Int) -> Int { Int.random(in: 0..<count, using: &generator) }
    private func milliseconds(below count: Int) -> Interval { .milliseconds(UInt64(below(count))) }

    private func note(_ what: String) {
        if wrongs.count < 10 { wrongs.append("\(what), seed \(stage.network.seed)") }
    }

    // MARK: Servers

    private static let list = """
        "result":{"tools":[{"name":"read","annotations":{"readOnlyHint":true}},{"name":"plain"},\
        {"name":"put","annotations":{"idempotentHint":true}},{"name":"pay","annotations":{"readOnlyHint":false}}]}
        """

    private func answer(_ message: Message, _ index: Int) -> [SimulatedPeer.Action] {
        guard let id = RetryStorm.id(message.text), let kind = kinds[id] else { return .reply("no id") }
        executions[id, default: 0] += 1
        if executions[id] == 2, !kind.isRepeatable || (!trusts && (kind == .read || kind == .put)) {
            note("call \(id), \(kind), was executed twice")
        }
        if executions[id, default: 0] > 3 + RetryStorm.serverCount { note("call \(id) was executed again and again") }
        if kind == .initialize, below(4) == 0 { return .reply("full", status: "503 Service Unavailable") }
        let session = kind == .initialize ? "Mcp-Session-Id: s\(index)-\(id)\r\n" : ""
        let body = #"{"jsonrpc":"2.0","id":\#(id),\#(kind == .list ? RetryStorm.list : #""result":{}"#)}"#
        let pause = SimulatedPeer.Action.pause(milliseconds(below: 100))
        switch below(12) {
        case 0: return [pause, .reset]
        case 1: return [pause, .close]
        case 2: return [.text("HTTP/1.1 200 OK\r\nContent-Le"), pause, .reset]
        case 3: return [.text("HTTP/1.1 200 OK\r\n\(session)Content-Length: 400\r\n\r\n{"), pause, .reset]
        case 4...7: return .stream(extra: session) + events(body, pause)
        default: return [pause] + .reply(body, extra: session)
        }
    }

    private func events(_ body: String, _ pause: SimulatedPeer.Action) -> [SimulatedPeer.Action] {
        var actions: [SimulatedPeer.Action] = []
        for _ in 0..<below(3) {
            let field = below(4) == 0 ? "id: 9\n" : ""
            actions += [pause, .chunk("\(field)data: {\"method\":\"notifications/progress\",\"params\":{}}\n\n")]
        }
        switch below(6) {
        case 0: return actions + [pause, .reset]
        case 1: return actions + [.chunk("data: {\"jsonrpc\":"), pause, .close]
        case 2: return actions + [.chunk("data: \(body)\n\n"), pause, .reset]
        default: return actions + [pause, .chunk("data: \(body)\n\n"), .lastChunk]
        }
    }

    private static func id(_ text: String) -> Int? {
        guard let start = text.firstRange(of: "\"id\":")?.upperBound else { return nil }
        return Int(text[start...].prefix { $0.isNumber })
    }

    // MARK: Clients

    func run(for interval: Interval) {
        let end = stage.network.now + interval
        while stage.network.now < end, wrongs.isEmpty {
            happening()
            stage.run(for: .milliseconds(UInt64(1 + below(60))))
            for caller in callers { judge(caller) }
            callers.removeAll { $0.client.isOver }
        }
    }

    private func happening() {
        switch below(20) {
        case 0...2: if callers.count < 12 { callers.append(Caller(stage.connect())) }
        case 3...14:
            let free = callers.filter { $0.asked == nil }
            if !free.isEmpty { ask(free[below(free.count)]) }
        case 15, 16, 17:
            let open = servers[below(servers.count)].connections.filter { $0.isOpen }
            // Not `.finish`: a server that has closed its half and executes what it reads then cannot be told from one that
            // has closed.
            let ends: [SimulatedPeer.Action] = [.reset, .close, .close]
            if !open.isEmpty { open[below(open.count)].perform(ends[below(3)]) }
        case 18:
            guard below(3) == 0 else { return }
            let server = servers[below(servers.count)]
            server.die(reset: below(2) == 0)
            stage.network.after(milliseconds(below: 3_000)) { server.listen() }
        default: break
        }
    }

    private func ask(_ caller: Caller) {
        let id = kinds.count + 1
        let kind = caller.session == nil && below(2) == 0 ? .initialize : Kind.allCases[1 + below(6)]
        kinds[id] = kind
        caller.asked = (id, kind)
        let isModern = kind != .initialize && below(3) == 0
        let body =
            switch kind {
            case .initialize, .list, .ping: #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(kind.rawValue)"}"#
            case .read, .put, .pay, .plain:
                #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":{"name":"\#(kind.rawValue)"}}"#
            }
        caller.client.ask(
            .post(body, session: isModern ? nil : caller.session, version: isModern ? "2026-07-28" : nil))
    }

    private func judge(_ caller: Caller) {
        if caller.client.isBroken { return note("broken bytes") }
        guard let (id, kind) = caller.asked else { return }
        guard caller.client.responses.count > caller.answered else {
            let current = caller.client.current
            if current.status == 200 { judgeAnswers(current.text, id, isWhole: false) }
            if caller.client.isOver { count("broken off", kind) }
            return
        }
        let response = caller.client.responses[caller.answered]
        caller.answered += 1
        caller.asked = nil
        count("\(response.status)", kind)
        guard response.status == 200 else {
            if ![404, 502, 503, 504].contains(response.status) { note("status \(response.status) for call \(id)") }
            if response.status == 404 { caller.session = nil }
            return
        }
        judgeAnswers(response.text, id, isWhole: true)
        if kind == .initialize, let session = response["mcp-session-id"] { caller.session = session }
    }

    /// Every call is answered once, and with its own id.
    private func judgeAnswers(_ text: String, _ id: Int, isWhole: Bool) {
        let messages = text.split(whereSeparator: \.isNewline).filter {
            $0.contains("\"jsonrpc\":\"2.0\",\"id\":") && ($0.contains("\"result\":") || $0.contains("\"error\":"))
        }
        if messages.count > 1 { note("call \(id) was answered \(messages.count) times") }
        if isWhole, messages.isEmpty { note("call \(id) was not answered: \(text)") }
        if let answer = messages.first, RetryStorm.id(String(answer)) != id { note("call \(id) got \(answer)") }
        if text.contains("event: message\ndata: {\"jsonrpc\""), isWhole { count("told within the stream", nil) }
    }

    private func count(_ what: String, _ kind: Kind?) {
        answers[what, default: 0] += 1
        if let kind { answers["\(what) \(kind)", default: 0] += 1 }
    }

    func finish() {
        for server in servers { server.listen() }
        stage.run(for: .seconds(20))
        for caller in callers { judge(caller) }
        for caller in callers where caller.asked != nil && !caller.client.isOver {
            note("call \(caller.asked?.id ?? 0) waits for ever")
        }
        for caller in callers { caller.client.leave() }
        stage.run(for: .seconds(100))
    }
}
