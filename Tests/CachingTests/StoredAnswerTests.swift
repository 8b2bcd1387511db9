import Caching
import Kernel
import TestSupport
import Testing

@Suite("Answers in a store")
struct StoredAnswerTests {
    private func answer(_ ttl: String, scope: String, fields: String) throws -> StoredAnswer {
        let body =
            #"{"jsonrpc":"2.0","id":1,"result":{"tools":[],\#(ttl)"cacheScope":"\#(scope)","resultType":"complete"}}"#
        let result = try #require(CacheableResult.read(body, .vouched(.seconds(60))))
        return StoredAnswer(result, fields: Array(fields.utf8), generation: Array("00ff".utf8))
    }

    @Test("an answer is read as it was written", arguments: ["", #""ttlMs":60000,"#], ["public", "private"])
    func roundTrip(ttl: String, scope: String) throws {
        for fields in ["", "vary: origin\r\n"] {
            let answer = try answer(ttl, scope: scope, fields: fields)
            let bytes = try #require(answer.encoded)
            let read = try #require(StoredAnswer(bytes, remaining: answer.result.ttl))
            #expect(read == answer)
            #expect(StoredAnswer(bytes, remaining: .seconds(3))?.result.ttl == .seconds(3))
        }
    }

    @Test("whatever else stands there is none, and a cut or changed one is none or another one")
    func garbage() throws {
        let bytes = try #require(try answer("", scope: "public", fields: "vary: origin\r\n").encoded)
        for count in 0..<bytes.count {
            #expect(StoredAnswer(Array(bytes.prefix(count)), remaining: .seconds(1)) == nil)
        }
        #expect(StoredAnswer(bytes + [0], remaining: .seconds(1)) == nil)
        var random = SeededGenerator(seed: 1)
        for _ in 0..<20_000 {
            var changed = bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                changed[Int.random(in: 0..<min(60, changed.count), using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            if let read = StoredAnswer(changed, remaining: .seconds(1)) {
                #expect(
                    read.fields.count + read.result.beforeTTL.count + (read.result.afterTTL?.count ?? 0) < bytes.count)
            }
        }
        #expect(StoredAnswer(Array("1 a s 999999 999999 999999\n".utf8), remaining: .seconds(1)) == nil)
    }

    @Test("one that is too long is not put there")
    func length() throws {
        let text = String(repeating: "x", count: StoredAnswer.maximumBytes)
        let body = #"{"jsonrpc":"2.0","id":1,"result":{"v":"\#(text)","resultType":"complete"}}"#
        let result = try #require(CacheableResult.read(body, .vouched(.seconds(60))))
        #expect(StoredAnswer(result, fields: [], generation: [48]).encoded == nil)
    }
}
