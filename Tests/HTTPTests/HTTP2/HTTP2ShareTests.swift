import HTTP
import TestSupport
import Testing

/// What is taken a piece at a time or refused, and ends no connection.
@Suite("HTTP/2: shares")
struct HTTP2ShareTests {
    @Test("one call takes so many frames and leaves the rest to the next")
    func framesPerCall() {
        var limits = HTTP2Limits()
        limits.framesPerCall = 10
        let server = ServerSide.prepared(limits)
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

    @Test("a head counts as sixteen frames, and what follows it is seen together with it")
    func headsPerCall() {
        let server = ServerSide.prepared()
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

    @Test("heads of all open streams together are bounded: those beyond are refused")
    func openHeads() {
        var limits = HTTP2Limits()
        limits.openHeadBytes = 10_000
        let server = ServerSide.prepared(limits)
        let large = plainGet + [("x", String(repeating: "a", count: 3_000))]
        for number in 0..<5 { server.receive(.headers(UInt32(2 * number + 1), large)) }
        #expect(server.takeSeen().count == 3)
        #expect(server.sendFrames() == [.reset(7, code: 7), .reset(9, code: 7)])
        #expect(server.protocolEvents == [.refused, .refused])
        // What is gone counts no more.
        server.receive(.reset(1), .headers(11, large))
        #expect(server.takeSeen().count == 2)
        #expect(server.sendFrames().isEmpty)
    }

    @Test("more streams than may be are refused, also if the client knows")
    func streams() {
        var limits = HTTP2Limits()
        limits.concurrentStreams = 10
        let early = ServerSide(limits: limits)
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
        // As soon as one has gone there is room for another.
        early.receive(.reset(1), .headers(27, plainGet))
        #expect(early.seen.count == 12)
        #expect(early.streams == 10)
    }
}
