import Kernel
import SampleServer
import TestSupport
import Testing

@Suite("HTTP behaviour")
struct HTTPBehaviourTests {
    @Test("/healthz, HEAD, unknown paths and methods get their status")
    func plainAnswers() throws {
        try withServer { server in
            let client = try RawClient(server.address)
            client.send(bare("GET", "/healthz"))
            let health = try client.response()
            #expect(health.status == 200 && health.body == "ok" && health.fields["date"]?.hasSuffix(" GMT") == true)
            client.send(bare("HEAD", "/healthz"))
            let head = try client.response(toHead: true)
            #expect(head.status == 200 && head.fields["content-length"] == "2")
            client.send(bare("GET", "/nowhere?x=/mcp"))
            #expect(try client.response().status == 404)
            client.send(bare("PUT"))
            let put = try client.response()
            #expect(put.status == 405 && put.fields["allow"] == "GET, POST, DELETE")
            client.send(bare("HEAD", "/sse"))
            #expect(try client.response(toHead: true).status == 405)
            client.send(bare("POST", "/healthz"))
            #expect(try client.response().status == 405)
        }
    }

    @Test("pipelined requests are answered in order, slow ones included")
    func pipelining() throws {
        try withServer { server in
            let client = try RawClient(server.address)
            let session = try openSession(client)
            var text = ""
            for id in 0..<200 { text += post(call("echo", "{\"text\":\"x\"}", id: "\(id)"), session: session) }
            text += post(call("sleep", "{\"milliseconds\":30}", id: "200"), session: session)
            text += post(call("count", "{\"to\":1}", id: "201"), session: session)
            text += post(call("whoami", id: "202"), session: session)
            client.send(text)
            for id in 0..<200 { #expect(try client.response().body == textResult("\"x\"", id: "\(id)")) }
            #expect(try client.response().body == textResult("\"slept\"", id: "200"))
            #expect(try client.response().body.contains("counted"))
            #expect(try client.response().body.contains("\"id\":202"))
        }
    }

    @Test("a chunked request may come in any pieces", arguments: [1, 2, 7, 1_000])
    func chunkedInPieces(size: Int) throws {
        try withServer { server in
            let client = try RawClient(server.address)
            let session = try openSession(client)
            let body = Array(call("echo", "{\"text\":\"in pieces\"}").utf8)
            var bytes = Array(
                post("", session: session).replacing("Content-Length: 0", with: "Transfer-Encoding: chunked").utf8)
            for start in stride(from: 0, to: body.count, by: 16) {
                let piece = body[start..<min(start + 16, body.count)]
                bytes += Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + Array("\r\n".utf8)
            }
            bytes += Array("0\r\n\r\n".utf8)
            for start in stride(from: 0, to: bytes.count, by: size) {
                client.send(Array(bytes[start..<min(start + size, bytes.count)]))
            }
            #expect(try client.response().body == textResult("\"in pieces\""))
            client.send(bare("GET", "/healthz"))
            #expect(try client.response().body == "ok")
        }
    }

    @Test("a body of 5 MB is echoed; one beyond the limit is refused")
    func largeBodies() throws {
        try withServer { server in
            let client = try RawClient(server.address)
            let session = try openSession(client)
            let text = "\"" + String(repeating: "y", count: 5_000_000) + "\""
            client.send(post(call("echo", "{\"text\":\(text)}"), session: session))
            #expect(try client.response().body == textResult(text))
            client.send(post("", session: session).replacing("Content-Length: 0", with: "Content-Length: 99999999"))
            #expect(try client.response().status == 413)
            try client.expectClosed()
        }
    }

    @Test("Expect: 100-continue is answered before the body comes")
    func expectContinue() throws {
        try withServer { server in
            let client = try RawClient(server.address)
            let body = initialize()
            let whole = post(body, extra: ["Expect: 100-continue"])
            client.send(String(whole.dropLast(body.count)))
            #expect(try client.head().status == 100)
            client.send(body)
            #expect(try client.response().status == 200)
        }
    }

    @Test("HTTP/1.0 and Connection: close end the connection after the response")
    func closing() throws {
        try withServer { server in
            let old = try RawClient(server.address)
            old.send("GET /healthz HTTP/1.0\r\n\r\n")
            #expect(try old.response().fields["connection"] == "close")
            try old.expectClosed()
            let closing = try RawClient(server.address)
            closing.send(bare("GET", "/healthz", extra: ["Connection: close"]))
            #expect(try closing.response().body == "ok")
            try closing.expectClosed()
            let half = try RawClient(server.address)
            half.send(bare("GET", "/healthz") + bare("GET", "/healthz"))
            half.finish()
            #expect(try half.response().body == "ok")
            #expect(try half.response().body == "ok")
            try half.expectClosed()
        }
    }

    @Test("a client that disconnects cancels its call", arguments: [false, true])
    func disconnect(reset: Bool) throws {
        try withServer("alpha", .init(maximumConnections: 8)) { server in
            // Ten times as many calls as the limit: without cancelling, the later ones would be refused.
            for _ in 0..<80 {
                try eventually {
                    let client = try RawClient(server.address)
                    defer { client.close(reset: reset) }
                    let parameters = "\"name\":\"count\",\"arguments\":{\"to\":9,\"intervalMilliseconds\":600000}"
                    client.send(statelessPost("tools/call", parameters: parameters, name: "count"))
                    #expect(try client.head().status == 200)
                }
            }
            try answersEventually(server)
        }
    }

    @Test("garbage neither crashes nor blocks the server", arguments: 0..<32)
    func garbage(seed: UInt64) throws {
        try withServer { server in
            var random = SeededGenerator(seed: seed)
            let models = [
                post(initialize()), statelessPost("tools/call", parameters: "\"name\":\"echo\"", name: "echo"),
                bare("GET", "/sse"), post(call("bytes", "{\"n\":100000}"), session: String(repeating: "a", count: 32)),
                post(request("ping"), path: "/messages/?session_id=\(String(repeating: "b", count: 32))"),
            ]
            for _ in 0..<24 {
                let client = try RawClient(server.address)
                var bytes = Array(models[Int.random(in: 0..<models.count, using: &random)].utf8)
                for _ in 0..<Int.random(in: 1...12, using: &random) {
                    let place = Int.random(in: 0..<bytes.count, using: &random)
                    switch Int.random(in: 0..<4, using: &random) {
                    case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                    case 1: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
                    case 2: bytes.remove(at: place)
                    default: bytes.removeLast(Int.random(in: 0..<bytes.count / 2, using: &random))
                    }
                }
                client.send(bytes)
                if Bool.random(using: &random) { client.finish() }
                client.close(reset: Bool.random(using: &random))
            }
            try answersEventually(server)
        }
    }

    @Test("deeply nested and malformed JSON is refused")
    func brokenJSON() throws {
        try withServer { server in
            let client = try RawClient(server.address)
            let bodies = [
                String(repeating: "[", count: 100_000), String(repeating: "{\"a\":", count: 10_000),
                "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}}",
                "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",}",
                "{\"jsonrpc\":\"2.0\",\"id\":01,\"method\":\"ping\"}", "\"\\u12", "nul", "-", "1e", "{\"a\" 1}",
                "\u{1}",
            ]
            for body in bodies {
                client.send(post(body))
                let response = try client.response()
                #expect(response.status == 400 && response.body.contains("-32700"))
            }
            client.send(post("").replacing("Content-Length: 0", with: "Content-Length: 2"))
            client.send([0xc3, 0x28])
            #expect(try client.response().body.contains("-32700"))
        }
    }

    @Test("stop closes open streams and pending calls at once")
    func stops() throws {
        let server = try SampleServer(name: "alpha", address: .loopback(port: 0))
        try server.start()
        let (stream, sleeper) = (try RawClient(server.address), try RawClient(server.address))
        stream.send(bare("GET", "/sse"))
        _ = try stream.head()
        _ = try stream.chunk()
        let session = try openSession(sleeper)
        sleeper.send(post(call("sleep", "{\"milliseconds\":600000}"), session: session))
        server.stop()
        server.stop()
        try stream.expectClosed()
        try sleeper.expectClosed()
        #expect(throws: (any Error).self) { try RawClient(server.address).response() }
    }

    @Test("a server that was never started releases its port")
    func neverStarted() throws {
        let address: SocketAddress
        do {
            let server = try SampleServer(name: "alpha", address: .loopback(port: 0))
            address = server.address
            server.stop()
        }
        #expect(throws: (any Error).self) { try RawClient(address) }
    }

    /// Sends requests until a connection is accepted and answered.
    private func answersEventually(_ server: SampleServer) throws {
        try eventually {
            let client = try RawClient(server.address)
            client.send(bare("GET", "/healthz"))
            #expect(try client.response().body == "ok")
        }
    }

    /// Repeats until it does not throw.
    private func eventually(_ attempt: () throws -> Void) throws {
        let deadline = Instant.now() + .seconds(60)
        while true {
            do { return try attempt() } catch { if Instant.now() > deadline { throw error } }
        }
    }
}
