import Kernel
import Proxy
import TLS
import TestSupport
import Testing

extension SocketTests {
    @Suite("HTTP/2: requests and responses", .serialized)
    struct HTTP2MessageTests {
        private static let size = 20_000_000

        @Test(
            "ALPN selects a protocol that the client offers, preferably HTTP/2",
            arguments: [
                (["h2"], true), (["h2", "http/1.1"], true), (["http/1.1", "h2"], true), (["http/1.1"], false),
                ([], false),
            ])
        func choice(_ offered: [String], _ isHTTP2: Bool) throws {
            let rig = try Rig.forHTTP2()
            let client = try Client(rig.secure, tls: Certificates.client(protocols: offered))

            #expect((client.applicationProtocol == .http2) == isHTTP2)
            guard isHTTP2 else {
                client.send("GET /one HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try client.response().text == "ok")
                return
            }
            let multiplexed = HTTP2Client(client)
            #expect(try multiplexed.response(multiplexed.get("/one")).text == "ok")
        }

        @Test("a plaintext listener accepts HTTP/2 with prior knowledge, in any pieces, and HTTP/1.1")
        func priorKnowledge() throws {
            let rig = try Rig.forHTTP2()
            let client = try rig.http2(isSecure: false)
            #expect(try client.response(client.get("/one")).text == "ok")

            let slow = try rig.client()
            for byte in "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8 { slow.send([byte]) }
            slow.send(HTTP2Client.frame(HTTP2Client.Frame.settings, stream: 0))
            let first = try slow.take(9)
            #expect(first[3] == HTTP2Client.Frame.settings)

            let plain = try rig.client()
            plain.send("GET /two HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try plain.response().text == "ok")
        }

        @Test("the replica gets the forwarded fields and no connection-specific ones", arguments: [false, true])
        func forwarded(_ isSecure: Bool) throws {
            let rig = try Rig.forHTTP2()
            let client = try rig.http2(isSecure: isSecure)
            let stream = client.open(
                HTTP2Client.head(
                    "GET", "/one?x=1",
                    [
                        HeaderField("te", "trailers"), HeaderField("x-forwarded-for", "6.6.6.6"),
                        HeaderField("x-forwarded-proto", "gopher"), HeaderField("cookie", "a=1"),
                        HeaderField("cookie", "b=2"), HeaderField("x-own", "kept"),
                    ], authority: "mcp.example.com"))
            #expect(try client.response(stream).status == 200)

            let request = try #require(rig.replica.requests.last)
            #expect(request.start == "GET /one?x=1")
            #expect(request.values("host") == ["mcp.example.com"])
            #expect(request.values("x-forwarded-for") == ["127.0.0.1"])
            #expect(request.values("x-forwarded-proto") == [isSecure ? "https" : "http"])
            #expect(request.values("x-forwarded-host") == ["mcp.example.com"])
            #expect(request.values("cookie") == ["a=1; b=2"])
            #expect(request.values("x-own") == ["kept"])
            #expect(Set(request.names).isDisjoint(with: ["te", "connection", "upgrade", "transfer-encoding"]))
        }

        @Test(
            "a response of 20 MB arrives unchanged, with and without a content-length", arguments: [false, true],
            [false, true])
        func download(_ isSecure: Bool, _ isCounted: Bool) throws {
            let rig = try Rig.forHTTP2(answering: { _ in
                isCounted
                    ? [.text("HTTP/1.1 200 OK\r\ncontent-length: \(Self.size)\r\n\r\n"), .pattern(Self.size)]
                    : [.text("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"), .chunkedPattern(Self.size)]
            })
            let client = try rig.http2(isSecure: isSecure)
            client.comparesBodies = true

            let response = try client.response(client.get("/big"))

            #expect(response.status == 200)
            #expect(response.received == Self.size)
            #expect(!client.hasWrongBytes)
            #expect(response.values("transfer-encoding").isEmpty)
            #expect(response.values("content-length") == (isCounted ? ["\(Self.size)"] : []))
            try rig.expectIdle()
        }

        @Test(
            "a request of 20 MB arrives unchanged, with and without a content-length", arguments: [false, true],
            [false, true])
        func upload(_ isSecure: Bool, _ isCounted: Bool) throws {
            let rig = try Rig.forHTTP2(adjusting: { listener, _ in listener.maximumRequestBody = 64 << 20 })
            let client = try rig.http2(isSecure: isSecure)
            let body = Pattern.prefix(Self.size)
            let length = isCounted ? [HeaderField("content-length", "\(body.count)")] : []

            let stream = client.open(HTTP2Client.head("POST", "/up", length), ends: false)
            #expect(try client.send(body, on: stream) == body.count)

            #expect(try client.response(stream).status == 200)
            let request = try #require(rig.replica.requests.last)
            #expect(request.body == body)
            #expect(request.values("content-length") == (isCounted ? ["\(body.count)"] : []))
            #expect(request.values("transfer-encoding") == (isCounted ? [] : ["chunked"]))
            try rig.expectIdle()
        }

        @Test("bodies in frames of one byte, among many other frames, arrive whole", arguments: [false, true])
        func tinyFrames(_ isSecure: Bool) throws {
            let rig = try Rig.forHTTP2()
            let client = try rig.http2(isSecure: isSecure)
            let body = Pattern.prefix(30_000)
            var streams: [UInt32] = []
            // More frames than one turn processes, more bytes than a few reads return, then the end of the connection.
            for _ in 0..<8 {
                let stream = client.open(HTTP2Client.head("POST", "/one"), ends: false)
                streams.append(stream)
                var bytes = HTTP2Client.frame(HTTP2Client.Frame.data, stream: stream, Array(body.prefix(16_000)))
                for byte in body.dropFirst(16_000) {
                    bytes += HTTP2Client.frame(HTTP2Client.Frame.data, stream: stream, [byte])
                }
                bytes += HTTP2Client.frame(HTTP2Client.Frame.data, flags: 1, stream: stream, [7])
                client.client.send(bytes)
            }
            for stream in streams { #expect(try client.response(stream).text == "ok") }
            let requests = rig.replica.requests
            #expect(requests.count == streams.count)
            #expect(requests.allSatisfy { $0.body == body + [7] })
            try rig.expectIdle()
        }

        @Test("twenty concurrent uploads and downloads on one connection do not mix")
        func together() throws {
            let rig = try Rig.forHTTP2(answering: { request in
                [.text("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n"), .pattern(1_000_000)]
            })
            let client = try rig.http2()
            client.comparesBodies = true
            let body = Pattern.prefix(300_000)
            let streams = (0..<20).map { client.open(HTTP2Client.head("POST", "/\($0)"), ends: false) }
            for start in stride(from: 0, to: body.count, by: 50_000) {
                for stream in streams {
                    try client.send(Array(body[start..<start + 50_000]), on: stream, ends: start + 50_000 == body.count)
                }
            }

            for stream in streams { #expect(try client.response(stream).received == 1_000_000) }

            #expect(!client.hasWrongBytes)
            #expect(rig.replica.requests.count == 20)
            let areSame = rig.replica.requests.allSatisfy { $0.body == body }
            #expect(areSame)
            try rig.expectIdle()
        }

        @Test("trailers are forwarded in both directions, except those for framing, routing or identity")
        func trailers() throws {
            let rig = try Rig.forHTTP2(answering: { _ in
                [
                    .text(
                        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n"
                            + "Content-Length: 3\r\nX-More: 2\r\n\r\n")
                ]
            })
            let client = try rig.http2()
            let stream = client.open(HTTP2Client.head("POST", "/t"), ends: false)
            try client.send(Array("hello".utf8), on: stream, ends: false)
            client.sendBlock(
                HeaderBlock.encode([
                    HeaderField("x-mine", "7"), HeaderField("authorization", "Basic eA=="), HeaderField("host", "b"),
                ]), stream: stream, ends: true)

            let response = try client.response(stream)

            #expect(response.text == "hello")
            #expect(response.trailers == [HeaderField("x-sum", "1"), HeaderField("x-more", "2")])
            let request = try #require(rig.replica.requests.last)
            #expect(request.body == Array("hello".utf8))
            #expect(request.trailers == ["x-mine: 7"])
        }

        @Test("responses without a body end their streams", arguments: ["HEAD", "204", "304", "empty"])
        func bodiless(_ kind: String) throws {
            let rig = try Rig.forHTTP2(answering: { request in
                switch request.target {
                case "/204": [.text("HTTP/1.1 204 No Content\r\nx-a: b\r\n\r\n")]
                case "/304": [.text("HTTP/1.1 304 Not Modified\r\ncontent-length: 77\r\netag: \"e\"\r\n\r\n")]
                case "/HEAD": [.text("HTTP/1.1 200 OK\r\ncontent-length: 77\r\n\r\n")]
                default: [.answer("")]
                }
            })
            let client = try rig.http2()

            let response = try client.response(
                client.open(HTTP2Client.head(kind == "HEAD" ? "HEAD" : "GET", "/\(kind)")))

            #expect(response.status == (Int(kind) ?? 200))
            #expect(response.hasEnded && response.body.isEmpty && response.reset == nil)
            #expect(response.values("content-length") == (kind == "204" ? [] : kind == "empty" ? ["0"] : ["77"]))
            // The connection to the replica can be used again.
            #expect(try client.response(client.get("/empty")).status == 200)
            #expect(Set(rig.replica.requests.map(\.connection)).count == 1)
        }

        @Test("interim responses come before the final one, and 100 Continue reaches the client that expects it")
        func informationalCount() throws {
            let rig = try Rig.forHTTP2(answering: { request in
                [
                    .text("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"), .answer("\(request.body.count)"),
                ]
            })
            let client = try rig.http2()
            let early = try client.response(client.get("/hints"))
            #expect(early.informationalCount == [[HeaderField(":status", "103"), HeaderField("link", "</a>")]])
            #expect(early.text == "0")

            let stream = client.open(
                HTTP2Client.head(
                    "POST", "/wait", [HeaderField("content-length", "5"), HeaderField("expect", "100-continue")]),
                ends: false)
            try eventually("the head at the replica") { !rig.replica.leftovers.isEmpty }
            rig.replica.push(.text("HTTP/1.1 100 Continue\r\n\r\n"), to: rig.replica.accepted - 1)
            try client.wait("100") { $0.streams[stream]?.informationalCount.isEmpty == false }
            #expect(client.streams[stream]?.informationalCount.first == [HeaderField(":status", "100")])
            try client.send(Array("12345".utf8), on: stream)
            #expect(try client.response(stream).text == "5")
        }

        @Test("a small body is sent to a server when it is complete")
        func gathered() throws {
            let rig = try Rig.forHTTP2()
            let client = try rig.http2()
            #expect(try client.response(client.get("/one")).text == "ok")
            let accepted = rig.replica.accepted
            var streams: [UInt32] = []
            for number in 0..<50 {
                let stream = client.open(HTTP2Client.head("POST", "/gathered"), ends: false)
                try client.send(Array("\(number)".utf8), on: stream, ends: false)
                streams.append(stream)
            }
            // When this is answered, everything sent before it has been read.
            #expect(try client.response(client.get("/one")).text == "ok")
            #expect(rig.replica.accepted == accepted)
            #expect(rig.replica.leftovers.isEmpty)

            for stream in streams { try client.send(Array(" more".utf8), on: stream) }
            for stream in streams { #expect(try client.response(stream).status == 200) }
            let bodies = rig.replica.requests.filter { $0.start == "POST /gathered" }
                .map { String(decoding: $0.body, as: UTF8.self) }
            #expect(Set(bodies) == Set((0..<50).map { "\($0) more" }))
            try rig.expectIdle()
        }

        @Test("a response before the end of the upload is complete, and the rest of the upload is read, not reset")
        func earlyAnswer() throws {
            let rig = try Rig.forHTTP2()
            let client = try rig.http2()
            let stream = client.open(
                HTTP2Client.head("POST", "/early", [HeaderField("content-length", "1000000")]), ends: false)
            try client.send(Pattern.prefix(10_000), on: stream, ends: false)
            try eventually("the head at the replica") { !rig.replica.leftovers.isEmpty }
            rig.replica.push(.answer("no", status: "403 Forbidden"), to: rig.replica.accepted - 1)

            let response = try client.response(stream)
            #expect(response.status == 403 && response.text == "no" && response.hasEnded)
            // More than any window: what is thrown away counts as consumed.
            try client.send(Pattern.prefix(990_000), on: stream)
            #expect(try client.response(client.get("/after")).text == "ok")
            #expect(client.streams[stream]?.reset == nil)
            #expect(try client.response(client.get("/next")).text == "ok")
            try rig.expectIdle()
        }

        @Test("an upload that announces more than is thrown away is declined without an error")
        func hugeUpload() throws {
            let rig = try Rig.forHTTP2()
            let client = try rig.http2()
            let stream = client.open(
                HTTP2Client.head("POST", "/huge", [HeaderField("content-length", "100000000")]), ends: false)
            try client.wait("that no more is wanted") { $0.streams[stream]?.reset != nil }
            let response = try client.response(stream)
            #expect(response.status == 413 && response.hasEnded && response.reset == 0)
            #expect(try client.response(client.get("/next")).text == "ok")
            try rig.expectIdle()
        }

        @Test("a response before the last, empty frame of a complete upload resets nothing")
        func answerBeforeEnd() throws {
            let rig = try Rig.forHTTP2(adjusting: { listener, _ in listener.idleTimeout = .milliseconds(500) })
            let client = try rig.http2()
            func upload() throws -> UInt32 {
                let stream = client.open(
                    HTTP2Client.head("POST", "/early", [HeaderField("content-length", "5")]), ends: false)
                try client.send(Array("12345".utf8), on: stream, ends: false)
                try client.wait("the answer") { $0.streams[stream]?.hasEnded == true }
                return stream
            }
            let stream = try upload()
            #expect(client.streams[stream]?.status == 200 && client.streams[stream]?.reset == nil)
            try client.send([], on: stream)
            #expect(try client.response(client.get("/next")).text == "ok")
            #expect(client.streams[stream]?.reset == nil)

            // A stream that never ends is closed after a timeout.
            let lazy = try upload()
            try client.wait("the timeout to end") { $0.streams[lazy]?.reset != nil }
            #expect(try client.response(client.get("/last")).text == "ok")
            try rig.expectIdle()
        }

        @Test("error responses of Berth itself are complete")
        func ownAnswers() throws {
            let rig = try Rig.forHTTP2(adjusting: { listener, _ in listener.maximumRequestBody = 1_000 })
            let client = try rig.http2()
            let large = client.open(
                HTTP2Client.head("POST", "/large", [HeaderField("content-length", "1001")]), ends: false)
            #expect(try client.response(large).status == 413)
            let endless = client.open(HTTP2Client.head("POST", "/endless"), ends: false)
            try client.send(Pattern.prefix(2_000), on: endless, ends: false)
            #expect(try client.response(endless).status == 413)
            #expect(try client.response(client.open(HTTP2Client.head("TRACE", "/"))).status == 405)
            #expect(try client.response(client.get("/fine")).status == 200)
            rig.replica.kill()
            try eventually("the parked connection is seen to end") {
                try client.response(client.get("/gone")).status >= 502
            }
            try rig.expectIdle()
        }

        @Test("a session can be used over HTTP/2 and HTTP/1.1")
        func sessions() throws {
            let rig = try Rig.forHTTP2(answering: { request in
                request.values("mcp-session-id").isEmpty
                    ? [.answer("{}", fields: "content-type: application/json\r\nmcp-session-id: s-1\r\n")]
                    : [.answer(request.values("mcp-session-id").joined())]
            })
            let client = try rig.http2()
            let opening = client.open(
                HTTP2Client.head("POST", "/mcp", [HeaderField("content-type", "application/json")]), ends: false)
            try client.send(Array(#"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#.utf8), on: opening)
            let id = try #require(try client.response(opening).values("mcp-session-id").first)
            #expect(id != "s-1")

            let again = client.open(HTTP2Client.head("DELETE", "/mcp", [HeaderField("mcp-session-id", id)]))
            #expect(try client.response(again).text == "s-1")
            let plain = try rig.client()
            plain.send("POST /mcp HTTP/1.1\r\nHost: a\r\nMcp-Session-Id: \(id)\r\nContent-Length: 2\r\n\r\n{}")
            #expect(try plain.response().text == "s-1")
            let unknown = client.open(HTTP2Client.head("DELETE", "/mcp", [HeaderField("mcp-session-id", "unknown")]))
            #expect(try client.response(unknown).status == 404)
        }
    }
}
