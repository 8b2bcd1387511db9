import HTTP
import TestSupport
import Testing

@Suite("HTTP/2: split and mutated input")
struct HTTP2SplitTests {
    /// Joins consecutive data events of one stream.
    private func joined(_ seen: [RecordedEvent]) -> [RecordedEvent] {
        var result: [RecordedEvent] = []
        for event in seen {
            if case .data(let stream, let more) = event, case .data(stream, let bytes) = result.last {
                result[result.count - 1] = .data(stream, bytes + more)
            } else {
                result.append(event)
            }
        }
        return result
    }

    private static let conversation: [UInt8] = {
        let block = plainPost.flatMap { RawFrame.indexed($0.0, $0.1) } + RawFrame.literal("cookie", "a=1")
        let frames: [RawFrame] = [
            .headers(
                1, plainGet + [("cookie", "x=1"), ("x-long", String(repeating: "l", count: 200)), ("cookie", "y=2")]),
            RawFrame(kind: RawFrame.Kind.headers, flags: 0, stream: 3, payload: Array(block.prefix(30))),
            RawFrame(kind: RawFrame.Kind.continuation, flags: 0, stream: 3, payload: Array(block.dropFirst(30))),
            RawFrame(
                kind: RawFrame.Kind.continuation, flags: RawFrame.endHeaders, stream: 3,
                payload: RawFrame.literal("cookie", "b=2") + RawFrame.literal("x", "y")),
            .data(3, latin1("hello ")), .data(3, latin1("world")),
            .headers(5, plainGet + [("X-Bad", "1")]),
            .headers(3, [("x-trailer", "t")]),
            .headers(7, plainPost + [("content-length", "4")], endsStream: false),
            RawFrame(kind: RawFrame.Kind.ping, payload: [UInt8](repeating: 1, count: 8)),
            .data(7, latin1("four"), endsStream: true),
            .headers(9, plainGet), .reset(9),
        ]
        return RawFrame.preface + frames.flatMap(\.bytes)
    }()

    @Test("a split at any byte has the same result")
    func twoPieces() {
        let whole = ServerSessionHarness()
        whole.receive(Self.conversation)
        let sent = whole.send()
        let seen = joined(whole.takeEvents())
        #expect(seen.count == 9)
        for cut in 0...Self.conversation.count {
            let server = ServerSessionHarness()
            server.receive(Array(Self.conversation.prefix(cut)))
            server.receive(Array(Self.conversation.dropFirst(cut)))
            #expect(server.send() == sent, "cut at \(cut)")
            #expect(joined(server.takeEvents()) == seen, "cut at \(cut)")
            #expect(server.abuse.ignoredFrames == 0, "cut at \(cut)")
        }
    }

    @Test("input byte by byte has the same result")
    func bytewise() {
        let whole = ServerSessionHarness()
        whole.receive(Self.conversation)
        let server = ServerSessionHarness()
        for (place, byte) in Self.conversation.enumerated() {
            #expect(server.receive([byte]), "byte \(place), \(server.abuse.exceededLimit)")
        }
        #expect(server.abuse.ignoredFrames == 0)
        _ = server.send()
        _ = whole.send()
        #expect(joined(server.takeEvents()) == joined(whole.takeEvents()))
    }

    @Test("an exchange in small pieces has the same result", arguments: [1, 2, 7, 100])
    func exchange(pieces: Int) {
        let pair = NGHTTP2Pair()
        let body = (0..<30_000).map { UInt8(truncatingIfNeeded: $0) }
        let id = pair.client.request("POST", "/mcp", [("x", "y")], body: body, trailers: [("x-end", "1")])
        pair.exchange(pieces: pieces)
        let seen = joined(pair.server.takeEvents())
        #expect(Array(seen.suffix(2)) == [.data(id, body), .end(id, trailers: "x-end: 1\r\n")])
    }

    @Test("random frames after a valid beginning never trap", arguments: [UInt64](1...8))
    func noise(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var closed = 0
        for _ in 0..<150 {
            let server = ServerSessionHarness()
            var newest: UInt32 = 1
            server.receive(RawFrame.preface)
            for _ in 0..<Int.random(in: 1...40, using: &random) {
                server.receive(frame(after: &newest, using: &random).bytes)
                for _ in 0..<3 { act(on: server, near: newest, using: &random) }
                if Bool.random(using: &random) { _ = server.send(limit: Int.random(in: 0...20_000, using: &random)) }
            }
            _ = server.send()
            let seen = server.takeEvents()
            for event in seen { if case .closed = event { closed += 1 } }
            expectSound(seen, "seed \(seed)")
        }
        #expect(closed > 10, "most rounds are more than noise")
    }

    @Test("no mutation of a conversation traps or breaks the order of events", arguments: [UInt64](1...8))
    func mutations(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            var bytes = Self.conversation
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
                default: bytes.remove(at: place)
                }
            }
            let cut = Int.random(in: 0...bytes.count, using: &random)
            let server = ServerSessionHarness()
            server.receive(Array(bytes.prefix(cut)))
            act(on: server, near: 7, using: &random)
            server.receive(Array(bytes.dropFirst(cut)))
            _ = server.send()
            expectSound(server.takeEvents(), "seed \(seed)")
        }
    }

    /// A random frame that is often nearly valid.
    private func frame(after newest: inout UInt32, using random: inout SeededGenerator) -> RawFrame {
        // One in twenty is a connection error.
        let isWild = Int.random(in: 0..<20, using: &random) == 0
        let stream = isWild ? UInt32.random(in: 0...9, using: &random) : near(newest, using: &random)
        switch isWild ? 8 : Int.random(in: 0..<7, using: &random) {
        case 0, 1:
            newest += 2
            return .headers(newest, plainPost + [("x", "y")], endsStream: Bool.random(using: &random))
        case 2:
            let count = Int.random(in: 0...100, using: &random)
            return .data(stream, [UInt8](repeating: 0, count: count), endsStream: Bool.random(using: &random))
        case 3: return .windowUpdate(stream, by: UInt32.random(in: 0...70_000, using: &random))
        case 4: return .reset(stream)
        case 5:
            let payload: [UInt8] = [0, 4] + fourBytes(UInt32.random(in: 0...100_000, using: &random))
            return RawFrame(kind: RawFrame.Kind.settings, payload: payload)
        case 6: return .windowUpdate(0, by: UInt32.random(in: 1...70_000, using: &random))
        default:
            let count = Int.random(in: 0...40, using: &random)
            return RawFrame(
                kind: UInt8.random(in: 0...11, using: &random), flags: UInt8.random(in: 0...255, using: &random),
                stream: stream, payload: (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) })
        }
    }

    /// One of the last few streams.
    private func near(_ newest: UInt32, using random: inout SeededGenerator) -> UInt32 {
        newest - min(newest - 1, 2 * UInt32.random(in: 0...3, using: &random))
    }

    /// Makes a random call, often at the wrong time.
    private func act(on server: ServerSessionHarness, near newest: UInt32, using random: inout SeededGenerator) {
        let stream = Int32(near(newest, using: &random))
        switch Int.random(in: 0..<8, using: &random) {
        case 0, 1: server.respond(stream, "HTTP/1.1 200 OK\r\n\r\n", endsStream: Bool.random(using: &random))
        case 2, 3: server.write(stream, [UInt8](repeating: 1, count: Int.random(in: 0...40_000, using: &random)))
        case 4: server.endResponse(stream: stream)
        case 5: server.endResponse(stream, trailers: "x-end: 1\r\n")
        case 6: server.reset(stream: stream, code: .cancel)
        default: server.consumed(stream: stream, Int.random(in: 0...200, using: &random))
        }
    }

    /// Expects a stream's events after its request and none after its end.
    private func expectSound(_ seen: [RecordedEvent], _ comment: String) {
        var open: Set<Int32> = []
        var complete: Set<Int32> = []
        for event in seen {
            switch event {
            case .request(let id, let head, let endsStream):
                #expect(open.insert(id).inserted, "\(comment)")
                if endsStream { complete.insert(id) }
                #expect(read(latin1(head)).outcome == .complete(head.unicodeScalars.count), "\(comment): \(head)")
            case .data(let id, let bytes):
                #expect(open.contains(id) && !complete.contains(id) && !bytes.isEmpty, "\(comment)")
            case .end(let id, _): #expect(open.contains(id) && complete.insert(id).inserted, "\(comment)")
            case .drained(let id): #expect(open.contains(id), "\(comment)")
            case .closed(let id), .reset(let id, _): #expect(open.remove(id) != nil, "\(comment)")
            case .goAway: break
            }
        }
    }
}
