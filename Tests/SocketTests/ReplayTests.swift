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
    }
}
