import HTTP
import Testing

@Suite("HTTP/2: flow control")
struct HTTP2FlowTests {
    @Test("a response larger than every window arrives whole")
    func large() {
        let pair = NGHTTP2Pair()
        let id = pair.client.request()
        pair.exchange()
        let body = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        pair.server.respond(id, "HTTP/1.1 200 OK\r\n\r\n")
        pair.server.write(id, body)
        pair.server.endResponse(stream: id)
        pair.exchange()

        #expect(pair.client.responses[id]?.body == body)
        #expect(pair.client.responses[id]?.isComplete == true)
    }

    @Test("a stream that the client does not read does not delay others")
    func stalled() {
        let pair = NGHTTP2Pair(client: NGHTTP2Client(window: 10_000, reads: false))
        let stalled = pair.client.request()
        let other = pair.client.request()
        pair.exchange()
        for id in [stalled, other] { pair.server.respond(id, "HTTP/1.1 200 OK\r\n\r\n") }
        pair.server.write(stalled, [UInt8](repeating: 1, count: 30_000))
        pair.server.write(other, [UInt8](repeating: 2, count: 9_000))
        pair.server.endResponse(stream: other)
        pair.exchange()

        #expect(pair.client.responses[stalled]?.body.count == 10_000)
        #expect(pair.server.pendingBytes(stream: stalled) == 20_000)
        #expect(pair.client.responses[other]?.body.count == 9_000)
        #expect(pair.client.responses[other]?.isComplete == true)
        #expect(!pair.server.wantsWrite)
        #expect(!pair.server.seen.contains(.drained(stalled)))

        pair.client.consume(stalled, 10_000)
        pair.exchange()
        #expect(pair.client.responses[stalled]?.body.count == 20_000)
        #expect(pair.server.pendingBytes(stream: stalled) == 10_000)
        #expect(pair.server.seen.contains(.drained(stalled)), "less than the mark is left")
        pair.client.consume(stalled, 10_000)
        pair.exchange()
        #expect(pair.server.pendingBytes(stream: stalled) == 0)
        #expect(pair.server.seen.filter { $0 == .drained(stalled) }.count == 2)
    }

    @Test("a client may send more than its window only as bytes are consumed")
    func upload() {
        var limits = HTTP2Limits()
        limits.initialWindow = 20_000
        let pair = NGHTTP2Pair(limits: limits)
        let body = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        let id = pair.client.request("POST", "/mcp", [], body: body)
        pair.exchange()

        var received: [UInt8] = []
        var rounds = 0
        var isComplete = false
        while received.count < body.count, rounds < 100 {
            rounds += 1
            let seen = pair.server.takeEvents()
            isComplete = seen.contains(.end(id, trailers: ""))
            let fresh = seen.reduce(into: [UInt8]()) { if case .data(id, let bytes) = $1 { $0 += bytes } }
            #expect(!fresh.isEmpty && fresh.count <= 20_000)
            received += fresh
            pair.server.consumed(stream: id, fresh.count)
            pair.exchange()
        }
        #expect(received == body)
        #expect(rounds >= 5)
        #expect(isComplete)
    }

    @Test("unconsumed bytes of closed streams are returned to the connection's window")
    func leftovers() {
        var limits = HTTP2Limits()
        limits.initialWindow = 40_000
        limits.connectionWindow = 100_000
        limits.discardedBytes = -1
        let pair = NGHTTP2Pair(limits: limits)
        for round in 0..<20 {
            let id = pair.client.request(
                "POST", "/mcp", [], body: [UInt8](repeating: 1, count: 40_000), isLast: round % 2 == 0)
            pair.exchange()
            let count = pair.server.takeEvents().reduce(0) {
                if case .data(id, let bytes) = $1 { $0 + bytes.count } else { $0 }
            }
            #expect(count == 40_000, "round \(round)")
            switch round % 3 {
            case 0: pair.client.cancel(id)
            case 1: pair.server.reset(stream: id, code: .cancel)
            default: pair.server.respond(id, "HTTP/1.1 200 OK\r\n\r\n", endsStream: true)
            }
            pair.exchange()
            pair.server.consumed(stream: id, 40_000)
        }
        #expect(pair.server.streams == 0)
    }

    @Test("consuming more than was received has no further effect")
    func overConsumed() {
        var limits = HTTP2Limits()
        limits.initialWindow = 20_000
        let pair = NGHTTP2Pair(limits: limits)
        let id = pair.client.request("POST", "/mcp", [], body: [UInt8](repeating: 1, count: 60_000))
        pair.exchange()
        pair.server.consumed(stream: id, 1_000_000)
        pair.server.consumed(stream: id, 1_000_000)
        pair.server.consumed(stream: id, -5)
        pair.server.consumed(stream: 77, 5)
        pair.exchange()
        let count = pair.server.seen.reduce(0) { if case .data(_, let bytes) = $1 { $0 + bytes.count } else { $0 } }
        #expect(count == 40_000)
    }

    @Test("send stops near its limit and continues there, also after a stream has closed")
    func limit() {
        let pair = NGHTTP2Pair(client: NGHTTP2Client(window: 1_000_000))
        let ids = (0..<3).map { _ in pair.client.request() }
        pair.exchange()
        for id in ids {
            pair.server.respond(id, "HTTP/1.1 200 OK\r\n\r\n")
            pair.server.write(id, [UInt8](repeating: UInt8(id), count: 20_000))
            pair.server.endResponse(stream: id)
        }
        var total = 0
        var rounds = 0
        while pair.server.wantsWrite, rounds < 100 {
            rounds += 1
            let bytes = pair.server.send(limit: 5_000)
            #expect(bytes.count <= 5_000 + 16_384 + 9)
            total += bytes.count
            pair.client.receive(bytes)
            if rounds == 1 {
                pair.server.reset(stream: ids[0], code: .cancel)
                pair.client.cancel(ids[1])
                pair.server.receive(pair.client.send())
            }
        }
        #expect(rounds >= 3)
        #expect(pair.client.responses[ids[2]]?.body == [UInt8](repeating: UInt8(ids[2]), count: 20_000))
        #expect(pair.client.responses[ids[2]]?.isComplete == true)
        #expect(pair.client.responses[ids[0]]?.isComplete != true)
        #expect(pair.server.streams == 0)
    }

    @Test("the pending bytes of all streams are limited, and no stream gets all of the limit")
    func credit() {
        var limits = HTTP2Limits()
        limits.bufferedBytes = 100_000
        limits.streamBytes = 20_000
        limits.lowWatermarkBytes = 20_000
        limits.minimumStreamBytes = 1_000
        let pair = NGHTTP2Pair(client: NGHTTP2Client(window: 0, reads: false), limits: limits)
        let streams = (0..<20).map { _ in pair.client.request() }
        pair.exchange()
        var given: [Int] = []
        for id in streams {
            pair.server.respond(id, "HTTP/1.1 200 OK\r\n\r\n")
            while true {
                let credit = pair.server.credit(stream: id)
                if credit == 0 { break }
                pair.server.write(id, [UInt8](repeating: 1, count: credit))
            }
            given.append(pair.server.pendingBytes(stream: id))
        }
        pair.exchange()
        #expect(given.first == 20_000)
        #expect(given.allSatisfy { $0 >= 500 })
        #expect(pair.server.bufferedBytes == given.reduce(0, +))
        #expect(pair.server.bufferedBytes <= 100_000 + 20 * 1_000)

        // A small response is possible however little is left.
        let late = pair.client.request()
        pair.exchange()
        #expect(pair.server.credit(stream: late) == 1_000)

        // Bytes that are reset or sent free capacity.
        pair.server.reset(stream: streams[0], code: .cancel)
        pair.exchange()
        #expect(pair.server.bufferedBytes == given.dropFirst().reduce(0, +))
        #expect(pair.server.credit(stream: late) > 3_000)
    }

    @Test("only a limited number of bytes may wait beyond the client's window", arguments: [0, 30_000, 1_000_000])
    func creditBeyondWindow(window: Int) {
        let pair = NGHTTP2Pair(client: NGHTTP2Client(window: UInt32(window), reads: false))
        let stream = pair.client.request()
        pair.exchange()
        pair.server.respond(stream, "HTTP/1.1 200 OK\r\n\r\n")
        #expect(pair.server.credit(stream: stream) == min(window + 16_384, 131_072))
    }
}
