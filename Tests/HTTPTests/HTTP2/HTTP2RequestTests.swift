import HTTP
import TestSupport
import Testing

/// Header blocks that must not reach a server (RFC 9113 sections 8.2 and 8.3).
private let refused: [(why: String, fields: [(String, String)])] = [
    ("an upper-case name", plainGet + [("X-Upper", "1")]),
    ("an empty name", plainGet + [("", "1")]),
    ("a blank in a name", plainGet + [("a b", "1")]),
    ("a colon in a name", plainGet + [("a:b", "1")]),
    ("CR LF in a name", plainGet + [("a\r\nb", "1")]),
    ("CR in a value", plainGet + [("x", "a\rb")]),
    ("LF in a value", plainGet + [("x", "a\nb")]),
    ("CR LF and a field in a value", plainGet + [("x", "a\r\ntransfer-encoding: chunked")]),
    ("NUL in a value", plainGet + [("x", "a\u{0}b")]),
    ("a control character in a value", plainGet + [("x", "a\u{1}b")]),
    ("DEL in a value", plainGet + [("x", "a\u{7f}b")]),
    ("white space before a value", plainGet + [("x", " a")]),
    ("white space after a value", plainGet + [("x", "a\t")]),
    ("connection", plainGet + [("connection", "close")]),
    ("keep-alive", plainGet + [("keep-alive", "timeout=5")]),
    ("proxy-connection", plainGet + [("proxy-connection", "close")]),
    ("transfer-encoding", plainPost + [("transfer-encoding", "chunked")]),
    ("upgrade", plainGet + [("upgrade", "websocket")]),
    ("te other than trailers", plainGet + [("te", "gzip")]),
    ("a host that differs", plainGet + [("host", "b.example")]),
    ("a host with another scheme's port", plainGet + [("host", "a.example:80")]),
    ("a host with another port", plainGet + [("host", "a.example:8443")]),
    ("two hosts", Array(plainGet.filter { $0.0 != ":authority" }) + [("host", "a"), ("host", "a")]),
    ("no host at all", plainGet.filter { $0.0 != ":authority" }),
    ("an empty authority and no host", plainGet.map { $0.0 == ":authority" ? ($0.0, "") : $0 }),
    ("a blank in the authority", plainGet.map { $0.0 == ":authority" ? ($0.0, "a b") : $0 }),
    ("CR LF in the authority", plainGet.map { $0.0 == ":authority" ? ($0.0, "a\r\nx: y") : $0 }),
    ("no path", plainGet.filter { $0.0 != ":path" }),
    ("no method", plainGet.filter { $0.0 != ":method" }),
    ("no scheme", plainGet.filter { $0.0 != ":scheme" }),
    ("an empty path", plainGet.map { $0.0 == ":path" ? ($0.0, "") : $0 }),
    ("a path without a slash", plainGet.map { $0.0 == ":path" ? ($0.0, "mcp") : $0 }),
    ("a whole URL for a path", plainGet.map { $0.0 == ":path" ? ($0.0, "http://b/") : $0 }),
    (
        "a path without a slash of another scheme",
        [(":method", "GET"), (":scheme", "urn"), (":authority", "a"), (":path", "x")]
    ),
    ("an asterisk of GET", plainGet.map { $0.0 == ":path" ? ($0.0, "*") : $0 }),
    ("a blank in the path", plainGet.map { $0.0 == ":path" ? ($0.0, "/a HTTP/1.1") : $0 }),
    ("CR LF in the path", plainGet.map { $0.0 == ":path" ? ($0.0, "/ HTTP/1.1\r\nx: y\r\n") : $0 }),
    ("a fragment in the path", plainGet.map { $0.0 == ":path" ? ($0.0, "/a#b") : $0 }),
    ("a byte beyond ASCII in the path", plainGet.map { $0.0 == ":path" ? ($0.0, "/\u{e9}") : $0 }),
    ("a blank in the method", plainGet.map { $0.0 == ":method" ? ($0.0, "GET /x") : $0 }),
    ("an empty method", plainGet.map { $0.0 == ":method" ? ($0.0, "") : $0 }),
    ("a pseudo-header field twice", plainGet + [(":path", "/other")]),
    ("a pseudo-header field after others", [plainGet[0], plainGet[1], plainGet[2], ("x", "y"), plainGet[3]]),
    ("an unknown pseudo-header field", plainGet + [(":what", "1")]),
    ("a response's pseudo-header field", plainGet + [(":status", "200")]),
    ("the protocol of an extended CONNECT", plainGet + [(":protocol", "websocket")]),
    ("a content-length that is no number", plainPost + [("content-length", "1a")]),
    ("a negative content-length", plainPost + [("content-length", "-1")]),
    ("two content-lengths", plainPost + [("content-length", "0"), ("content-length", "0")]),
    ("a content-length list", plainPost + [("content-length", "0, 0")]),
    ("a content-length without a body", plainPost + [("content-length", "5")]),
]

@Suite("HTTP/2: from header block to HTTP/1.1 head")
struct HTTP2RequestTests {
    @Test("a malformed request resets its stream and is not reported", arguments: refused.indices)
    func malformed(index: Int) {
        let (why, fields) = refused[index]
        let server = ServerSessionHarness.prepared()
        #expect(server.receive(.headers(1, fields)), "\(why)")
        #expect(server.sendFrames() == [.reset(1, code: HTTP2ErrorCode.protocolError.rawValue)], "\(why)")
        #expect(server.seen.isEmpty, "\(why)")
        #expect(server.abuse.resets == 1 && server.abuse.malformed == 1, "\(why)")
        #expect(server.streams == 0, "\(why)")

        server.receive(.headers(3, plainGet))
        let head = "GET /mcp HTTP/1.1\r\nhost: a.example\r\n\r\n"
        #expect(server.takeEvents() == [.request(3, head, endsStream: true)], "after \(why)")
    }

    @Test("a well-formed request is translated exactly")
    func translations() {
        let table: [(fields: [(String, String)], endsStream: Bool, head: String)] = [
            (plainGet + [("te", "trailers")], true, "GET /mcp HTTP/1.1\r\nhost: a.example\r\n\r\n"),
            (plainGet + [("host", "A.Example")], true, "GET /mcp HTTP/1.1\r\nhost: a.example\r\n\r\n"),
            // RFC 9110 §4.2.2: they differ in the default port alone.
            (plainGet + [("host", "a.example:443")], true, "GET /mcp HTTP/1.1\r\nhost: a.example\r\n\r\n"),
            (plainGet + [("host", "a.example:")], true, "GET /mcp HTTP/1.1\r\nhost: a.example\r\n\r\n"),
            (
                [
                    (":method", "GET"), (":scheme", "http"), (":authority", "[::1]:80"), (":path", "/"),
                    ("host", "[::1]"),
                ],
                true, "GET / HTTP/1.1\r\nhost: [::1]:80\r\n\r\n"
            ),
            (
                plainGet.filter { $0.0 != ":authority" } + [("x", "1"), ("host", "b:1")], true,
                "GET /mcp HTTP/1.1\r\nx: 1\r\nhost: b:1\r\n\r\n"
            ),
            (Array(plainGet.reversed()), true, "GET /mcp HTTP/1.1\r\nhost: a.example\r\n\r\n"),
            (
                plainGet + [("cookie", "a=1"), ("x", "y"), ("cookie", "b=2"), ("cookie", "c=3")], true,
                "GET /mcp HTTP/1.1\r\nhost: a.example\r\nx: y\r\ncookie: a=1; b=2; c=3\r\n\r\n"
            ),
            (
                [(":method", "OPTIONS"), (":scheme", "http"), (":authority", "a"), (":path", "*")], true,
                "OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n"
            ),
            (plainPost, true, "POST /mcp HTTP/1.1\r\nhost: a.example\r\ncontent-length: 0\r\n\r\n"),
            (plainPost, false, "POST /mcp HTTP/1.1\r\nhost: a.example\r\ntransfer-encoding: chunked\r\n\r\n"),
            (plainGet, false, "GET /mcp HTTP/1.1\r\nhost: a.example\r\ntransfer-encoding: chunked\r\n\r\n"),
            (
                plainPost + [("content-length", "7"), ("empty", "")], false,
                "POST /mcp HTTP/1.1\r\nhost: a.example\r\ncontent-length: 7\r\nempty: \r\n\r\n"
            ),
            (plainGet + [("x", "caf\u{e9}")], true, "GET /mcp HTTP/1.1\r\nhost: a.example\r\nx: caf\u{e9}\r\n\r\n"),
            (
                plainGet + [("http2-settings", "AAMAAABkAAQCAAAAAAIAAAAA")], true,
                "GET /mcp HTTP/1.1\r\nhost: a.example\r\n\r\n"
            ),
        ]
        for (fields, endsStream, head) in table {
            let server = ServerSessionHarness.prepared()
            server.receive(.headers(1, fields, endsStream: endsStream))
            #expect(server.takeEvents() == [.request(1, head, endsStream: endsStream)])
            #expect(read(latin1(head)).outcome == .complete(head.unicodeScalars.count), "HTTP/1.1 reads it so")
            #expect(server.notedHeads == 1)
        }
    }

    /// The harness compares each request's noted lines with those of its text.
    @Test("every byte in a name and in a value is noted as the text is parsed")
    func notedBytes() {
        var noted = 0
        for byte in UInt8.min...UInt8.max {
            let character = String(UnicodeScalar(byte))
            let fields = [
                [("x\(character)y", "1")], [("content\(character)length", "0")], [("x", "a\(character)b")],
                [("x", "a\(character)")], [("x", character + "a")], [("x", character)],
            ]
            for field in fields {
                let server = ServerSessionHarness.prepared()
                server.receive(.headers(1, plainGet + field + [("x_forwarded_for", "1"), ("accept", "text/html")]))
                noted += server.notedHeads
            }
        }
        #expect(noted > 900)
    }

    @Test("lines of a block in pieces, and of too many requests, are left to the text")
    func unnotedLines() {
        let server = ServerSessionHarness.prepared()
        let block = RawFrame.headers(1, plainGet + [("x", "1")]).bytes
        server.receive(Array(block[..<(block.count - 1)]))
        server.receive(Array(block[(block.count - 1)...]))
        #expect(server.seen.count == 1 && server.notedHeads == 0)
        // One session's lines are kept until the worker's turn ends, which here it never does.
        let many = (1...100).map { ("x\($0)", "1") }
        for stream in 1...50 {
            server.receive(.headers(UInt32(2 * stream + 1), plainGet + many))
            server.reset(stream: Int32(2 * stream + 1), code: .cancel)
            _ = server.send()
        }
        #expect(server.seen.count == 51 && server.notedHeads == 40)
    }

    @Test("CONNECT is answered by the session itself")
    func connect() {
        let server = ServerSessionHarness.prepared()
        server.receive(.headers(1, [(":method", "CONNECT"), (":authority", "a:1")], endsStream: false))
        let frames = server.sendFrames()
        #expect(frames.map(\.kind) == [RawFrame.Kind.headers, RawFrame.Kind.reset])
        #expect(frames.last == .reset(1, code: 0))
        #expect(server.seen.isEmpty)
        #expect(server.streams == 0)
    }

    /// RFC 9113 section 5.1.1.
    @Test("HEADERS on an identifier that was skipped, or used before, end the connection")
    func lowerStream() {
        let reused = RawFrame.headers(1, plainPost, endsStream: false)
        for (before, late) in [
            ([UInt32(5)], RawFrame.headers(3, plainGet)), ([7], .headers(1, plainGet)), ([1], reused),
            ([1, 3, 9, 11], .headers(5, plainGet)), ([1, 3], reused),
        ] {
            let server = ServerSessionHarness.prepared()
            for stream in before {
                server.receive(.headers(stream, plainGet))
                server.respond(Int32(stream), "HTTP/1.1 200 OK\r\n\r\n", endsStream: true)
            }
            _ = server.send()
            _ = server.takeEvents()
            #expect(!server.receive(late), "\(late.stream) after \(before)")
            #expect(server.sendFrames().last?.kind == RawFrame.Kind.goAway, "\(late.stream) after \(before)")
            #expect(server.takeEvents() == [], "\(late.stream) after \(before)")
        }
    }

    @Test("trailers that were on their way when their stream was reset do no harm")
    func lateTrailers() {
        let server = ServerSessionHarness.prepared()
        server.receive(.headers(1, plainPost, endsStream: false))
        server.receive(.headers(3, plainGet))
        server.reset(stream: 1, code: .cancel)
        _ = server.send()
        _ = server.takeEvents()
        #expect(server.receive(.headers(1, [("x", "y")])))
        #expect(server.receive(.headers(5, plainGet)))
        #expect(server.takeEvents().count == 1)
    }

    /// RFC 9113 section 6.3.
    @Test("PRIORITY on stream 0 ends the connection, on others it is ignored")
    func priority() {
        let payload: [UInt8] = [0, 0, 0, 0, 16]
        let server = ServerSessionHarness.prepared()
        #expect(server.receive(RawFrame(kind: RawFrame.Kind.priority, stream: 3, payload: payload)))
        #expect(!server.receive(RawFrame(kind: RawFrame.Kind.priority, stream: 0, payload: payload)))
        #expect(server.sendFrames().last?.kind == RawFrame.Kind.goAway)
    }

    @Test("a body longer than its content-length is reset before the surplus is reported")
    func surplus() {
        let server = ServerSessionHarness.prepared()
        server.receive(.headers(1, plainPost + [("content-length", "5")], endsStream: false))
        server.receive(.data(1, latin1("hello")), .data(1, latin1("GET /smuggled HTTP/1.1")))
        _ = server.send()
        #expect(Array(server.takeEvents().dropFirst()) == [.data(1, latin1("hello")), .reset(1, code: 1)])
    }

    @Test("a body shorter than its content-length never ends regularly")
    func shortfall() {
        let server = ServerSessionHarness.prepared()
        server.receive(.headers(1, plainPost + [("content-length", "5")], endsStream: false))
        server.receive(.data(1, latin1("hell"), endsStream: true))
        _ = server.send()
        #expect(Array(server.takeEvents().dropFirst()) == [.data(1, latin1("hell")), .reset(1, code: 1)])
    }

    @Test("data after the end of its stream is not reported", arguments: [true, false])
    func afterEnd(isAnswered: Bool) {
        let server = ServerSessionHarness.prepared()
        server.receive(.headers(1, plainGet))
        if isAnswered {
            server.respond(1, "HTTP/1.1 200 OK\r\n\r\n", endsStream: true)
            _ = server.send()
        }
        _ = server.takeEvents()
        server.receive(.data(1, latin1("late")))
        _ = server.send()
        #expect(!server.seen.contains { if case .data = $0 { true } else { false } })
    }

    @Test("trailers with pseudo-header fields reset the stream")
    func pseudoTrailers() {
        let server = ServerSessionHarness.prepared()
        server.receive(.headers(1, plainPost, endsStream: false))
        server.receive(.headers(1, [(":path", "/other")]))
        _ = server.send()
        #expect(server.takeEvents().last == .reset(1, code: 1))
    }

    @Test("a head with one field or byte too many gets a 431, and its body is discarded")
    func large() {
        var limits = HTTP2Limits()
        limits.fields = 10
        limits.headerListBytes = 1_000
        limits.connectionWindow = 65_535
        for fields in [
            (0..<11).map { ("x\($0)", "y") }, [("x", String(repeating: "y", count: 1_000))],
            (0..<40).map { ("x\($0)", "y") },
        ] {
            let server = ServerSessionHarness.prepared(limits)
            server.receive(.headers(1, plainPost + fields, endsStream: false))
            for _ in 0..<3 { server.receive(.data(1, [UInt8](repeating: 1, count: 16_000))) }
            let frames = server.sendFrames()
            #expect(frames.map(\.kind).prefix(1) == [RawFrame.Kind.headers])
            #expect(frames.contains(.reset(1, code: 0)))
            #expect(frames.contains { $0.kind == RawFrame.Kind.windowUpdate && $0.stream == 0 })
            #expect(server.seen.isEmpty)
            #expect(server.abuse.largeHeads == 1)
            #expect(server.streams == 0)
        }
        let server = ServerSessionHarness.prepared(limits)
        server.receive(.headers(1, plainPost + (0..<10).map { ("x\($0)", "y") }, endsStream: false))
        #expect(server.seen.count == 1, "ten are not too many")
    }

    @Test("the client receives the 431")
    func largeSeen() {
        let pair = NGHTTP2Pair()
        let id = pair.client.request("GET", "/", (0..<101).map { ("x-\($0)", "y") })
        pair.exchange()
        #expect(pair.client.responses[id]?.head == [":status: 431", "content-length: 0", "server: berth"])
        #expect(pair.client.responses[id]?.closed == 0)
    }

    @Test("trailers that are too large reset the stream, and the reset is reported")
    func largeTrailers() {
        var limits = HTTP2Limits()
        limits.fields = 10
        let server = ServerSessionHarness.prepared(limits)
        server.receive(.headers(1, plainPost, endsStream: false))
        server.receive(.headers(1, (0..<11).map { ("x\($0)", "y") }))
        _ = server.send()
        #expect(server.takeEvents().last == .reset(1, code: HTTP2ErrorCode.enhanceYourCalm.rawValue))
    }
}
