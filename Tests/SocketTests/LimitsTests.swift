import HTTP
import Kernel
import Proxy
import Testing

extension SocketTests {
    @Suite("Limits", .serialized)
    struct LimitsTests {
        private static let rig = Result {
            try Rig(adjusting: { listener, _ in
                listener.limits.headBytes = 4_096
                listener.limits.targetBytes = 512
                listener.limits.fields = 20
                listener.maximumRequestBody = 100_000
            })
        }

        /// A request whose head has the given number of bytes, blank line included.
        private static func request(ofBytes count: Int) -> String {
            let start = "GET /one HTTP/1.1\r\nHost: a\r\nX-Fill: "
            return start + String(repeating: "f", count: count - start.utf8.count - 4) + "\r\n\r\n"
        }

        /// The status of a request's response, and whether the request reached the replica.
        private func ask(_ text: String) throws -> (status: Int, reached: Bool) {
            let rig = try Self.rig.get()
            rig.replica.reset()
            let client = try rig.client()
            client.send(text)
            let status = try client.response().status
            if status != 200 { #expect(try client.readUntilEnd().isEmpty) }
            return (status, !rig.replica.requests.isEmpty || !rig.replica.leftovers.isEmpty)
        }

        @Test("a head of exactly the limit is accepted, one byte more is 431", arguments: [4_096, 4_097, 50_000])
        func head(_ bytes: Int) throws {
            let outcome = try ask(Self.request(ofBytes: bytes))

            #expect(outcome.status == (bytes <= 4_096 ? 200 : 431))
            #expect(outcome.reached == (bytes <= 4_096))
        }

        @Test("as many fields as allowed are accepted, one more is 431", arguments: [20, 21, 120])
        func fields(_ count: Int) throws {
            let more = (1..<count).map { "X-\($0): y\r\n" }.joined()

            let outcome = try ask("GET /one HTTP/1.1\r\nHost: a\r\n\(more)\r\n")

            #expect(outcome.status == (count <= 20 ? 200 : 431))
            #expect(outcome.reached == (count <= 20))
        }

        @Test("a target of exactly the limit is accepted, one byte more is 414", arguments: [512, 513, 4_000, 50_000])
        func target(_ bytes: Int) throws {
            let target = "/" + String(repeating: "t", count: bytes - 1)

            let outcome = try ask("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n")

            #expect(outcome.status == (bytes <= 512 ? 200 : 414))
            #expect(outcome.reached == (bytes <= 512))
        }

        @Test(
            "a body with exactly the limit as Content-Length is accepted, one byte more is 413",
            arguments: [100_000, 100_001])
        func countedBody(_ bytes: Int) throws {
            let body = String(repeating: "b", count: bytes)

            let outcome = try ask("POST /one HTTP/1.1\r\nHost: a\r\nContent-Length: \(bytes)\r\n\r\n\(body)")

            #expect(outcome.status == (bytes <= 100_000 ? 200 : 413))
            #expect(outcome.reached == (bytes <= 100_000))
        }

        @Test("a Content-Length beyond the limit is refused before the body is sent, with Expect too")
        func announced() throws {
            let outcome = try ask(
                "POST /one HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 100001\r\n\r\n")

            #expect(outcome.status == 413)
            #expect(!outcome.reached)
        }

        @Test("a chunked body beyond the limit is refused", arguments: [100_000, 100_001, 200_000])
        func chunkedBody(_ bytes: Int) throws {
            let rig = try Self.rig.get()
            rig.replica.reset()
            let client = try rig.client()

            client.send("POST /one HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            var left = bytes
            while left > 0 {
                let part = min(left, 10_000)
                client.send("\(String(part, radix: 16))\r\n\(String(repeating: "b", count: part))\r\n")
                left -= part
            }
            client.send("0\r\n\r\n")

            #expect(try client.response().status == (bytes <= 100_000 ? 200 : 413))
            #expect(rig.replica.requests.map(\.body.count) == (bytes <= 100_000 ? [bytes] : []))
            if bytes > 100_000 { #expect(try client.readUntilEnd().isEmpty) }
            try rig.expectIdle()
        }

        @Test("a head that comes too slowly is 408", arguments: [false, true])
        func slowHead(_ isSecure: Bool) throws {
            let rig = try Rig(adjusting: { listener, _ in listener.headTimeout = .milliseconds(300) })
            let client = try isSecure ? rig.secureClient() : rig.client()
            let started = Instant.now()

            // One byte at a time until there is an answer: each byte is in time, the whole head is not.
            client.send("GET /one HTTP/1.1\r\nHost: a\r\nX: ")
            while !client.receives(within: 20) {
                client.send("x")
                guard Instant.now() - started < defaultTimeout else { break }
            }

            let response = try client.response()
            #expect(response.status == 408)
            #expect(response.values("connection") == ["close"])
            #expect(try client.readUntilEnd().isEmpty)
            #expect(rig.replica.requests.isEmpty)
        }

        @Test("the second head of a connection has the same timeout, independent of the idle timeout")
        func slowSecondHead() throws {
            let rig = try Rig(adjusting: { listener, _ in listener.headTimeout = .milliseconds(300) })
            let client = try rig.client()
            client.send("GET /one HTTP/1.1\r\nHost: a\r\n\r\nGET /two HTTP/1.1\r\nHo")

            #expect(try client.response().status == 200)
            #expect(try client.response().status == 408)
            #expect(try client.readUntilEnd().isEmpty)
            #expect(rig.replica.requests.map(\.start) == ["GET /one"])
        }

        @Test("a body that stops coming is 408", arguments: [100, 70_000])
        func slowBody(_ announced: Int) throws {
            let rig = try Rig(adjusting: { listener, _ in listener.bodyTimeout = .milliseconds(300) })
            let client = try rig.client()

            client.send("POST /one HTTP/1.1\r\nHost: a\r\nContent-Length: \(announced)\r\n\r\nhello")

            #expect(try client.response().status == 408)
            #expect(try client.readUntilEnd().isEmpty)
            #expect(rig.replica.requests.isEmpty)
            try rig.expectIdle()
        }

        @Test("a client that sends nothing is disconnected without a response")
        func silent() throws {
            let rig = try Rig(adjusting: { listener, _ in listener.headTimeout = .milliseconds(200) })
            let client = try rig.client()

            #expect(try client.takeToEnd().isEmpty)
        }

        @Test("a connection beyond the limit is reset, and another is accepted after one closes")
        func connections() throws {
            let rig = try Rig(adjusting: { listener, _ in listener.maximumConnections = 3 })
            let clients = try (0..<3).map { _ in try rig.client() }
            for client in clients {
                client.send("GET /one HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try client.response().status == 200)
            }
            let extra = try rig.client()
            extra.send("GET /extra HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try extra.readUntilEnd().isEmpty)

            clients[0].close()

            try eventually("another connection is accepted") {
                let client = try rig.client()
                client.send("GET /again HTTP/1.1\r\nHost: a\r\n\r\n")
                return (try? client.response().status) == 200
            }
            #expect(!rig.replica.requests.contains { $0.target == "/extra" })
        }

        @Test("an idle connection is closed after its timeout")
        func idle() throws {
            let rig = try Rig(adjusting: { listener, _ in listener.idleTimeout = .milliseconds(200) })
            let client = try rig.client()
            client.send("GET /one HTTP/1.1\r\nHost: a\r\n\r\n")

            #expect(try client.response().status == 200)
            #expect(try client.takeToEnd().isEmpty)
        }
    }
}
