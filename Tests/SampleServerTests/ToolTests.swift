import Kernel
import SampleServer
import Testing

@Suite("Tools")
struct ToolTests {
    @Test(
        "echo returns the text unchanged",
        arguments: ["\"\"", "\"plain\"", "\"\\u00e9 \\\"\\\\ \\n\"", "\"\u{1f6a2} ship\""])
    func echo(text: String) throws {
        try withServer { server in
            let client = try RawClient(server.address)
            let session = try openSession(client)
            client.send(post(call("echo", "{\"other\":[{}, null],\"text\": \(text) }", id: "-3"), session: session))
            #expect(try client.response().body == textResult(text, id: "-3"))
        }
    }

    @Test("results are padded with spaces, and longer ones are not changed", arguments: [0, 89, 90, 91, 500])
    func fillsUp(bytes: Int) throws {
        try withServer("alpha", .init(replyBytes: bytes)) { server in
            let client = try RawClient(server.address)
            let session = try openSession(client)
            let result = textResult("\"x\"")
            #expect(result.utf8.count == 90)
            client.send(post(call("echo", "{\"text\":\"x\"}"), session: session))
            let body = try client.response().body
            #expect(body == result + String(repeating: " ", count: max(0, bytes - 90)))
        }
    }

    @Test(
        "the end of a string is found at every offset within a word of eight bytes",
        arguments: Array(0...17), ["\\\"", "\\\\", "\u{7f}", "\u{e9}", "\u{1f6a2}", "!"])
    func strings(length: Int, odd: String) throws {
        try withServer { server in
            let client = try RawClient(server.address)
            let session = try openSession(client)
            for text in [
                String(repeating: "a", count: length) + odd, odd + String(repeating: "#", count: length),
            ] {
                client.send(post(call("echo", "{\"text\":\"\(text)\"}"), session: session))
                #expect(try client.response().body == textResult("\"\(text)\""))
            }
            // A string must not contain a control character (RFC 8259 section 7).
            let raw = String(repeating: "a", count: length) + "\u{1f}bbbbbbbb"
            client.send(post(call("echo", "{\"text\":\"\(raw)\"}"), session: session))
            #expect(try client.response().status == 400)
        }
    }

    @Test("sleep does not delay other calls")
    func sleep() throws {
        try withServer { server in
            let (sleeper, other) = (try RawClient(server.address), try RawClient(server.address))
            let session = try openSession(sleeper)
            let began = Instant.now()
            sleeper.send(post(call("sleep", "{\"milliseconds\":150}"), session: session))
            other.send(post(call("echo", "{\"text\":\"x\"}"), session: session))
            #expect(try other.response().status == 200)
            #expect(!sleeper.receives(within: 0))
            #expect(try sleeper.response().body == textResult("\"slept\""))
            #expect(Instant.now() - began > .milliseconds(149))
        }
    }

    @Test("count reports progress if requested, then the result, and the connection persists")
    func count() throws {
        try withServer { server in
            let client = try RawClient(server.address)
            let session = try openSession(client)
            let began = Instant.now()
            client.send(
                post(
                    call("count", "{\"to\":3,\"intervalMilliseconds\":1}", meta: "{\"progressToken\":5}"),
                    session: session))
            let head = try client.head()
            #expect(head.fields["content-type"] == "text/event-stream")
            #expect(head.fields["mcp-session-id"] == session)
            for number in 1...3 as ClosedRange<UInt64> {
                #expect(
                    try client.event() == """
                        {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":5,\
                        "progress":\(number),"total":3}}
                        """)
                // Never before its time.
                #expect(Instant.now() >= began + .milliseconds(number))
            }
            #expect(try client.event() == textResult("\"counted\""))
            #expect(try client.event() == nil)
            client.send(post(call("count", "{\"to\":3}"), session: session))
            _ = try client.head()
            #expect(try client.event() == textResult("\"counted\""))
            #expect(try client.event() == nil)
        }
    }

    @Test("a slow reader gets every event of a fast count")
    func fastCount() throws {
        try withServer { server in
            let client = try RawClient(server.address, receiveBuffer: 4_096)
            client.send(
                statelessPost(
                    "tools/call",
                    parameters: "\"name\":\"count\",\"arguments\":{\"to\":5000}", name: "count"
                ).replacing("\"_meta\":{", with: "\"_meta\":{\"progressToken\":1,").withLengthOfBody)
            _ = try client.head()
            for number in 1...5_000 {
                guard try client.event()?.contains("\"progress\":\(number),") == true else {
                    Issue.record("event \(number) is missing")
                    return
                }
            }
            #expect(try client.event()?.contains("\"counted\"") == true)
            #expect(try client.event() == nil)
        }
    }

    @Test("bytes sends exactly the requested number of bytes", arguments: [0, 1, 27, 65_536, 65_537, 20_000_000])
    func bytes(count: Int) throws {
        try withServer { server in
            let client = try RawClient(server.address)
            let session = try openSession(client)
            // Two pipelined requests: the second response follows the first directly.
            let request = post(call("bytes", "{\"n\":\(count)}"), session: session)
            client.send(request + request)
            let frame = textResult("\"\"")
            let opening = frame.prefix(upTo: try #require(frame.firstRange(of: "\"\"}]")).lowerBound) + "\""
            for _ in 0..<2 {
                let head = try client.head()
                #expect(head.fields["content-length"] == String(frame.utf8.count + count))
                #expect(try client.take(opening.utf8.count) == opening)
                #expect(try client.skip(count) { 97 + UInt8($0 % 26) })
                #expect(try client.take(frame.utf8.count - opening.utf8.count) == frame.dropFirst(opening.count))
            }
        }
    }

    @Test(
        "invalid arguments get an error",
        arguments: [
            ("echo", "{}"), ("echo", "{\"text\":1}"), ("sleep", "{}"), ("sleep", "{\"milliseconds\":-1}"),
            ("sleep", "{\"milliseconds\":600001}"), ("sleep", "{\"milliseconds\":99999999999999999999999}"),
            ("count", "{}"), ("count", "{\"to\":1000001}"), ("bytes", "{\"n\":4294967297}"), ("bytes", "{\"n\":1.5}"),
            ("nosuch", "{}"), ("echo", "[]"),
        ])
    func badArguments(tool: String, arguments: String) throws {
        try withServer { server in
            let client = try RawClient(server.address)
            let session = try openSession(client)
            client.send(post(call(tool, arguments), session: session))
            let response = try client.response()
            #expect(response.status == 200)
            #expect(response.body.contains("\"id\":1,\"error\":{\"code\":-32602,"))
        }
    }

    @Test("two servers do not know each other's sessions")
    func twoServers() throws {
        try withServer("alpha") { alpha in
            try withServer("beta") { beta in
                let (first, second) = (try RawClient(alpha.address), try RawClient(beta.address))
                let (a, b) = (try openSession(first), try openSession(second))
                first.send(post(call("whoami"), session: a))
                #expect(try first.response().body.contains("alpha"))
                second.send(post(call("whoami"), session: b))
                #expect(try second.response().body.contains("beta"))
                second.send(post(call("whoami"), session: a))
                #expect(try second.response().status == 404)
            }
        }
    }
}

extension String {
    /// The request with a correct Content-Length.
    var withLengthOfBody: String {
        guard let blank = firstRange(of: "\r\n\r\n"), let field = firstRange(of: "Content-Length: ") else {
            return self
        }
        let length = self[blank.upperBound...].utf8.count
        let end = self[field.upperBound...].firstRange(of: "\r\n")?.lowerBound ?? blank.lowerBound
        return self[..<field.upperBound] + String(length) + self[end...]
    }
}
