import HTTP
import TestSupport
import Testing

/// Limits that delay or refuse requests and do not end the connection.
@Suite("HTTP/2: limits on one connection's share")
struct HTTP2ShareTests {
    @Test("one call processes a limited number of frames and leaves the rest to the next")
    func framesPerCall() {
        var limits = HTTP2Limits()
        limits.framesPerCall = 10
        let server = ServerSessionHarness.prepared(limits)
        let ping = RawFrame(kind: RawFrame.Kind.ping, payload: [UInt8](repeating: 7, count: 8)).bytes
        let bytes = (0..<25).flatMap { _ in ping }
        #expect(server.receiveOnce(bytes) == 15 * ping.count)
        #expect(server.abuse.pings == 10)
        #expect(server.receiveOnce(Array(bytes.dropFirst(10 * ping.count))) == 5 * ping.count)
        // A header that comes in pieces, and a payload.
        #expect(server.receiveOnce(Array(ping.prefix(5))) == 0)
        #expect(server.receiveOnce(Array(ping.dropFirst(5).prefix(8))) == 0)
        #expect(server.receiveOnce(Array(ping.dropFirst(13))) == 0)
        #expect(server.abuse.pings == 21)
        #expect(server.sendFrames().count == 21)
    }

    @Test("a head counts as sixteen frames, and the frames that follow it are in the same call")
    func headsPerCall() {
        let server = ServerSessionHarness.prepared()
        var pairs: [UInt8] = []
        for stream: UInt32 in stride(from: 1, to: 41, by: 2) {
            pairs += RawFrame.headers(stream, plainGet).bytes
            pairs += RawFrame.reset(stream).bytes
        }
        let pair = pairs.count / 20
        #expect(server.receiveOnce(pairs) == pair)
        #expect(server.receiveOnce(Array(pairs.suffix(pair))) == 0)
        #expect(server.abuse.resets == 20)
    }

    @Test("the heads of all open streams are limited: streams beyond the limit are refused")
    func openHeads() {
        var limits = HTTP2Limits()
        limits.openHeadBytes = 10_000
        let server = ServerSessionHarness.prepared(limits)
        let large = plainGet + [("x", String(repeating: "a", count: 3_000))]
        for number in 0..<5 { server.receive(.headers(UInt32(2 * number + 1), large)) }
        #expect(server.takeEvents().count == 3)
        #expect(server.sendFrames() == [.reset(7, code: 7), .reset(9, code: 7)])
        #expect(server.protocolEvents == [.refused, .refused])
        // Closed streams no longer count.
        server.receive(.reset(1), .headers(11, large))
        #expect(server.takeEvents().count == 2)
        #expect(server.sendFrames().isEmpty)
    }

    @Test("streams beyond the limit are refused, also after the client knows the limit")
    func streams() {
        var limits = HTTP2Limits()
        limits.concurrentStreams = 10
        let early = ServerSessionHarness(limits: limits)
        early.receive(RawFrame.preface + (0..<12).flatMap { RawFrame.headers(UInt32(2 * $0 + 1), plainGet).bytes })
        let frames = early.sendFrames().filter { $0.kind == RawFrame.Kind.reset }
        #expect(frames == [.reset(21, code: 7), .reset(23, code: 7)], "a client that could not know")
        #expect(early.seen.count == 10)
        #expect(early.streams == 10)

        let acknowledgement = RawFrame(kind: RawFrame.Kind.settings, flags: RawFrame.acknowledgement)
        early.receive(
            acknowledgement, .headers(25, plainPost, endsStream: false), .data(25, [1, 2, 3], endsStream: true))
        #expect(early.sendFrames() == [.reset(25, code: 7)], "a client that knows")
        #expect(early.seen.count == 10)
        #expect(early.protocolEvents == [.refused, .refused, .refused])
        #expect(early.abuse.resets == 0)
        // After one has closed another can be opened.
        early.receive(.reset(1), .headers(27, plainGet))
        #expect(early.seen.count == 12)
        #expect(early.streams == 10)
    }
}
