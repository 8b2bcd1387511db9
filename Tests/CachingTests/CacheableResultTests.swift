import Caching
import Kernel
import MCP
import Testing

@Suite("Results that may be kept")
struct CacheableResultTests {
    private func read(
        _ body: String, stream: Bool = false, _ authority: CacheQuestion.Authority = .server
    ) -> CacheableResult? {
        .read(body, isEventStream: stream, authority)
    }

    @Test("a complete result says how long it is good, and for whom")
    func good() throws {
        let shared = try #require(read(Answer.good))
        #expect(shared.ttl == .seconds(60) && shared.isShared)
        let own = try #require(read(Answer.good.replacing("public", with: "private")))
        #expect(!own.isShared)
        let unsaid = try #require(read(Answer.good.replacing(#","cacheScope":"public""#, with: "")))
        #expect(!unsaid.isShared)
        let long = try #require(read(Answer.good.replacing("60000", with: "999999999999999999")))
        #expect(long.ttl == .seconds(3_600), "the ceiling")
    }

    @Test(
        "what is not to be kept",
        arguments: [
            Answer.good.replacing("60000", with: "0"), Answer.good.replacing("60000", with: "-1"),
            Answer.good.replacing("60000", with: "1.5"),
            Answer.good.replacing("60000", with: "1e3"), Answer.good.replacing("60000", with: #""60000""#),
            Answer.good.replacing("60000", with: "99999999999999999999"),
            Answer.good.replacing(#""ttlMs":60000,"#, with: ""),
            Answer.good.replacing("complete", with: "input_required"), Answer.good.replacing("complete", with: "task"),
            Answer.good.replacing(#","resultType":"complete""#, with: ""),
            Answer.good.replacing(#""tools":[]"#, with: #""isError":true"#),
            Answer.good.replacing(#""tools":[]"#, with: #""ttlMs":5"#),
            Answer.good.replacing(#""tools":[]"#, with: #""cacheScope":"private""#),
            Answer.good.replacing(#""id":1"#, with: #""id":1,"error":{}"#),
            Answer.good.replacing(#""id":1"#, with: #""method":"x""#),
            Answer.good.replacing(#""id":1"#, with: #""result":{}"#), String(Answer.good.dropLast()), Answer.good + "x",
            "[\(Answer.good)]", "",
            #"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"x"}}"#,
            #"{"jsonrpc":"2.0","id":1,"result":[]}"#,
        ])
    func refused(body: String) {
        #expect(read(body) == nil)
    }

    @Test("a tool's result, where the operator vouches for it")
    func tools() throws {
        let vouched = CacheQuestion.Authority.vouched(.seconds(9))
        let plain = try #require(read(#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"isError":false}}"#, vouched))
        #expect(plain.ttl == .seconds(9) && plain.isShared && plain.afterTTL == nil)
        #expect(read(#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"isError":true}}"#, vouched) == nil)
        #expect(read(#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required"}}"#, vouched) == nil)
    }

    @Test("an event stream: the answer among notifications; not more than one, and no request of the server")
    func streams() throws {
        let note = "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{}}\n\n"
        let answer = "event: message\ndata: \(Answer.good)\n\n"
        #expect(read(note + answer + note, stream: true) == read(Answer.good))
        #expect(read(answer + answer, stream: true) == nil)
        #expect(read(note, stream: true) == nil)
        #expect(read(String((note + answer).dropLast()), stream: true) == nil, "cut off")
        let request = "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"sampling/createMessage\"}\n\n"
        #expect(read(request + answer, stream: true) == nil)
    }

    @Test("the message has the caller's id and what is left of the time")
    func message() throws {
        let request = #"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#
        let question = try #require(CacheQuestion.read(request, rules: CacheRules())).question
        let start = Instant(nanoseconds: 5_000_000_000)
        let answer = CachedAnswer(question, try #require(read(Answer.good)), fields: [], at: start)
        func text(_ id: String, _ after: Interval) -> String {
            var message: [UInt8] = []
            answer.writeMessage(id: Array(id.utf8).span, at: start + after) { piece in
                for index in piece.indices { message.append(piece[index]) }
            }
            #expect(message.count == answer.messageBytes(idBytes: id.utf8.count, at: start + after))
            return String(decoding: message, as: UTF8.self)
        }
        #expect(
            text(#""x""#, .milliseconds(1_500))
                == Answer.good.replacing(#""id":1"#, with: #""id":"x""#)
                .replacing("60000", with: "58500"))
        #expect(text("7", .seconds(70)).contains(#""ttlMs":0,"#))
        #expect(answer.remaining(at: start + .seconds(59)) == .seconds(1))
        #expect(answer.remaining(at: start + .seconds(60)) == nil)
    }
}
