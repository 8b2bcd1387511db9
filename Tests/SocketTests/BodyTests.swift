import Kernel
import Proxy
import TestSupport
import Testing

extension SocketTests {
    @Suite("Bodies", .serialized)
    struct BodyTests {
        private static let rig = Result {
            try Rig(
                answering: { request in
                    switch request.target {
                    case "/counted":
                        [.text("HTTP/1.1 200 OK\r\ncontent-length: \(megabytes20)\r\n\r\n"), .pattern(megabytes20)]
                    case "/chunked":
                        [.text("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"), .chunkedPattern(megabytes20)]
                    case "/closed": [.text("HTTP/1.0 200 OK\r\n\r\n"), .pattern(megabytes20), .close]
                    default: [.answer("\(request.body.count)")]
                    }
                }, adjusting: { listener, _ in listener.maximumRequestBody = 16 << 20 })
        }

        private static let megabytes20 = 20_000_000
        private static let megabytes5 = 5_000_000

        @Test(
            "a response of 20 MB arrives unchanged", arguments: ["/counted", "/chunked", "/closed"], [false, true])
        func download(_ target: String, _ isSecure: Bool) throws {
            let rig = try Self.rig.get()
            let client = try isSecure ? rig.secureClient() : rig.client()

            // Twice, because the connection must persist.
            for _ in 0..<2 {
                client.send("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
                let head = try client.head()
                #expect(head.status == 200)
                if target == "/counted" {
                    #expect(try client.skipPattern(Self.megabytes20))
                } else {
                    var count = 0
                    var isSame = true
                    while let chunk = try client.chunk() {
                        isSame = isSame && chunk.withUnsafeBytes { Pattern.matches($0, at: count) }
                        count += chunk.count
                    }
                    #expect(isSame)
                    #expect(count == Self.megabytes20)
                }
            }
            try rig.expectIdle()
        }

        @Test("an HTTP/1.0 client gets a chunked body without chunks, which ends with the connection")
        func oldClient() throws {
            let rig = try Self.rig.get()
            let client = try rig.client()

            client.send("GET /chunked HTTP/1.0\r\nHost: a\r\n\r\n")

            let head = try client.head()
            #expect(head.values("transfer-encoding").isEmpty)
            #expect(try client.skipPattern(Self.megabytes20))
            #expect(try client.takeToEnd().isEmpty)
        }

        @Test("a request of 5 MB arrives unchanged", arguments: [false, true], [false, true])
        func upload(_ isChunked: Bool, _ isSecure: Bool) throws {
            let rig = try Self.rig.get()
            rig.replica.reset()
            let client = try isSecure ? rig.secureClient() : rig.client()
            let body = Pattern.prefix(Self.megabytes5)

            for _ in 0..<2 {
                if isChunked {
                    client.send("POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
                    var position = 0
                    var generator = SeededGenerator(seed: 5)
                    while position < body.count {
                        let part = min(Int.random(in: 1...100_000, using: &generator), body.count - position)
                        client.send("\(String(part, radix: 16))\r\n")
                        client.send(Array(body[position..<position + part]))
                        client.send("\r\n")
                        position += part
                    }
                    client.send("0\r\n\r\n")
                } else {
                    client.send("POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.count)\r\n\r\n")
                    client.send(body)
                }
                #expect(try client.response().text == "\(Self.megabytes5)")
            }

            #expect(rig.replica.requests.count == 2)
            #expect(rig.replica.requests.allSatisfy { $0.body == body })
            rig.replica.reset()
            try rig.expectIdle()
        }

        @Test("a request pipelined after a large body is the next one", arguments: [false, true])
        func behindUpload(_ isChunked: Bool) throws {
            let rig = try Self.rig.get()
            rig.replica.reset()
            let client = try rig.client()
            let body = Pattern.prefix(500_000)
            let framed =
                isChunked
                ? Array("Transfer-Encoding: chunked\r\n\r\n7a120\r\n".utf8) + body + Array("\r\n0\r\n\r\n".utf8)
                : Array("Content-Length: 500000\r\n\r\n".utf8) + body

            client.send(
                Array("POST /up HTTP/1.1\r\nHost: a\r\n".utf8) + framed
                    + Array("POST /next HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}".utf8))

            #expect(try client.response().text == "500000")
            #expect(try client.response().text == "2")
            #expect(rig.replica.requests.map(\.start) == ["POST /up", "POST /next"])
            rig.replica.reset()
        }

        @Test(
            "a response before the end of the request body reaches the client, and the connection closes",
            arguments: [false, true])
        func earlyAnswer(_ isSecure: Bool) throws {
            let rig = try Rig()
            let client = try isSecure ? rig.secureClient() : rig.client()
            client.send("POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\nhello")
            try eventually("the head at the replica") { !rig.replica.leftovers.isEmpty }

            rig.replica.push(.answer("enough", status: "422 Unprocessable Content"), to: rig.replica.accepted - 1)
            client.send(Pattern.prefix(1_000_000))

            let response = try client.response()
            #expect(response.status == 422)
            #expect(response.text == "enough")
            #expect(response.values("connection") == ["close"])
            client.close()
            try rig.expectIdle()
        }

        @Test("a request in a thousand TLS records of one byte each is read")
        func manyRecords() throws {
            let rig = try Rig(answering: { [.answer("\($0.body.count)")] })
            let client = try rig.secureClient()
            let request = "POST /one HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"

            client.sendInPieces(Array(request.utf8) + Pattern.prefix(1_000), of: 1)

            #expect(try client.response().text == "1000")
            #expect(rig.replica.requests.map(\.body) == [Pattern.prefix(1_000)])
        }

        @Test("100 Continue from the replica reaches the client, which then sends the body")
        func expectContinue() throws {
            let rig = try Rig(answering: { _ in [.answer("done")] })
            let client = try rig.client()
            client.send("POST /up HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
            try eventually("the head at the replica") { !rig.replica.leftovers.isEmpty }
            #expect(!client.receives(within: 0))

            rig.replica.push(.text("HTTP/1.1 100 Continue\r\n\r\n"), to: rig.replica.accepted - 1)
            #expect(try client.head().status == 100)
            client.send("hello")

            #expect(try client.response().text == "done")
            #expect(rig.replica.requests.first?.body == Array("hello".utf8))
        }

        @Test("a hundred pipelined requests are answered in order")
        func pipelined() throws {
            let rig = try Rig(answering: { [.answer($0.target + " " + String(decoding: $0.body, as: UTF8.self))] })
            let client = try rig.client()

            client.send(
                (0..<100).map { "POST /\($0) HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n\(1_000 + $0)" }.joined())

            for index in 0..<100 { #expect(try client.response().text == "/\(index) \(1_000 + index)") }
        }
    }
}
