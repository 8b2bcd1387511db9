import Telemetry
import Testing

extension SocketTests {
    @Suite("Retries", .serialized)
    struct ReplayTests {
        @Test(
            "a request whose reused connection closes is sent again, with its body, on a new connection",
            arguments: [
                "Content-Length: 5\r\n\r\nhello",
                "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n",
            ])
        func replay(_ framed: String) throws {
            let rig = try Rig()
            let replica = rig.replica
            let client = try rig.client()
            client.send("GET /first HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.response().text == "ok")
            let first = try #require(replica.requests.first).connection
            replica.reset { $0.connection == first ? [.close] : [.answer("again")] }

            client.send("GET /second HTTP/1.1\r\nHost: a\r\n\(framed)")

            #expect(try client.response().text == "again")
            let requests = replica.requests
            #expect(requests.map(\.start) == ["GET /second", "GET /second"])
            #expect(requests.allSatisfy { $0.body == Array("hello".utf8) })
            #expect(requests[0].trailers == requests[1].trailers)
            #expect(rig.sum(.replays) == 1)
            try rig.expectIdle()
        }

        @Test("a POST that a server may have processed is not sent again")
        func post() throws {
            let rig = try Rig()
            let replica = rig.replica
            let client = try rig.client()
            client.send("GET /first HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.response().text == "ok")
            replica.reset { _ in [.close] }

            client.send("POST /second HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}")

            #expect(try client.response().status == 502)
            #expect(replica.requests.map(\.start) == ["POST /second"])
            #expect(rig.sum(.replays) == 0)
            try rig.expectIdle()
        }

        @Test("a POST that may be done twice is", arguments: [true, false])
        func repeatable(isReused: Bool) throws {
            let rig = try Rig()
            let replica = rig.replica
            let client = try rig.client()
            if isReused {
                client.send("GET /first HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try client.response().text == "ok")
            }
            let first = replica.requests.first?.connection ?? replica.accepted
            replica.reset { $0.connection == first ? [.reset] : [.answer("again")] }
            let body = #"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#

            client.send("POST /second HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")

            #expect(try client.response().text == "again")
            #expect(replica.requests.map { String(decoding: $0.body, as: UTF8.self) } == [body, body])
            #expect(rig.sum(.retries) == 1)
            try rig.expectIdle()
        }

        @Test("a server that is killed within an event stream costs its client an error, and no timeout")
        func killedStream() throws {
            let rig = try Rig { _ in [.eventStreamHead, .event("{}"), .close] }
            let client = try rig.client()
            let body = #"{"jsonrpc":"2.0","id":"a1","method":"tools/call"}"#

            client.send("POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")

            let text = try client.response().text
            #expect(text.hasPrefix("data: {}\n\nevent: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":\"a1\",\"error\""))
            #expect(text.hasSuffix("}\n\n"))
            try rig.expectIdle()
        }
    }
}
