import HTTP
import Testing

@Suite("HTTP/2: flow control")
struct HTTP2FlowTests {
    @Test("a response larger than every window arrives whole")
    func large() {
        let line = Line()
        let id = line.client.request()
        line.exchange()
        let body = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        line.server.respond(id, "HTTP/1.1 200 OK\r\n\r\n")
        line.server.write(id, body)
        line.server.finish(stream: id)
        line.exchange()

        #expect(line.client.responses[id]?.body == body)
        #expect(line.client.responses[id]?.isComplete == true)
    }

    @Test("a stream that is not read keeps its bytes and does not stall the others")
    func stalled() {
        let line = Line(client: ClientSide(window: 10_000, reads: false))
        let stalled = line.client.request()
        let other = line.client.request()
        line.exchange()
        for id in [stalled, other] { line.server.respond(id, "HTTP/1.1 200 OK\r\n\r\n") }
        line.server.write(stalled, [UInt8](repeating: 1, count: 30_000))
        line.server.write(other, [UInt8](repeating: 2, count: 9_000))
        line.server.finish(stream: other)
        line.exchange()

        #expect(line.client.responses[stalled]?.body.count == 10_000)
        #expect(line.server.pendingBytes(stream: stalled) == 20_000)
        #expect(line.client.responses[other]?.body.count == 9_000)
        #expect(line.client.responses[other]?.isComplete == true)
        #expect(!line.server.wantsWrite)
        #expect(!line.server.seen.contains(.drained(stalled)))

        line.client.consume(stalled, 10_000)
        line.exchange()
        #expect(line.client.responses[stalled]?.body.count == 20_000)
        #expect(line.server.pendingBytes(stream: stalled) == 10_000)
        #expect(line.server.seen.contains(.drained(stalled)), "less than the mark is left")
        line.client.consume(stalled, 10_000)
        line.exchange()
        #expect(line.server.pendingBytes(stream: stalled) == 0)
        #expect(line.server.seen.filter { $0 == .drained(stalled) }.count == 2)
    }

    @Test("a client may send a window's worth and more only as it is consumed")
    func upload() {
        var limits = HTTP2Limits()
        limits.initialWindow = 20_000
        let line = Line(limits: limits)
        let body = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        let id = line.client.request("POST", "/mcp", [], body: body)
        line.exchange()

        var received: [UInt8] = []
        var rounds = 0
        var isComplete = false
        while received.count < body.count, rounds < 100 {
            rounds += 1
            let seen = line.server.takeSeen()
            isComplete = seen.contains(.end(id, trailers: ""))
            let fresh = seen.reduce(into: [UInt8]()) { if case .data(id, let bytes) = $1 { $0 += bytes } }
            #expect(!fresh.isEmpty && fresh.count <= 20_000)
            received += fresh
            line.server.consumed(stream: id, fresh.count)
            line.exchange()
        }
        #expect(received == body)
        #expect(rounds >= 5)
        #expect(isComplete)
    }

    @Test("what nobody consumed of streams that ended does not shrink the connection's window")
    func leftovers() {
        var limits = HTTP2Limits()
        limits.initialWindow = 40_000
        limits.connectionWindow = 100_000
        let line = Line(limits: limits)
        for round in 0..<20 {
            let id = line.client.request(
                "POST", "/mcp", [], body: [UInt8](repeating: 1, count: 40_000), isLast: round % 2 == 0)
            line.exchange()
            let count = line.server.takeSeen().reduce(0) {
                if case .data(id, let bytes) = $1 { $0 + bytes.count } else { $0 }
            }
            #expect(count == 40_000, "round \(round)")
            switch round % 3 {
            case 0: line.client.cancel(id)
            case 1: line.server.reset(stream: id, code: .cancel)
            default: line.server.respond(id, "HTTP/1.1 200 OK\r\n\r\n", endsStream: true)
            }
            line.exchange()
            line.server.consumed(stream: id, 40_000)
        }
        #expect(line.server.streams == 0)
    }

    @Test("to consume more than there was changes nothing")
    func overConsumed() {
        var limits = HTTP2Limits()
        limits.initialWindow = 20_000
        let line = Line(limits: limits)
        let id = line.client.request("POST", "/mcp", [], body: [UInt8](repeating: 1, count: 60_000))
        line.exchange()
        line.server.consumed(stream: id, 1_000_000)
        line.server.consumed(stream: id, 1_000_000)
        line.server.consumed(stream: id, -5)
        line.server.consumed(stream: 77, 5)
        line.exchange()
        let count = line.server.seen.reduce(0) { if case .data(_, let bytes) = $1 { $0 + bytes.count } else { $0 } }
        #expect(count == 40_000)
    }

    @Test("send stops near its limit, resumes there, and survives streams that end meanwhile")
    func limit() {
        let line = Line(client: ClientSide(window: 1_000_000))
        let ids = (0..<3).map { _ in line.client.request() }
        line.exchange()
        for id in ids {
            line.server.respond(id, "HTTP/1.1 200 OK\r\n\r\n")
            line.server.write(id, [UInt8](repeating: UInt8(id), count: 20_000))
            line.server.finish(stream: id)
        }
        var total = 0
        var rounds = 0
        while line.server.wantsWrite, rounds < 100 {
            rounds += 1
            let bytes = line.server.send(limit: 5_000)
            #expect(bytes.count <= 5_000 + 16_384 + 9)
            total += bytes.count
            line.client.receive(bytes)
            if rounds == 1 {
                line.server.reset(stream: ids[0], code: .cancel)
                line.client.cancel(ids[1])
                line.server.receive(line.client.send())
            }
        }
        #expect(rounds >= 3)
        #expect(line.client.responses[ids[2]]?.body == [UInt8](repeating: UInt8(ids[2]), count: 20_000))
        #expect(line.client.responses[ids[2]]?.isComplete == true)
        #expect(line.client.responses[ids[0]]?.isComplete != true)
        #expect(line.server.streams == 0)
    }

    @Test("what all streams may have waiting is bounded, and none has all of it")
    func credit() {
        var limits = HTTP2Limits()
        limits.bufferedBytes = 100_000
        limits.streamBytes = 20_000
        limits.lowWatermarkBytes = 20_000
        limits.streamFloor = 1_000
        let line = Line(client: ClientSide(window: 0, reads: false), limits: limits)
        let streams = (0..<20).map { _ in line.client.request() }
        line.exchange()
        var given: [Int] = []
        for id in streams {
            line.server.respond(id, "HTTP/1.1 200 OK\r\n\r\n")
            while true {
                let room = line.server.credit(stream: id)
                if room == 0 { break }
                line.server.write(id, [UInt8](repeating: 1, count: room))
            }
            given.append(line.server.pendingBytes(stream: id))
        }
        line.exchange()
        #expect(given.first == 20_000)
        #expect(given.allSatisfy { $0 >= 500 })
        #expect(line.server.bufferedBytes == given.reduce(0, +))
        #expect(line.server.bufferedBytes <= 100_000 + 20 * 1_000)

        // A small reply passes however little is left.
        let late = line.client.request()
        line.exchange()
        #expect(line.server.credit(stream: late) == 1_000)

        // What is reset, or taken, makes room.
        line.server.reset(stream: streams[0], code: .cancel)
        line.exchange()
        #expect(line.server.bufferedBytes == given.dropFirst().reduce(0, +))
        #expect(line.server.credit(stream: late) > 3_000)
    }

    @Test("little may wait beyond what the client's window takes", arguments: [0, 30_000, 1_000_000])
    func roomBeyondWindow(window: Int) {
        let line = Line(client: ClientSide(window: UInt32(window), reads: false))
        let stream = line.client.request()
        line.exchange()
        line.server.respond(stream, "HTTP/1.1 200 OK\r\n\r\n")
        #expect(line.server.credit(stream: stream) == min(window + 16_384, 131_072))
    }
}
