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
        let pair = SessionPair()
        let body = Array("{\"id\":1}".utf8)
        pair.caller.request(7, lines: "Mcp-Session-Id: s-1\r\nX-Two: 2\r\n", body: body)
        pair.exchange()
        let head = """
            POST /mcp HTTP/1.1\r\nhost: a.example\r\ncontent-type: application/json\r\n\
            accept: application/json, text/event-stream\r\nmcp-session-id: s-1\r\nx-two: 2\r\n\
            transfer-encoding: chunked\r\n\r\n
            """
        #expect(
            pair.server.takeEvents() == [.request(1, head, endsStream: false), .data(1, body), .end(1, trailers: "")])

        pair.server.respond(1, "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n")
        pair.server.respond(1, answer)
        pair.server.write(1, body)
        pair.exchange(pieces: pieces)
        #expect(pair.caller.requests[7]?.isOver == false)
        pair.server.write(1, [1, 2, 3])
        pair.server.endResponse(1, trailers: "x-checksum: 5\r\n")
        pair.exchange(pieces: pieces)
        #expect(
            pair.caller.requests[7]
                == RequestEvents(
                    status: 200, heads: 1, contentType: "text/event-stream", sessionID: "abc", body: body + [1, 2, 3],
                    isEnded: true))
        #expect(pair.caller.streams == 0 && pair.caller.isSound)
    }

    @Test("a request may have another path and no body")
    func otherPath() {
        let pair = SessionPair()
        pair.caller.request(1, form: 1, path: "/messages/?session_id=5")
        pair.caller.request(2, form: 1)
        pair.exchange()
        #expect(
            pair.server.takeEvents() == [
                .request(1, "GET /messages/?session_id=5 HTTP/1.1\r\nhost: a.example\r\n\r\n", endsStream: true),
                .request(3, "GET /mcp HTTP/1.1\r\nhost: a.example\r\n\r\n", endsStream: true),
            ])
    }

    @Test("large bodies arrive whole in both directions, with flow control")
    func largeBodies() {
        var limits = HTTP2ClientLimits()
        limits.initialWindow = 10_000
        limits.connectionWindow = 65_535
        let pair = SessionPair(caller: ClientSessionHarness(limits))
        let body = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        pair.caller.request(1, body: body)
        pair.exchange()
        var received: [UInt8] = []
        for _ in 0..<1_000 where received.count < body.count {
            for case .data(1, let bytes) in pair.server.takeEvents() {
                received += bytes
                pair.server.consumed(stream: 1, bytes.count)
            }
            pair.exchange()
        }
        #expect(received == body)
        pair.server.respond(1, answer)
        pair.server.write(1, body)
        pair.server.endResponse(stream: 1)
        pair.exchange(pieces: 5_000)
        #expect(pair.caller.requests[1]?.body == body)
        #expect(pair.caller.requests[1]?.isEnded == true)
    }

    @Test("an upload that the server does not consume does not delay other requests")
    func stalledUpload() {
        let pair = SessionPair()
        pair.caller.request(1, body: [UInt8](repeating: 1, count: 200_000))
        pair.caller.request(2, body: [2])
        pair.exchange()
        let seen = pair.server.takeEvents()
        #expect(seen.contains(.data(3, [2])))
        pair.server.respond(3, answer, endsStream: true)
        pair.exchange()
        #expect(pair.caller.requests[2]?.isEnded == true)
        #expect(pair.caller.requests[1] == nil)
        #expect(pair.caller.streams == 1)
    }

    @Test(
        "RST_STREAM ends one request and reports its code", arguments: [HTTP2ErrorCode.internalError, .refusedStream])
    func reset(code: HTTP2ErrorCode) {
        let pair = SessionPair()
        for tag in 1...3 { pair.caller.request(UInt32(tag), body: [1]) }
        pair.exchange()
        pair.server.reset(stream: 3, code: code)
        pair.exchange()
        #expect(pair.caller.requests[2] == RequestEvents(reset: code.rawValue))
        #expect(pair.caller.requests[1] == nil && pair.caller.requests[3] == nil)
        #expect(pair.caller.streams == 2 && pair.caller.acceptsRequests)
    }

    @Test("a cancelled request has no more events, sent or not", arguments: [true, false])
    func cancel(isSent: Bool) throws {
        let pair = SessionPair()
        let stream = try #require(pair.caller.request(1, body: [UInt8](repeating: 0, count: 100_000)))
        pair.caller.request(2)
        if isSent { pair.exchange() }
        pair.caller.cancel(stream: stream)
        pair.exchange()
        let seen = pair.server.takeEvents()
        #expect(seen.contains(.reset(1, code: 8)) == isSent)
        pair.server.respond(3, answer, endsStream: true)
        pair.exchange()
        #expect(pair.caller.requests.keys.sorted() == [2])
        #expect(pair.caller.streams == 0)
    }

    @Test("requests beyond GOAWAY's last stream are unprocessed; the others continue")
    func goAway() {
        let pair = SessionPair()
        for tag in 1...4 { pair.caller.request(UInt32(tag), body: [1]) }
        pair.exchange()
        // GOAWAY with last stream 3: requests 3 and 4 were not processed.
        pair.caller.receive(RawFrame(kind: RawFrame.Kind.goAway, payload: fourBytes(3) + fourBytes(0)).bytes)
        #expect(pair.caller.goAways == [0])
        #expect(!pair.caller.acceptsRequests && pair.caller.request(9) == nil)
        #expect(pair.caller.requests == [3: RequestEvents(isUnprocessed: true), 4: RequestEvents(isUnprocessed: true)])
        #expect(!pair.caller.isFinished)

        for stream in [1, 3] as [Int32] { pair.server.respond(stream, answer, endsStream: true) }
        pair.exchange()
        #expect(pair.caller.requests[1]?.isEnded == true && pair.caller.requests[2]?.isEnded == true)
        #expect(pair.caller.isFinished)
    }

    @Test("requests that wait for the stream limit when GOAWAY comes are unprocessed")
    func goAwayBeforeSending() {
        var limits = HTTP2Limits()
        limits.concurrentStreams = 2
        let pair = SessionPair(limits)
        #expect(pair.caller.maximumStreams == 2)
        for tag in 1...5 { pair.caller.request(UInt32(tag), body: [1]) }
        pair.exchange()
        pair.server.goAway(isFinal: false)
        pair.exchange()
        for stream in [1, 3] as [Int32] { pair.server.respond(stream, answer, endsStream: true) }
        pair.exchange()
        for tag in 1...2 as ClosedRange<UInt32> { #expect(pair.caller.requests[tag]?.isEnded == true) }
        for tag in 3...5 as ClosedRange<UInt32> {
            #expect(pair.caller.requests[tag] == RequestEvents(isUnprocessed: true))
        }
        #expect(pair.caller.streams == 0 && pair.caller.isFinished)
    }

    @Test("the end is a request's last event, whichever side ends first")
    func earlyAnswer() {
        var limits = HTTP2Limits()
        limits.discardedBytes = -1
        let pair = SessionPair(limits)
        pair.caller.request(1, body: [UInt8](repeating: 1, count: 200_000))
        pair.exchange()
        // The response is complete before its request: the server declines the rest.
        pair.server.respond(1, answer)
        pair.server.endResponse(stream: 1)
        pair.exchange()
        #expect(
            pair.caller.requests[1]
                == RequestEvents(
                    status: 200, heads: 1, contentType: "text/event-stream", sessionID: "abc", isEnded: true))
        #expect(pair.caller.streams == 0)
    }

    @Test("bytes that are not HTTP/2 end the connection")
    func nonsense() {
        let caller = ClientSessionHarness()
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
        let pair = SessionPair(caller: ClientSessionHarness(limits))
        for tag in 1...2 as ClosedRange<UInt32> { pair.caller.request(tag) }
        pair.exchange()
        let filler = String(repeating: "x", count: 3_000)
        pair.server.respond(1, "HTTP/1.1 200 OK\r\nx-filler: \(filler)\r\n\r\n")
        pair.server.respond(3, answer, endsStream: true)
        pair.exchange()
        #expect(pair.caller.requests[1]?.reset != nil)
        #expect(pair.caller.requests[2]?.isEnded == true)
    }

    @Test("each of many requests, sequential and concurrent, gets its own response")
    func many() {
        let pair = SessionPair()
        for round in 0..<50 as Range<UInt32> {
            for index in 0..<20 as Range<UInt32> {
                let tag = round * 20 + index
                pair.caller.request(
                    tag, lines: "X-Tag: \(tag)\r\n", body: [UInt8](repeating: 1, count: Int(index) * 100))
            }
            pair.exchange()
            for case .request(let stream, let head, _) in pair.server.takeEvents().reversed() {
                let tag = head.split(separator: "x-tag: ")[1].prefix { $0.isNumber }
                pair.server.respond(stream, "HTTP/1.1 200 OK\r\n\r\n")
                pair.server.write(stream, Array(tag.utf8))
                pair.server.endResponse(stream: stream)
            }
            pair.exchange()
        }
        #expect(pair.caller.requests.count == 1_000)
        for (tag, events) in pair.caller.requests {
            #expect(events == RequestEvents(status: 200, heads: 1, body: Array("\(tag)".utf8), isEnded: true))
        }
    }
}

@Suite("HTTP/2: the client's side and mutated responses")
struct HTTP2ClientNoiseTests {
    /// The bytes that a correct server sends for four requests, with GOAWAY at the end.
    private func recorded() -> (bytes: [UInt8], caller: ClientSessionHarness) {
        let caller = ClientSessionHarness()
        let server = ServerSessionHarness()
        for tag in 1...4 as ClosedRange<UInt32> { caller.request(tag, body: [UInt8](repeating: 7, count: 40)) }
        server.receive(caller.send())
        for stream in [1, 3, 5, 7] as [Int32] {
            server.respond(stream, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nmcp-session-id: a\r\n\r\n")
            server.write(stream, [UInt8](repeating: UInt8(stream), count: 30))
            server.endResponse(stream: stream)
        }
        server.goAway(isFinal: true)
        return (server.send(), caller)
    }

    @Test("no change of a few bytes traps or gives a request two ends", arguments: 0..<40 as Range<UInt64>)
    func mutated(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<25 {
            var (bytes, caller) = recorded()
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
            #expect(caller.requests.values.allSatisfy { $0.extra == 0 && $0.heads <= 1 })
            #expect(caller.requests.keys.allSatisfy { 1...4 ~= $0 })
        }
    }

    @Test("without changes all four requests are answered")
    func unchanged() {
        let (bytes, caller) = recorded()
        caller.receive(bytes)
        for tag in 1...4 as ClosedRange<UInt32> {
            #expect(caller.requests[tag]?.body == [UInt8](repeating: UInt8(2 * tag - 1), count: 30))
            #expect(caller.requests[tag]?.isEnded == true)
        }
    }
}
