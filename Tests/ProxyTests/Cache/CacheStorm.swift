import Caching
import Kernel
import Simulation
import TestSupport
import Testing

@testable import Proxy

/// Many clients that ask the same few things while servers answer, fail, change their lists and die.
@Suite("Storms on the cache")
struct CacheStormTests {
    @Test(
        "every answer is that of its question, for its caller, and nobody is left",
        arguments: 1...60 as ClosedRange<UInt64>)
    func storm(seed: UInt64) {
        var random = SeededGenerator(seed: seed &* 7_919)
        let cached = CacheStage(seed, servers: 3) {
            $0.staleIfError = random.next() % 2 == 0 ? .seconds(5) : Interval(nanoseconds: 0)
            $0.maximumBytes = random.next() % 2 == 0 ? 4_000 : 1 << 20
        }
        var answers = random.split()
        cached.handler = { message in Self.reply(message, &answers) }
        var clients = (0..<12).map { _ in Asker(cached.stage.connect()) }
        for step in 0..<250 {
            let index = Int(random.next() % UInt64(clients.count))
            let client = clients[index].client
            switch random.next() % 20 {
            case 0 where !client.isOver:
                client.leave()
                clients[index] = Asker(cached.stage.connect())
            case 1: cached.servers[Int(random.next() % 3)].die()
            case 2: for server in cached.servers { server.listen() }
            default:
                guard !client.isOver, client.responses.count == clients[index].expected.count else { break }
                let token = random.next() % 3 == 0 ? nil : "t\(random.next() % 3)"
                let cursor = "c\(random.next() % 4)"
                client.ask(CacheStage.list("\(step)", "tools/list", #"{"cursor":"\#(cursor)"}"#, token: token))
                clients[index].expected.append(Question(id: "\(step)", cursor: cursor, token: token))
            }
            cached.stage.run(for: .milliseconds(random.next() % 120))
            for index in clients.indices { clients[index].checkNew(seed) }
        }
        for server in cached.servers { server.listen() }
        cached.stage.run(for: .seconds(30))
        for var one in clients {
            one.checkNew(seed)
            #expect(one.checked == one.expected.count || one.client.isOver, "somebody waits, seed \(seed)")
            one.client.leave()
        }
        #expect(cached.cache.waiting == 0 && cached.cache.fetches == 0, "seed \(seed)")
        cached.stage.expectNoLeaks()
    }

    /// What a client has asked, in order.
    private struct Question {
        let id: String
        let cursor: String
        let token: String?

        func check(_ answer: Message, _ seed: UInt64) {
            guard answer.status == 200 else { return }
            #expect(answer.id == id, "seed \(seed)")
            let text = answer.text
            guard text.contains("\"result\"") else { return }
            #expect(text.contains("\"cursor\":\"\(cursor)\""), "another question's, seed \(seed)")
            guard text.contains("\"private\"") else { return }
            #expect(text.contains("\"for\":\"\(token ?? "nobody")\""), "another caller's, seed \(seed)")
        }
    }

    private struct Asker {
        let client: ScriptedClient
        var expected: [Question] = []
        /// How many responses were compared with their questions.
        private(set) var checked = 0

        init(_ client: ScriptedClient) { self.client = client }

        mutating func checkNew(_ seed: UInt64) {
            let responses = client.responses
            #expect(responses.count <= expected.count, "an answer to nothing, seed \(seed)")
            for (question, response) in zip(expected, responses).dropFirst(checked) { question.check(response, seed) }
            checked = responses.count
        }
    }

    private static func reply(_ message: Message, _ random: inout SeededGenerator) -> [SimulatedPeer.Action] {
        let id = message.id ?? "null"
        let cursor = message.text.firstMatch(of: /"cursor":"([^"]*)"/).map { String($0.1) } ?? ""
        let token = message["authorization"].map { $0.replacing("Bearer ", with: "") } ?? "nobody"
        let scope = ["c0", "c1"].contains(cursor) ? "public" : "private"
        let ttl = [0, 200, 2_000, 20_000][Int(random.next() % 4)]
        let body =
            #"{"jsonrpc":"2.0","id":\#(id),"result":{"cursor":"\#(cursor)","for":"\#(token)","ttlMs":\#(ttl),"#
            + #""cacheScope":"\#(scope)","resultType":"complete"}}"#
        let pause = SimulatedPeer.Action.pause(.milliseconds(random.next() % 300))
        switch random.next() % 12 {
        case 0: return [pause] + .reply("broken", status: "500 Internal Server Error")
        case 1: return [pause, .reset]
        case 2: return [pause, .text("HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n\(body)"), .close]
        case 3: return [pause] + .reply(#"{"jsonrpc":"2.0","id":\#(id),"error":{"code":-32603,"message":"x"}}"#)
        case 4...6:
            let change = #"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#
            let note = random.next() % 3 == 0 ? "data: \(change)\n\n" : ""
            return [pause] + .stream("\(note)data: \(body)\n\n") + [.lastChunk]
        default: return [pause] + .reply(body)
        }
    }
}
