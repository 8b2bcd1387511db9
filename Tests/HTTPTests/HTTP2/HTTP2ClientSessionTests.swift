import HTTP
import TestSupport
import Testing

@Suite("HTTP/2: the client's side")
struct HTTP2ClientSessionTests {
    private let answer = """
        HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nMcp-Session-Id: abc\r\nX-Other: 1\r\n\r\n
        """

    @Test(
        "a request says what its form says and what is added, and its answer comes whole", arguments: [1, 3, 16, 9_999])
    func roundTrip(pieces: Int) {
        let line = OurLine()
        let body = Array("{\"id\":1}".utf8)
        line.caller.request(7, lines: "Mcp-Session-Id: s-1\r\nX-Two: 2\r\n", body: body)
        line.exchange()
        let head = """
            POST /mcp HTTP/1.1\r\nhost: a.example\r\ncontent-type: application/json\r\n\
            accept: application/json, text/event-stream\r\nmcp-session-id: s-1\r\nx-two: 2\r\n\
            transfer-encoding: chunked\r\n\r\n
            """
        #expect(
            line.server.takeSeen() == [.request(1, head, endsStream: false), .data(1, body), .end(1, trailers: "")])

        line.server.respond(1, "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n")
        line.server.respond(1, answer)
        line.server.write(1, body)
        line.exchange(pieces: pieces)
        #expect(line.caller.told[7]?.isOver == false)
        line.server.write(1, [1, 2, 3])
        line.server.finish(1, trailers: "x-checksum: 5\r\n")
        line.exchange(pieces: pieces)
        #expect(
            line.caller.told[7]
                == Told(
                    status: 200, heads: 1, contentType: "text/event-stream", sessionID: "abc", body: body + [1, 2, 3],
                    isEnded: true))
        #expect(line.caller.streams == 0 && line.caller.isSound)
    }

    @Test("a request may ask for another path, and have no body")
    func otherPath() {
        let line = OurLine()
        line.caller.request(1, form: 1, path: "/messages/?session_id=5")
        line.caller.request(2, form: 1)
        line.exchange()
        #expect(
            line.server.takeSeen() == [
                .request(1, "GET /messages/?session_id=5 HTTP/1.1\r\nhost: a.example\r\n\r\n", endsStream: true),
                .request(3, "GET /mcp HTTP/1.1\r\nhost: a.example\r\n\r\n", endsStream: true),
            ])
    }

    @Test("large bodies go both ways whole, by flow control")
    func largeBodies() {
        var limits = HTTP2ClientLimits()
        limits.initialWindow = 10_000
        limits.connectionWindow = 65_535
        let line = OurLine(caller: CallerSide(limits))
        let body = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        line.caller.request(1, body: body)
        line.exchange()
        var received: [UInt8] = []
        for _ in 0..<1_000 where received.count < body.count {
            for case .data(1, let bytes) in line.server.takeSeen() {
                received += bytes
                line.server.consumed(stream: 1, bytes.count)
            }
            line.exchange()
        }
        #expect(received == body)
        line.server.respond(1, answer)
        line.server.write(1, body)
        line.server.finish(stream: 1)
        line.exchange(pieces: 5_000)
        #expect(line.caller.told[1]?.body == body)
        #expect(line.caller.told[1]?.isEnded == true)
    }

    @Test("an upload that the server does not take holds up nothing else")
    func stalledUpload() {
        let line = OurLine()
        line.caller.request(1, body: [UInt8](repeating: 1, count: 200_000))
        line.caller.request(2, body: [2])
        line.exchange()
        let seen = line.server.takeSeen()
        #expect(seen.contains(.data(3, [2])))
        line.server.respond(3, answer, endsStream: true)
        line.exchange()
        #expect(line.caller.told[2]?.isEnded == true)
        #expect(line.caller.told[1] == nil)
        #expect(line.caller.streams == 1)
    }

    @Test("RST_STREAM ends one request and tells its code", arguments: [HTTP2ErrorCode.internalError, .refusedStream])
    func reset(code: HTTP2ErrorCode) {
        let line = OurLine()
        for tag in 1...3 { line.caller.request(UInt32(tag), body: [1]) }
        line.exchange()
        line.server.reset(stream: 3, code: code)
        line.exchange()
        #expect(line.caller.told[2] == Told(reset: code.rawValue))
        #expect(line.caller.told[1] == nil && line.caller.told[3] == nil)
        #expect(line.caller.streams == 2 && line.caller.takesRequests)
    }

    @Test("a cancelled request is never heard of again, sent or not", arguments: [true, false])
    func cancel(isSent: Bool) throws {
        let line = OurLine()
        let stream = try #require(line.caller.request(1, body: [UInt8](repeating: 0, count: 100_000)))
        line.caller.request(2)
        if isSent { line.exchange() }
        line.caller.cancel(stream: stream)
        line.exchange()
        let seen = line.server.takeSeen()
        #expect(seen.contains(.reset(1, code: 8)) == isSent)
        line.server.respond(3, answer, endsStream: true)
        line.exchange()
        #expect(line.caller.told.keys.sorted() == [2])
        #expect(line.caller.streams == 0)
    }

    @Test("what GOAWAY leaves out was not processed; the rest goes on")
    func goAway() {
        let line = OurLine()
        for tag in 1...4 { line.caller.request(UInt32(tag), body: [1]) }
        line.exchange()
        // GOAWAY, last stream 3: requests 3 and 4 were not looked at.
        line.caller.receive(RawFrame(kind: RawFrame.Kind.goAway, payload: fourBytes(3) + fourBytes(0)).bytes)
        #expect(line.caller.goAways == [0])
        #expect(!line.caller.takesRequests && line.caller.request(9) == nil)
        #expect(line.caller.told == [3: Told(isUnprocessed: true), 4: Told(isUnprocessed: true)])
        #expect(!line.caller.isFinished)

        for stream in [1, 3] as [Int32] { line.server.respond(stream, answer, endsStream: true) }
        line.exchange()
        #expect(line.caller.told[1]?.isEnded == true && line.caller.told[2]?.isEnded == true)
        #expect(line.caller.isFinished)
    }

    @Test("requests that waited for room when GOAWAY came were not processed")
    func goAwayBeforeSending() {
        var limits = HTTP2Limits()
        limits.concurrentStreams = 2
        let line = OurLine(limits)
        #expect(line.caller.maximumStreams == 2)
        for tag in 1...5 { line.caller.request(UInt32(tag), body: [1]) }
        line.exchange()
        line.server.goAway(isFinal: false)
        line.exchange()
        for stream in [1, 3] as [Int32] { line.server.respond(stream, answer, endsStream: true) }
        line.exchange()
        for tag in 1...2 as ClosedRange<UInt32> { #expect(line.caller.told[tag]?.isEnded == true) }
        for tag in 3...5 as ClosedRange<UInt32> { #expect(line.caller.told[tag] == Told(isUnprocessed: true)) }
        #expect(line.caller.streams == 0 && line.caller.isFinished)
    }

    @Test("the last that is said of a request is its end, whatever the order of ends")
    func earlyAnswer() {
        let line = OurLine()
        line.caller.request(1, body: [UInt8](repeating: 1, count: 200_000))
        line.exchange()
        // The answer is complete before its request: the server declines the rest.
        line.server.respond(1, answer)
        line.server.finish(stream: 1)
        line.exchange()
        #expect(
            line.caller.told[1]
                == Told(status: 200, heads: 1, contentType: "text/event-stream", sessionID: "abc", isEnded: true))
        #expect(line.caller.streams == 0)
    }

    @Test("what is not HTTP/2 ends the connection")
    func nonsense() {
        let caller = CallerSide()
        caller.request(1)
        _ = caller.send()
        caller.receive(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
        #expect(!caller.isSound)
        _ = caller.send()
        #expect(caller.isFinished)
    }

    @Test("a head beyond the limit resets its stream and no other")
    func largeHead() {
        var limits = HTTP2ClientLimits()
        limits.headerListBytes = 2_000
        let line = OurLine(caller: CallerSide(limits))
        for tag in 1...2 as ClosedRange<UInt32> { line.caller.request(tag) }
        line.exchange()
        let filler = String(repeating: "x", count: 3_000)
        line.server.respond(1, "HTTP/1.1 200 OK\r\nx-filler: \(filler)\r\n\r\n")
        line.server.respond(3, answer, endsStream: true)
        line.exchange()
        #expect(line.caller.told[1]?.reset != nil)
        #expect(line.caller.told[2]?.isEnded == true)
    }

    @Test("many requests, one after another and at once, keep their answers apart")
    func many() {
        let line = OurLine()
        for round in 0..<50 as Range<UInt32> {
            for index in 0..<20 as Range<UInt32> {
                let tag = round * 20 + index
                line.caller.request(
                    tag, lines: "X-Tag: \(tag)\r\n", body: [UInt8](repeating: 1, count: Int(index) * 100))
            }
            line.exchange()
            for case .request(let stream, let head, _) in line.server.takeSeen().reversed() {
                let tag = head.split(separator: "x-tag: ")[1].prefix { $0.isNumber }
                line.server.respond(stream, "HTTP/1.1 200 OK\r\n\r\n")
                line.server.write(stream, Array(tag.utf8))
                line.server.finish(stream: stream)
            }
            line.exchange()
        }
        #expect(line.caller.told.count == 1_000)
        for (tag, told) in line.caller.told {
            #expect(told == Told(status: 200, heads: 1, body: Array("\(tag)".utf8), isEnded: true))
        }
    }
}

@Suite("HTTP/2: the client's side and a server gone mad")
struct HTTP2ClientNoiseTests {
    /// What an honest server sends for four requests, GOAWAY at the end.
    private func honest() -> (bytes: [UInt8], caller: CallerSide) {
        let caller = CallerSide()
        let server = ServerSide()
        for tag in 1...4 as ClosedRange<UInt32> { caller.request(tag, body: [UInt8](repeating: 7, count: 40)) }
        server.receive(caller.send())
        for stream in [1, 3, 5, 7] as [Int32] {
            server.respond(stream, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nmcp-session-id: a\r\n\r\n")
            server.write(stream, [UInt8](repeating: UInt8(stream), count: 30))
            server.finish(stream: stream)
        }
        server.goAway(isFinal: true)
        return (server.send(), caller)
    }

    @Test("no change of a few bytes brings it down, or gives a request two ends", arguments: 0..<40 as Range<UInt64>)
    func mutated(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<25 {
            var (bytes, caller) = honest()
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: place)
                default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
                }
            }
            var rest = bytes[...]
            while !rest.isEmpty, caller.isSound {
                let count = Int.random(in: 1...60, using: &random)
                caller.receive(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
                _ = caller.send()
            }
            #expect(caller.told.values.allSatisfy { $0.extra == 0 && $0.heads <= 1 })
            #expect(caller.told.keys.allSatisfy { 1...4 ~= $0 })
        }
    }

    @Test("as it was sent, all four are answered")
    func unchanged() {
        let (bytes, caller) = honest()
        caller.receive(bytes)
        for tag in 1...4 as ClosedRange<UInt32> {
            #expect(caller.told[tag]?.body == [UInt8](repeating: UInt8(2 * tag - 1), count: 30))
            #expect(caller.told[tag]?.isEnded == true)
        }
    }
}
