import Foundation
import Kernel
import MCP
import Proxy
import Synchronization
import Telemetry
import Testing

extension SocketTests {
    @Suite("Dashboard", .serialized)
    struct DashboardTests {
        /// A client of the event stream, past the head of the response.
        private func subscribe(_ rig: Rig) throws -> Client {
            let client = try Client(rig.admin)
            client.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
            let head = try client.head()
            #expect(head.status == 200)
            #expect(head.values("content-type") == ["text/event-stream"])
            #expect(head.values("content-length").isEmpty)
            #expect(head.values("connection") == ["close"])
            return client
        }

        /// The next event's data.
        private func event(_ client: Client) throws -> [String: Any] {
            while true {
                let text = String(decoding: try client.take(through: "\n\n"), as: UTF8.self)
                guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("data: ") }) else { continue }
                #expect(text.hasPrefix("event: figures\n"))
                let value = try JSONSerialization.jsonObject(with: Data(line.dropFirst(6).utf8))
                return try #require(value as? [String: Any])
            }
        }

        @Test("/ leads to the page, which comes with its policy, and HEAD has no body")
        func page() throws {
            let rig = try Rig()
            let client = try Client(rig.admin)

            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            let redirection = try client.response()
            #expect(redirection.status == 303)
            #expect(redirection.values("location") == ["/dashboard"])

            client.send("GET /dashboard HTTP/1.1\r\nHost: a\r\n\r\n")
            let page = try client.response()
            #expect(page.status == 200)
            #expect(page.values("content-type") == ["text/html; charset=utf-8"])
            #expect(page.values("content-security-policy").first?.contains("default-src 'none'") == true)
            #expect(page.values("x-content-type-options") == ["nosniff"])
            #expect(page.text.hasPrefix("<!doctype html>"))

            client.send("HEAD /events HTTP/1.1\r\nHost: a\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.response(toHead: true).values("content-type") == ["text/event-stream"])
        }

        @Test("a subscriber gets all parts first, and then what has changed")
        func events() throws {
            let rig = try Rig(replicas: 2)
            let client = try subscribe(rig)

            let first = try event(client)
            #expect(
                Set(first.keys) == [
                    "now", "process", "traffic", "upstreams", "tools", "sessions", "calls", "listeners",
                ])
            let upstreams = try #require(first["upstreams"] as? [[String: Any]])
            let servers = try #require(upstreams.first?["servers"] as? [[String: Any]])
            #expect(servers.map { $0["state"] as? String } == ["healthy", "healthy"])
            #expect(servers.first?["path"] as? String == "mcp/\(rig.replica.address)")
            #expect((first["tools"] as? [Any])?.isEmpty == true)

            var call = CallEvent()
            call.startedAt = UInt64(Date().timeIntervalSince1970 * 1e9)
            call.duration = 7_000_000
            call.method = .toolsCall
            call.name = CallName(Array("search".utf8).span)
            call.server = 0
            call.session = 0xab
            rig.calls.add(call)
            call.outcome = .rpcError
            call.errorCode = -32_602
            rig.calls.add(call)
            var parts: [String: Any] = [:]
            try eventually("the call is told") {
                parts = try event(client)
                return parts["tools"] != nil
            }
            let tool = try #require((parts["tools"] as? [[String: Any]])?.first)
            #expect(tool["name"] as? String == "search")
            #expect(tool["calls"] as? Int == 2)
            #expect(tool["error_rate"] as? Double == 0.5)
            #expect(parts["listeners"] == nil)
            let failed = (parts["calls"] as? [String: Any])?["failed"] as? [[String: Any]]
            #expect(failed?.first?["session"] as? String == "00000000000000ab")

            let journey = try Client(rig.admin)
            journey.send("GET /events/session?id=00000000000000ab HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try journey.response().text.contains("\"rpc_error\""))
            journey.send("GET /events/session?id=00 HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try journey.response().status == 404)
        }

        @Test("32 can watch, and who leaves makes place for another")
        func limit() throws {
            let rig = try Rig()
            var clients = try (0..<32).map { _ in try subscribe(rig) }
            let late = try Client(rig.admin)
            late.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try late.response().status == 503)

            clients.removeLast().close()

            try eventually("there is place") {
                let client = try Client(rig.admin)
                client.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
                return try client.head().status == 200
            }
            _ = try event(clients[0])
        }

        @Test("a reader that takes nothing loses pieces, and gets new ones when it reads again")
        func slowReader() throws {
            let stream = AdminStream()
            let rig = try Rig(admin: { _, respond in
                var response = AdminResponse(status: 200, contentType: "text/event-stream", body: "first\n")
                response.stream = stream
                respond(response)
            })
            let client = try Client(rig.admin, receiveBuffer: 4_096)
            client.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.head().status == 200)
            #expect(try client.take(through: "\n") == Array("first\n".utf8))

            let piece = String(repeating: "x", count: 65_535) + "\n"
            var accepted = 0
            try eventually("pieces are lost") {
                if case .accepted = stream.send(piece) { accepted += 1 }
                return stream.lost > 2_000
            }
            for _ in 0..<5 { _ = try client.take(through: "\n") }
            try eventually("it gets the last one") {
                _ = stream.send("last\n")
                return try client.take(through: "\n").suffix(5) == Array("last\n".utf8)
            }
            #expect(accepted > 5)
            #expect(!stream.isClosed)

            client.close()
            try eventually("it is gone") {
                _ = stream.send(piece)
                return stream.isClosed
            }
            if case .closed = stream.send(piece) {} else { Issue.record("a closed stream took a piece") }
        }

        @Test("a stream that is ended closes its connection")
        func end() throws {
            let stream = AdminStream()
            let rig = try Rig(admin: { _, respond in
                var response = AdminResponse(status: 200, contentType: "text/event-stream", body: "")
                response.stream = stream
                respond(response)
            })
            let client = try Client(rig.admin)
            client.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = try client.head()
            try eventually("a piece is on its way") {
                if case .accepted = stream.send("one\n") { true } else { false }
            }

            stream.end()

            #expect(try String(decoding: client.takeToEnd(), as: UTF8.self) == "one\n")
        }
    }
}
