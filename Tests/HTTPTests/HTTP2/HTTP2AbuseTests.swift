import HTTP
import Kernel
import Reactor
import TestSupport
import Testing

@Suite("HTTP/2: abuse")
struct HTTP2AbuseTests {
    /// Small limits, so that a test reaches them.
    private func smallLimits(_ change: (inout HTTP2Limits, HTTP2Rate) -> Void) -> HTTP2Limits {
        var limits = HTTP2Limits()
        change(&limits, HTTP2Rate(perSecond: 10, burst: 20))
        return limits
    }

    private func expectEnhanceYourCalm(
        _ server: ServerSessionHarness, _ verdict: HTTP2Abuse.Limit, _ comment: String = ""
    ) {
        let last = server.sendFrames().last
        #expect(last?.kind == RawFrame.Kind.goAway, "\(comment)")
        #expect(
            last.map { Array($0.payload[4..<8]) } == fourBytes(HTTP2ErrorCode.enhanceYourCalm.rawValue), "\(comment)")
        #expect(server.abuse.exceededLimit == verdict, "\(comment)")
        #expect(server.isFinished, "\(comment)")
        #expect(!server.receive(.headers(99_999, plainGet)), "\(comment)")
        #expect(server.send().isEmpty, "\(comment)")
    }

    /// Expects that twenty frames of one type at once and ten more each second are allowed, and one more is not.
    private func expectBound(
        _ limits: HTTP2Limits, _ verdict: HTTP2Abuse.Limit, _ frame: (Int) -> [UInt8]
    ) {
        let server = ServerSessionHarness.prepared(limits)
        var number = 0
        for second in 0..<3 {
            for _ in 0..<(second == 0 ? 19 : 10) {
                number += 1
                #expect(server.receive(frame(number)), "\(verdict), number \(number)")
                _ = server.send()
            }
            server.now = server.now + .seconds(1)
        }
        var refusedAt = 0
        for extra in 1...40 where refusedAt == 0 {
            number += 1
            if !server.receive(frame(number)) { refusedAt = extra }
            if server.isFinished { refusedAt = extra }
            if refusedAt == 0 { _ = server.send() }
            if server.isFinished { break }
        }
        #expect((10...13).contains(refusedAt), "\(verdict) was refused at \(refusedAt)")
        expectEnhanceYourCalm(server, verdict)
    }

    @Test("rapid resets end the connection")
    func resets() {
        expectBound(smallLimits { $0.resets = $1 }, .resets) { number in
            let stream = UInt32(2 * number - 1)
            return RawFrame.headers(stream, plainGet).bytes + RawFrame.reset(stream).bytes
        }
    }

    @Test("each answered request allows one more reset")
    func paidResets() {
        let server = ServerSessionHarness.prepared(smallLimits { $0.resets = $1 })
        for number in 0..<100 {
            let stream = UInt32(4 * number + 1)
            server.receive(RawFrame.headers(stream, plainGet).bytes + RawFrame.headers(stream + 2, plainGet).bytes)
            server.respond(Int32(stream), "HTTP/1.1 204 No Content\r\n\r\n", endsStream: true)
            _ = server.send()
            #expect(server.receive(.reset(stream + 2)))
        }
        #expect(server.abuse.resets == 100)
    }

    @Test("resets that the client's errors cause count as its own")
    func inducedResets() {
        let server = ServerSessionHarness.prepared(smallLimits { $0.resets = $1 })
        for number in 0..<40 where !server.isFinished {
            let stream = UInt32(2 * number + 1)
            // A window beyond 2^31 - 1 is a stream error (RFC 9113 section 6.9.1).
            let overflow = RawFrame.windowUpdate(stream, by: 0x7fff_ffff)
            server.receive(RawFrame.headers(stream, plainGet).bytes + overflow.bytes)
            if server.abuse.exceededLimit != .none { break }
            let frames = server.sendFrames()
            if server.abuse.exceededLimit == .none {
                #expect(frames == [.reset(stream, code: HTTP2ErrorCode.flowControlError.rawValue)])
                #expect(server.takeEvents().last == .reset(Int32(stream), code: 3))
            } else {
                #expect(frames.last?.kind == RawFrame.Kind.goAway)
            }
        }
        #expect(server.abuse.exceededLimit == .resets)
        #expect(server.isFinished)
    }

    @Test("PING floods end the connection")
    func pings() {
        expectBound(smallLimits { $0.pings = $1 }, .pings) { _ in
            RawFrame(kind: RawFrame.Kind.ping, payload: [UInt8](repeating: 7, count: 8)).bytes
        }
    }

    @Test("a PING is answered")
    func ping() {
        let server = ServerSessionHarness.prepared()
        let payload: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]
        server.receive(RawFrame(kind: RawFrame.Kind.ping, payload: payload))
        let answer = RawFrame(kind: RawFrame.Kind.ping, flags: RawFrame.acknowledgement, payload: payload)
        #expect(server.sendFrames() == [answer])
    }

    @Test("SETTINGS floods end the connection")
    func settings() {
        // The SETTINGS of the preface count too.
        var limits = smallLimits { $0.settings = $1 }
        limits.settings.burst += 1
        expectBound(limits, .settings) { _ in RawFrame(kind: RawFrame.Kind.settings).bytes }
    }

    @Test("DATA frames without data end the connection", arguments: [false, true])
    func emptyData(isPadded: Bool) {
        let limits = smallLimits { $0.emptyData = $1 }
        expectBound(limits, .emptyData) { number in
            let head = number == 1 ? RawFrame.headers(1, plainPost, endsStream: false).bytes : []
            let padded = RawFrame(kind: RawFrame.Kind.data, flags: 8, stream: 1, payload: [3, 0, 0, 0])
            return head + (isPadded ? padded : .data(1, [])).bytes
        }
    }

    @Test("PRIORITY floods end the connection")
    func priorities() {
        expectBound(smallLimits { $0.priorities = $1 }, .priorities) { number in
            let stream = UInt32(2 * number + 1)
            return RawFrame(kind: RawFrame.Kind.priority, stream: stream, payload: [0, 0, 0, 0, 10]).bytes
        }
    }

    @Test(
        "floods of frames of unknown types end the connection, with or without a payload",
        arguments: [0x0a, 0x0c, 0x10, 0x20, 0xff] as [UInt8], [0, 20])
    func unknownFrames(kind: UInt8, length: Int) {
        expectBound(smallLimits { $0.ignoredFrames = $1 }, .ignoredFrames) { number in
            let stream = kind == 0x20 ? UInt32(number) : 0
            return RawFrame(kind: kind, stream: stream, payload: [UInt8](repeating: 7, count: length)).bytes
        }
    }

    @Test("floods of frames on a closed stream end the connection")
    func staleFrames() {
        for frame in [RawFrame.data(1, []), .data(1, [1]), .headers(1, plainGet)] {
            expectBound(smallLimits { $0.ignoredFrames = $1 }, .ignoredFrames) { number in
                let gone =
                    number == 1 ? RawFrame.headers(1, plainPost, endsStream: false).bytes + RawFrame.reset(1).bytes : []
                return gone + frame.bytes
            }
        }
    }

    @Test("each answered request allows two more frames of unknown types")
    func paidUnknownFrames() {
        let server = ServerSessionHarness.prepared(smallLimits { $0.ignoredFrames = $1 })
        for number in 0..<100 {
            let stream = UInt32(2 * number + 1)
            let update = RawFrame(kind: 0x10, payload: fourBytes(stream) + latin1("u=1"))
            #expect(server.receive(update, .headers(stream, plainGet), update))
            server.respond(Int32(stream), "HTTP/1.1 204 No Content\r\n\r\n", endsStream: true)
            _ = server.send()
        }
        #expect(server.abuse.ignoredFrames == 200)
    }

    @Test("errors that end the connection are counted", arguments: [false, true])
    func broken(isField: Bool) {
        let server = ServerSessionHarness.prepared()
        if isField {
            // nghttp2 decodes fields up to 64 KiB. After a failure the connection cannot be decoded any
            // further (RFC 9113 section 4.3).
            let field = RawFrame.literal("x", String(repeating: "a", count: 70_000))
            server.receive(
                RawFrame(kind: RawFrame.Kind.headers, stream: 1, payload: Array(field.prefix(16_000))))
            for start in stride(from: 16_000, to: field.count, by: 16_000) {
                server.receive(
                    RawFrame(
                        kind: RawFrame.Kind.continuation, stream: 1,
                        payload: Array(field.dropFirst(start).prefix(16_000))))
            }
        } else {
            server.receive(.data(5, [1]))
        }
        let last = server.sendFrames().last
        #expect(last?.kind == RawFrame.Kind.goAway)
        let code = isField ? HTTP2ErrorCode.compressionError : .protocolError
        #expect(last.map { Array($0.payload[4..<8]) } == fourBytes(code.rawValue))
        #expect(server.isFinished)
        #expect(server.protocolEvents == [.broken])
    }

    @Test("WINDOW_UPDATE floods end the connection")
    func windowUpdates() {
        expectBound(smallLimits { $0.windowUpdates = $1 }, .windowUpdates) { _ in RawFrame.windowUpdate(0, by: 1).bytes
        }
    }

    @Test("each DATA frame sent allows four more WINDOW_UPDATE frames")
    func paidWindowUpdates() {
        let server = ServerSessionHarness.prepared(smallLimits { $0.windowUpdates = $1 })
        server.receive(.headers(1, plainGet))
        server.respond(1, "HTTP/1.1 200 OK\r\n\r\n")
        for _ in 0..<200 {
            server.write(1, latin1("event"))
            _ = server.send()
            #expect(server.receive(.windowUpdate(0, by: 5), .windowUpdate(1, by: 5)))
        }
        #expect(server.abuse.windowUpdates == 400)
    }

    @Test("DATA frames allow WINDOW_UPDATE frames that come long after them, up to a bound")
    func lateWindowUpdates() {
        for (bound, allowed) in [(UInt32(65_536), 800), (100, 100)] {
            var limits = smallLimits { $0.windowUpdates = $1 }
            limits.windowUpdateAllowance = bound
            let server = ServerSessionHarness.prepared(limits)
            server.receive(.headers(1, plainGet))
            server.respond(1, "HTTP/1.1 200 OK\r\n\r\n")
            for _ in 0..<200 {
                server.write(1, latin1("event"))
                _ = server.send()
            }
            server.now = server.now + .seconds(1)
            var received = 0
            while received < 2000, server.receive(.windowUpdate(0, by: 1)) { received += 1 }
            #expect((allowed + 19...allowed + 21).contains(received), "bound \(bound): \(received)")
            expectEnhanceYourCalm(server, .windowUpdates)
        }
    }

    @Test("a window full of DATA frames of one byte allows as many WINDOW_UPDATE frames for each as come at once")
    func windowUpdatesForSmallFrames() {
        let server = ServerSessionHarness.prepared()
        server.receive(.headers(1, plainGet))
        server.respond(1, "HTTP/1.1 200 OK\r\n\r\n")
        _ = server.send()
        var sent = 0
        for _ in 0..<65_535 {
            server.write(1, [120])
            sent += server.send().count
        }
        #expect(sent == 65_535 * 10)
        // The clock stands still, so only the DATA frames allow them.
        let updates = RawFrame.windowUpdate(0, by: 1).bytes + RawFrame.windowUpdate(1, by: 1).bytes
        var returned = 0
        while returned < 65_535, server.receive(updates) { returned += 1 }
        #expect(returned == 65_535)
        #expect(server.abuse.exceededLimit == .none)
    }

    @Test("a block of too many CONTINUATION frames ends the connection")
    func continuations() {
        let server = ServerSessionHarness.prepared()
        server.receive(RawFrame(kind: RawFrame.Kind.headers, stream: 1, payload: RawFrame.literal(":method", "GET")))
        for number in 1...9 {
            let payload = RawFrame.literal("x\(number)", "y")
            let isFine = server.receive(RawFrame(kind: RawFrame.Kind.continuation, stream: 1, payload: payload))
            #expect(isFine == (number <= 8))
        }
        #expect(server.seen.isEmpty)
        expectEnhanceYourCalm(server, .continuations)
    }

    @Test("CONTINUATION frames of many blocks are limited too")
    func continuationRate() {
        expectBound(smallLimits { $0.continuations = $1 }, .continuations) { number in
            let block = plainGet.flatMap { RawFrame.literal($0.0, $0.1) }
            let stream = UInt32(2 * number - 1)
            return RawFrame(kind: RawFrame.Kind.headers, flags: RawFrame.endStream, stream: stream, payload: block)
                .bytes
                + RawFrame(kind: RawFrame.Kind.continuation, flags: RawFrame.endHeaders, stream: stream).bytes
        }
    }

    @Test("an HPACK bomb ends the connection and is not reported")
    func bomb() {
        let server = ServerSessionHarness.prepared()
        // A field of 3,900 bytes in the dynamic table, then references to it of one byte each: 62 is its index.
        let field = RawFrame.indexed("x-bomb", String(repeating: "b", count: 3_900))
        let block = plainGet.flatMap { RawFrame.literal($0.0, $0.1) } + field
        let bomb = RawFrame(
            kind: RawFrame.Kind.headers, flags: RawFrame.endHeaders | RawFrame.endStream, stream: 1,
            payload: block + [UInt8](repeating: 0x80 | 62, count: 10_000))
        #expect(!server.receive(bomb.bytes))
        #expect(server.seen.isEmpty)
        expectEnhanceYourCalm(server, .headerList)
    }

    @Test("small requests with large heads are processed a few at a time, and their rate is limited")
    func headText() {
        var limits = HTTP2Limits()
        limits.headText = HTTP2Rate(perSecond: 1, burst: 200_000)
        let server = ServerSessionHarness.prepared(limits)
        let head = plainGet.flatMap { RawFrame.indexed($0.0, $0.1) }
        // The table holds 4 096 bytes; the request's own fields are entries 63 to 66 when the large one is 62.
        let large = RawFrame.indexed("x-large", String(repeating: "b", count: 3_000))
        var bytes = RawFrame(
            kind: RawFrame.Kind.headers, flags: RawFrame.endHeaders | RawFrame.endStream, stream: 1,
            payload: head + large
        ).bytes
        let again: [UInt8] = [66, 65, 64, 63].map { 0x80 | $0 } + [UInt8](repeating: 0x80 | 62, count: 15)
        for number in 1..<10 {
            bytes +=
                RawFrame(
                    kind: RawFrame.Kind.headers, flags: RawFrame.endHeaders | RawFrame.endStream,
                    stream: UInt32(2 * number + 1), payload: again
                ).bytes
        }
        // One call processes one request of 45,000 bytes.
        let left = server.receiveOnce(bytes)
        #expect(left > 0)
        #expect(server.seen.count == 2)
        #expect(!server.receive(Array(bytes.suffix(left))))
        #expect(server.seen.count < 7)
        expectEnhanceYourCalm(server, .headText)
    }

    @Test("frames that wait for a client are limited")
    func queuedFrames() {
        var limits = HTTP2Limits()
        limits.pings = HTTP2Rate(perSecond: 1_000_000, burst: 1_000_000)
        limits.queuedFrames = 100
        let server = ServerSessionHarness.prepared(limits)
        let ping = RawFrame(kind: RawFrame.Kind.ping, payload: [UInt8](repeating: 7, count: 8)).bytes
        for _ in 0..<90 { #expect(server.receive(ping)) }
        var count = 90
        while server.receive(ping), count < 200 { count += 1 }
        #expect((99...102).contains(count))
        #expect(server.abuse.exceededLimit == .queuedFrames)
    }

    @Test("repeatedly opening too many streams ends the connection")
    func refusals() {
        var limits = smallLimits { $0.refusals = $1 }
        limits.concurrentStreams = 1
        expectBound(limits, .refusals) { number in
            (number == 1 ? RawFrame.headers(1, plainGet).bytes : [])
                + RawFrame.headers(UInt32(2 * number + 1), plainGet).bytes
        }
    }

    @Test(
        "bytes that are not HTTP/2 end the connection at once",
        arguments: ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"])
    func preface(text: String) {
        let server = ServerSessionHarness()
        #expect(!server.receive(latin1(text)))
        #expect(server.seen.isEmpty)
        _ = server.send()
        #expect(server.isFinished)
    }

    @Test("malformed frames end the connection with GOAWAY and without events")
    func broken() {
        let frames: [(String, RawFrame)] = [
            ("DATA on the connection", .data(0, [1])),
            ("DATA on an idle stream", .data(5, [1])),
            ("HEADERS on an even stream", .headers(2, plainGet)),
            ("HEADERS on the connection", .headers(0, plainGet)),
            ("a short PING", RawFrame(kind: RawFrame.Kind.ping, payload: [1])),
            ("RST_STREAM on an idle stream", .reset(9)),
            ("a lone CONTINUATION", RawFrame(kind: RawFrame.Kind.continuation, stream: 1)),
            (
                "a broken header block",
                RawFrame(kind: RawFrame.Kind.headers, flags: 5, stream: 1, payload: [0xff, 0xff])
            ),
            ("a frame too large", RawFrame(kind: 0x20, payload: [UInt8](repeating: 0, count: 16_385))),
            ("PUSH_PROMISE", RawFrame(kind: 5, flags: 4, stream: 1, payload: [0, 0, 0, 2])),
            ("an odd SETTINGS", RawFrame(kind: RawFrame.Kind.settings, payload: [1, 2, 3])),
            ("a window beyond all bounds", .windowUpdate(0, by: 0x7fff_ffff)),
            ("a padding beyond its frame", RawFrame(kind: 1, flags: 0xd, stream: 1, payload: [200, 1])),
        ]
        for (why, frame) in frames {
            let server = ServerSessionHarness.prepared()
            server.receive(frame)
            #expect(server.sendFrames().last?.kind == RawFrame.Kind.goAway, "\(why)")
            #expect(server.isFinished, "\(why)")
            #expect(server.seen.isEmpty, "\(why)")
        }
    }
}
