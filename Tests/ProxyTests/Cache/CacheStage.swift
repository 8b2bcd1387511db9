import Caching
import Kernel
import Simulation

@testable import Proxy

/// A worker whose upstream has a cache, with servers of revision 2026-07-28 that number their answers.
final class CacheStage {
    let stage: ProxyStage
    private(set) var servers: [ScriptedServer] = []
    /// What a server does with a request; by default, what `answer` says.
    var handler: (Message) -> [SimulatedPeer.Action] = { _ in [] }
    var ttl = 60_000
    var scope = "public"
    /// Answers so far.
    private(set) var answers = 0

    init(_ seed: UInt64, servers count: Int = 1, _ change: (inout CacheRules) -> Void = { _ in }) {
        stage = ProxyStage(seed: seed, servers: count)
        var rules = CacheRules()
        rules.listens = false
        change(&rules)
        stage.plan.cache = UpstreamCache(rules)
        handler = { [unowned self] in answer($0) }
        servers = (0..<count).map { index in ScriptedServer(stage, index) { [unowned self] in handler($0) } }
    }

    var cache: CacheStatus { stage.plan.cache?.answers.status ?? CacheStatus() }

    /// Requests that reached a server.
    var asked: Int { servers.reduce(0) { $0 + $1.requests.count } }

    func result(_ number: Int, _ message: Message) -> String {
        let id = message.text.firstMatch(of: /"id":("[^"]*"|\d+)/).map { String($0.1) } ?? "null"
        let token = message["authorization"] ?? "nobody"
        return #"{"jsonrpc":"2.0","id":\#(id),"result":{"answer":\#(number),"for":"\#(token)","ttlMs":\#(ttl),"#
            + #""cacheScope":"\#(scope)","resultType":"complete"}}"#
    }

    func answer(_ message: Message, extra: String = "") -> [SimulatedPeer.Action] {
        answers += 1
        return .reply(result(answers, message), extra: extra)
    }

    /// A request for a list, in revision 2026-07-28.
    static func list(_ id: String = "1", _ method: String = "tools/list", _ params: String = "{}", token: String? = nil)
        -> String
    {
        let uri = params.firstMatch(of: /"uri":"([^"]*)"/).map { "Mcp-Name: \($0.1)\r\n" } ?? ""
        return .post(
            #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":\#(params)}"#, version: "2026-07-28",
            extra: "Mcp-Method: \(method)\r\n\(uri)" + (token.map { "Authorization: Bearer \($0)\r\n" } ?? ""))
    }

    /// Sends a request and waits for its answer.
    func send(_ request: String, on client: ScriptedClient) -> Message {
        let before = client.responses.count
        client.ask(request)
        stage.awaitResponses(before + 1, to: client)
        return client.responses.count > before ? client.responses[before] : Message()
    }

    /// The same on a connection of its own.
    func send(_ request: String) -> Message {
        let client = stage.connect()
        defer { client.leave() }
        return send(request, on: client)
    }
}

extension Message {
    /// The number of the answer in it.
    var number: Int? { text.firstMatch(of: /"answer":(\d+)/).flatMap { Int($0.1) } }
    /// What is left of its time, in milliseconds.
    var ttl: Int? { text.firstMatch(of: /"ttlMs":(\d+)/).flatMap { Int($0.1) } }
    /// The raw id.
    var id: String? { text.firstMatch(of: /"id":("[^"]*"|\d+)/).map { String($0.1) } }
}
