import TestSupport
import Testing

@testable import Redis

/// What a reader makes of bytes: replies with their text, until there are no more, or a fault.
struct ReadReplies: Equatable {
    enum Item: Equatable {
        case reply(RedisReply, text: String)
        case push
    }

    var replies: [Item] = []
    var fault: ReplyFault?
    /// Bytes that are left.
    var rest = 0

    /// Gives a reader the bytes in pieces, as a connection does: what is read is taken away.
    init(_ pieces: [[UInt8]], _ limits: ReplyLimits = ReplyLimits()) {
        var reader = ReplyReader(limits)
        var bytes: [UInt8] = []
        for piece in pieces {
            bytes += piece
            while fault == nil, !bytes.isEmpty {
                let step = reader.next(bytes.span)
                if step == .incomplete { break }
                take(step, &bytes)
            }
        }
        rest = bytes.count
    }

    init(_ text: String) { self.init([Array(text.utf8)]) }

    private mutating func take(_ step: ReplyReader.Step, _ bytes: inout [UInt8]) {
        switch step {
        case .incomplete: break
        case .invalid(let fault): self.fault = fault
        case .push(let end):
            replies.append(.push)
            bytes.removeFirst(end)
        case .reply(let reply, let end):
            let range: Range<Int>? =
                switch reply {
                case .status(let range), .error(_, let range), .bytes(let range), .number(let range): range
                case .integer, .boolean, .null, .elements: nil
                }
            let text = range.map { String(decoding: bytes[$0], as: UTF8.self) } ?? ""
            // Ranges are of the bytes of this reply, and not of interest here.
            replies.append(.reply(reply.withoutRange, text: text))
            bytes.removeFirst(end)
        }
    }
}

extension RedisReply {
    var withoutRange: RedisReply {
        switch self {
        case .status: .status(0..<0)
        case .error(let error, _): .error(error, 0..<0)
        case .bytes: .bytes(0..<0)
        case .number: .number(0..<0)
        case .integer, .boolean, .null, .elements: self
        }
    }
}

@Suite("Replies")
struct ReplyReaderTests {
    static let whole: [(String, RedisReply, String)] = [
        ("+OK\r\n", .status(0..<0), "OK"),
        ("+\r\n", .status(0..<0), ""),
        ("-ERR no\r\n", .error(.other, 0..<0), "ERR no"),
        ("-ERR unknown command 'HELLO'\r\n", .error(.unknownCommand, 0..<0), "ERR unknown command 'HELLO'"),
        ("-NOPROTO unsupported\r\n", .error(.unknownCommand, 0..<0), "NOPROTO unsupported"),
        ("-READONLY You can't write\r\n", .error(.readOnly, 0..<0), "READONLY You can't write"),
        ("-LOADING Redis is loading\r\n", .error(.loading, 0..<0), "LOADING Redis is loading"),
        ("-MASTERDOWN Link\r\n", .error(.masterDown, 0..<0), "MASTERDOWN Link"),
        ("-MOVED 3999 127.0.0.1:6381\r\n", .error(.moved, 0..<0), "MOVED 3999 127.0.0.1:6381"),
        ("-WRONGPASS invalid\r\n", .error(.denied, 0..<0), "WRONGPASS invalid"),
        ("-OOM command not allowed\r\n", .error(.outOfMemory, 0..<0), "OOM command not allowed"),
        (":0\r\n", .integer(0), ""),
        (":-9223372036854775808\r\n", .integer(.min), ""),
        (":+9223372036854775807\r\n", .integer(.max), ""),
        ("$5\r\nhello\r\n", .bytes(0..<0), "hello"),
        ("$0\r\n\r\n", .bytes(0..<0), ""),
        ("$4\r\n\r\n\r\n\r\n", .bytes(0..<0), "\r\n\r\n"),
        ("$-1\r\n", .null, ""),
        ("*-1\r\n", .null, ""),
        ("_\r\n", .null, ""),
        ("#t\r\n", .boolean(true), ""),
        ("#f\r\n", .boolean(false), ""),
        (",3.25\r\n", .number(0..<0), "3.25"),
        (
            "(3492890328409238509324850943850943825024385\r\n", .number(0..<0),
            "3492890328409238509324850943850943825024385"
        ),
        ("!8\r\nOOM full\r\n", .error(.outOfMemory, 0..<0), "OOM full"),
        ("=8\r\ntxt:some\r\n", .bytes(0..<0), "some"),
        ("*0\r\n", .elements(0), ""),
        ("*2\r\n$3\r\nfoo\r\n:1\r\n", .elements(2), ""),
        ("*2\r\n*2\r\n:1\r\n:2\r\n*0\r\n", .elements(2), ""),
        ("%2\r\n+server\r\n$5\r\nredis\r\n+modules\r\n*0\r\n", .elements(4), ""),
        ("~1\r\n_\r\n", .elements(1), ""),
        ("|1\r\n+ttl\r\n:3600\r\n$2\r\nok\r\n", .bytes(0..<0), "ok"),
        ("|0\r\n+OK\r\n", .status(0..<0), "OK"),
        ("*2\r\n:1\r\n|1\r\n+a\r\n+b\r\n:2\r\n", .elements(2), ""),
    ]

    @Test("a reply of each type is read to its end and no further", arguments: whole)
    func types(_ text: String, _ reply: RedisReply, _ content: String) {
        let read = ReadReplies(text + "+next\r\n:")
        #expect(read.fault == nil)
        #expect(read.replies == [.reply(reply, text: content), .reply(.status(0..<0), text: "next")])
        #expect(read.rest == 1)
    }

    @Test("no beginning of a reply is a reply", arguments: whole)
    func prefixes(_ text: String, _ reply: RedisReply, _ content: String) {
        for length in 0..<text.utf8.count {
            let read = ReadReplies([Array(text.utf8.prefix(length))])
            #expect(read.replies == [] && read.fault == nil, "\(length) bytes")
        }
    }

    @Test("what nobody asked for is told from replies")
    func pushes() {
        let read = ReadReplies(">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n+OK\r\n")
        #expect(read.replies == [.push, .reply(.status(0..<0), text: "OK")])
    }

    @Test(
        "what is no reply is said to be none",
        arguments: [
            ("HTTP/1.1 400 Bad Request\r\n", .unknownType(UInt8(ascii: "H"))),
            ("\r\n", .unknownType(13)),
            ("\n", .badEnd),
            ("+O\nK\r\n", .badEnd),
            ("+O\rK\r\n", .badEnd),
            (":\r\n", .badNumber),
            (":-\r\n", .badNumber),
            (":1x\r\n", .badNumber),
            (":9223372036854775808\r\n", .badNumber),
            (":-9223372036854775809\r\n", .badNumber),
            (":99999999999999999999\r\n", .badNumber),
            ("$-2\r\n", .badNumber),
            ("$\r\n", .badNumber),
            ("$?\r\n", .badNumber),
            ("$3\r\nabcd\r\n", .badEnd),
            ("$9999999999999999999\r\n", .tooLong),
            ("$16777216\r\n", .tooLong),
            ("$99999999999999999999\r\n", .badNumber),
            ("!-1\r\n", .badNumber),
            ("%-1\r\n", .badNumber),
            ("*65537\r\n", .tooManyElements),
            ("%40000\r\n", .tooManyElements),
            ("*2\r\n*40000\r\n", .none),
            ("*9999999999999999999\r\n", .tooManyElements),
            ("#x\r\n", .badNumber),
            ("#\r\n", .badNumber),
            ("_x\r\n", .badNumber),
            ("=3\r\ntxt\r\n", .badNumber),
            ("=5\r\ntexts\r\n", .badNumber),
            ("*1\r\n>1\r\n:1\r\n", .misplaced),
            (String(repeating: "*1\r\n", count: 9), .tooDeep),
            (String(repeating: "*1\r\n", count: 8), .none),
        ] as [(String, ReplyFault?)])
    func faults(_ text: String, _ fault: ReplyFault?) {
        #expect(ReadReplies(text).fault == fault)
    }

    @Test("a line, a reply and its elements are bounded, however slowly they come")
    func bounds() {
        var limits = ReplyLimits()
        limits.line = 16
        limits.bytes = 64
        limits.elements = 8
        let line = Array(("+" + String(repeating: "a", count: 40)).utf8)
        #expect(ReadReplies(line.map { [$0] }, limits).fault == .tooLong)
        let values = Array(("*8\r\n" + String(repeating: "$10\r\n0123456789\r\n", count: 8)).utf8)
        #expect(ReadReplies(values.map { [$0] }, limits).fault == .tooLong)
        let nested = Array("*4\r\n*2\r\n:1\r\n:1\r\n*2\r\n:1\r\n:1\r\n*1\r\n".utf8)
        #expect(ReadReplies(nested.map { [$0] }, limits).fault == .tooManyElements)
    }

    @Test("a long value is not looked at again with each piece of it")
    func longValue() {
        let value = [UInt8](repeating: 0x61, count: 4 << 20)
        let bytes = Array("$\(value.count)\r\n".utf8) + value + [13, 10]
        var reader = ReplyReader()
        for end in stride(from: 20, to: bytes.count, by: 4_096) {
            #expect(reader.next(bytes.span.extracting(0..<end)) == .incomplete)
        }
        #expect(reader.next(bytes.span) == .reply(.bytes(10..<10 + value.count), end: bytes.count))
    }

    @Test("however it is cut, the same is read", arguments: 0..<200)
    func splits(_ seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let text = (0..<12).map { _ in Self.whole[Int.random(in: 0..<Self.whole.count, using: &random)].0 }.joined()
        let bytes = Array(text.utf8)
        #expect(ReadReplies(Self.cut(bytes, &random)) == ReadReplies([bytes]))
        #expect(ReadReplies(bytes.map { [$0] }) == ReadReplies([bytes]))
    }

    @Test("however it is broken, it is read alike in pieces, and nothing traps", arguments: 0..<400)
    func mutations(_ seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed) &+ 10_000)
        let text = (0..<6).map { _ in Self.whole[Int.random(in: 0..<Self.whole.count, using: &random)].0 }.joined()
        var bytes = Array(text.utf8)
        for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
            let index = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes.remove(at: index)
            case 2: bytes.insert(Array("$*%|>:-0123456789\r\n".utf8).randomElement(using: &random) ?? 0, at: index)
            default: bytes.removeSubrange(index..<min(bytes.count, index + 5))
            }
        }
        let inPieces = ReadReplies(Self.cut(bytes, &random))
        let atOnce = ReadReplies([bytes])
        #expect(
            inPieces.replies == atOnce.replies && inPieces.fault == atOnce.fault,
            "\(String(decoding: bytes, as: UTF8.self))")
    }

    private static func cut(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = min(rest.count, Int.random(in: 1...9, using: &random))
            pieces.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return pieces
    }
}
