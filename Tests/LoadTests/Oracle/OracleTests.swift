import Reactor
import Testing

@testable import Load

@Suite("Oracle")
struct OracleTests {
    /// An event of a session: a failed call, or an answered one, perhaps with a replica and a count.
    enum Event: Sendable {
        case failure
        case answer
        case result(UInt16, UInt64)
    }

    @Test(
        "Finds results of another replica or with a wrong count",
        arguments: [
            ([Event.result(0, 1), .result(0, 2)], [WrongAnswer]()),
            ([.answer, .result(0, 2)], []),
            ([.result(0, 1), .result(0, 1)], [.miscounted]),
            ([.result(0, 1), .result(0, 3)], [.miscounted]),
            ([.result(0, 0)], [.miscounted]),
            // Each result is compared with the one before, so that one error is counted once.
            ([.result(0, 1), .result(0, 3), .result(0, 4)], [.miscounted]),
            ([.result(0, 1), .result(1, 1)], [.strayed]),
            ([.result(0, 1), .result(1, 1), .result(0, 2)], [.strayed]),
            ([.result(0, 1), .result(1, 9), .result(0, 3)], [.strayed]),
            ([.result(0, 1), .result(1, 1), .result(0, 4)], [.strayed, .miscounted]),
            // A failed call may be counted, at any later time, or not at all.
            ([.failure, .result(0, 1)], []),
            ([.failure, .result(0, 2)], []),
            ([.failure, .result(0, 3)], [.miscounted]),
            ([.failure, .result(0, 2), .result(0, 3)], []),
            ([.failure, .result(0, 1), .result(0, 3)], []),
            ([.failure, .result(0, 2), .result(0, 4)], [.miscounted]),
            ([.failure, .failure, .result(0, 2), .result(0, 4), .result(0, 5)], []),
        ])
    func session(_ events: [Event], _ expected: [WrongAnswer]) {
        var oracle = SessionOracle()
        var found: [WrongAnswer] = []
        for event in events {
            switch event {
            case .failure: oracle.failed()
            case .answer: oracle.answered()
            case .result(let replica, let count):
                if let wrong = oracle.answered(by: replica, count: count) { found.append(wrong) }
            }
        }
        #expect(found == expected)
    }

    @Test(
        "Counts skipped and repeated events",
        arguments: [
            ([1, 2, 3] as [UInt64], 0 as UInt64, 0 as UInt64), ([7, 8, 9], 0, 0), ([1, 3], 1, 0), ([1, 5, 6], 3, 0),
            ([1, 1], 0, 1), ([1, 2, 1, 3], 0, 1), ([1, 3, 2, 4], 1, 1),
        ])
    func stream(_ numbers: [UInt64], _ gaps: UInt64, _ duplicates: UInt64) {
        var oracle = StreamOracle()
        var found: [WrongAnswer: UInt64] = [:]
        for number in numbers {
            if let (kind, count) = oracle.receive(number) { found[kind, default: 0] += count }
        }
        #expect(found[.gap] ?? 0 == gaps)
        #expect(found[.duplicate] ?? 0 == duplicates)
    }

    @Test(
        "Finds the kind, id and error of a message",
        arguments: [
            (#"{"jsonrpc":"2.0","id":7,"result":{}}"#, AnswerFacts.Kind.answer, 7 as UInt64?, false),
            (#" { "id" : 7 , "result" : { "isError" : true } , "jsonrpc" : "2.0" } "#, .answer, 7, true),
            (#"{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"}{"}}"#, .answer, 7, true),
            (#"{"jsonrpc":"2.0","id":"7","result":{}}"#, .answer, nil, false),
            (#"{"jsonrpc":"2.0","id":null,"error":{}}"#, .answer, nil, true),
            (#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#, .ask, nil, false),
            (#"{"jsonrpc":"1.0","id":7,"result":{}}"#, .malformed, 7, false),
            (#"{"jsonrpc":"2.0","id":7}"#, .malformed, 7, false),
            (#"{"jsonrpc":"2.0","id":7,"result":{}"#, .malformed, 7, false),
            (#"{"jsonrpc":"2.0","id":7,"result":{}}}"#, .malformed, 7, false),
            (#"[{"jsonrpc":"2.0","id":7,"result":{}}]"#, .malformed, nil, false),
            ("", .malformed, nil, false), ("{", .malformed, nil, false), (#"{"id":"#, .malformed, nil, false),
            (#"{"id":"\"#, .malformed, nil, false), ("<html>", .malformed, nil, false),
        ])
    func facts(_ text: String, _ kind: AnswerFacts.Kind, _ id: UInt64?, _ isError: Bool) {
        let facts = AnswerFacts(Array(text.utf8).span)
        #expect(facts.kind == kind)
        #expect(facts.id == id)
        #expect(facts.isError == isError)
    }

    @Test("Every prefix of a response is malformed")
    func prefixes() {
        let text = Array(
            #"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"\"a\""},3],"isError":false}}"#.utf8)
        for count in 0..<text.count {
            #expect(AnswerFacts(text.span.extracting(0..<count)).kind == .malformed)
        }
        #expect(AnswerFacts(text.span).kind == .answer)
    }

    @Test(
        "Finds replica and count in the result of whoami",
        arguments: [
            (#"{\"replica\":\"a\",\"calls\":12}"#, "a" as String?, 12 as UInt64?),
            (#"{\"replica\": \"r-2\", \"calls\": 3}"#, "r-2", 3), (#"{\"replica\":\"a\"}"#, nil, nil),
            (#"{\"replica\":\"a\",\"calls\":x}"#, nil, nil), (#"{\"replica\":\"a"#, nil, nil), ("hello", nil, nil),
            ("", nil, nil),
        ])
    func whoami(_ text: String, _ replica: String?, _ calls: UInt64?) {
        let bytes = Array(text.utf8)
        let found = WhoamiResult(bytes.span, 0..<bytes.count)
        #expect(found.map { String(decoding: bytes[$0.replica], as: UTF8.self) } == replica)
        #expect(found?.calls == calls)
    }

    @Test(
        "Checks a text wherever it is split",
        arguments: [
            ("abcdefghijklmnopqrstuvwxyzabc", 29 as UInt64, false), ("", 0, false), ("abd", 3, true), ("b", 1, true),
            ("abcdefghijklmnopqXstuvwxyzabc", 29, true), ("bcdefghijklmnopqrstuvwxyza", 26, true),
        ])
    func pattern(_ text: String, _ count: UInt64, _ hasMismatch: Bool) {
        let body = Array(#"{"result":{"x":"text","content":[{"text": "\#(text)"}]}}"#.utf8)
        for cut in 0...body.count {
            var check = PatternCheck()
            var frame = ByteBuffer()
            #expect(check.take(body.span.extracting(0..<cut), frame: &frame))
            #expect(check.take(body.span.extracting(cut..<body.count), frame: &frame))
            #expect(check.count == count)
            #expect(check.hasMismatch == hasMismatch)
            #expect(frame.count == body.count - text.utf8.count)
        }
    }

    @Test(
        "Finds the end of an event with each kind of line ending, and not before it is complete",
        arguments: [
            ("data: a\n\n", 9 as Int?), ("data: a\r\n\r\n", 11), ("data: a\r\r", 9), ("data: a\n", nil),
            ("data: a\r\n\r", nil), ("data: a\r\n", nil), ("", nil), ("data: a\r\ndata: b\r\n\r\nx", 20),
        ])
    func blocks(_ text: String, _ end: Int?) {
        let bytes = Array(text.utf8)
        #expect(EventBlock.end(bytes.span, from: 0) == end)
        guard let end else { return }
        for count in 0..<end { #expect(EventBlock.end(bytes.span.extracting(0..<count), from: 0) == nil) }
        let block = EventBlock(bytes.span.extracting(0..<end))
        #expect(block.data.map { String(decoding: bytes[$0], as: UTF8.self) } == "a")
    }
}
