import Kernel
import Proxy
import Telemetry
import Testing

extension SocketTests {
    @Suite("Admin pages", .serialized)
    struct AdminTests {
        private func get(_ path: String, from rig: Rig) throws -> Client.Response {
            let client = try Client(rig.admin)
            client.send("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
            return try client.response()
        }

        private func status(_ rig: Rig) throws -> Status { try Status(from: rig.admin) }

        @Test("/healthz and /readyz answer 200, and other paths 404")
        func pages() throws {
            let rig = try Rig()

            #expect(try get("/healthz", from: rig).status == 200)
            #expect(try get("/readyz", from: rig).status == 200)
            #expect(try get("/healthz?x=1", from: rig).status == 200)
            #expect(try get("/other", from: rig).status == 404)
            #expect(rig.replica.requests.isEmpty)
        }

        @Test("a connection can be used again, HEAD has no body, and other methods are refused")
        func connection() throws {
            let rig = try Rig()
            let client = try Client(rig.admin)

            client.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nHEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            client.send("DELETE /stats HTTP/1.1\r\nHost: a\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")

            #expect(try client.response().text == "ok\n")
            #expect(try client.response(toHead: true).status == 200)
            #expect(try client.response().status == 405)
            #expect(try client.response().text == "ok\n")
        }

        @Test("the traffic listener has no admin pages, and the admin listener no traffic")
        func apart() throws {
            let rig = try Rig()
            let client = try rig.client()
            client.send("GET /stats HTTP/1.1\r\nHost: a\r\n\r\n")

            #expect(try client.response().text == "ok")
            #expect(rig.replica.requests.map(\.start) == ["GET /stats"])
            #expect(try get("/mcp", from: rig).status == 404)
            #expect(rig.replica.requests.count == 1)
        }

        @Test("an answer that no server was chosen for is counted by its reason, and at no server")
        func nobodysAnswer() throws {
            let rig = try Rig(replicas: 2, adjusting: { _, upstream in upstream.affinity = .signed })
            for (session, status) in [("b1.garbage", 404), ("b1.\(String(repeating: "A", count: 60))", 404)] {
                let client = try rig.client()
                client.send(
                    "POST /mcp HTTP/1.1\r\nHost: a\r\nMcp-Session-Id: \(session)\r\nContent-Length: 2\r\n\r\n{}")
                #expect(try client.response().status == status)
            }
            for head in [
                "GET / HTTP/9.9\r\n\r\n", "GET /\u{1} HTTP/1.1\r\n\r\n", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n",
            ] {
                let client = try rig.client()
                client.send(head)
                _ = try client.response()
            }
            #expect(
                rig.proxy.rejections.filter { $0.value != 0 } == [
                    "session_gone": 2, "version_unsupported": 1, "malformed_request": 1, "method_not_allowed": 1,
                ])
            for server in 0..<2 {
                for metric in [ServerMetric.sessionsNotFound, .badGateway, .unavailable, .timedOut] {
                    #expect(rig.proxy.metrics.sum(metric, server: server) == 0, "\(metric)")
                }
            }
        }

        @Test("/readyz is 503 while every server of an upstream is down, and 200 again when one is up")
        func allDown() throws {
            let rig = try Rig(
                replicas: 2,
                adjusting: { _, upstream in
                    upstream.healthCheck.interval = .milliseconds(50)
                    upstream.healthCheck.fall = 1
                    upstream.healthCheck.rise = 1
                })
            rig.replicas[0].kill()
            try eventually("the first is seen down") { try !status(rig).upstreams[0].servers[0].healthy }
            #expect(try get("/readyz", from: rig).status == 200)

            rig.replicas[1].kill()

            try eventually("not ready") { try get("/readyz", from: rig).status == 503 }
            #expect(try get("/healthz", from: rig).status == 200)
            #expect(try status(rig).upstreams[0].servers.map(\.healthy) == [false, false])
            let client = try rig.client()
            client.send("POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Length: 24\r\n\r\n{\"id\":7,\"method\":\"ping\"} ")
            let response = try client.response()
            #expect(response.status == 503)
            #expect(response.values("retry-after").count == 1)
            #expect(response.text.contains("\"id\":7"))
        }

        @Test("the metrics count open streams, calls and idle connections")
        func metrics() throws {
            let rig = try Rig(
                workers: 2,
                answering: { request in
                    switch request.target {
                    case "/stream": [.eventStreamHead]
                    case "/never": []
                    default: [.answer("ok")]
                    }
                })
            // Seven answered calls, each on a connection of its own, three calls in flight, five streams.
            for _ in 0..<7 {
                let client = try rig.client()
                client.send("GET /call HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try client.response().text == "ok")
            }
            let flying = try (0..<3).map { _ in try rig.client() }
            for client in flying { client.send("GET /never HTTP/1.1\r\nHost: a\r\n\r\n") }
            let streams = try (0..<5).map { _ in try rig.client() }
            for client in streams {
                client.send("GET /stream HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n")
                #expect(try client.head().status == 200)
            }
            try eventually("three calls at the replica") { rig.replica.requests.count { $0.target == "/never" } == 3 }

            var server = try #require(try status(rig).upstreams.first?.servers.first)
            #expect(server.address == "\(rig.replica.address)")
            #expect(server.healthy)
            #expect(server.requests == 15)
            #expect(server.streams == 5)
            #expect(server.pool.streaming == 5)
            #expect(server.pool.active == 3)
            #expect(server.pool.waiting == 0)
            #expect(server.pool.total == server.pool.idle + server.pool.active)
            // The replica has one more connection, from the first health check.
            #expect(rig.replica.open == server.pool.total + server.pool.streaming)
            #expect(server.pool.opened == rig.replica.accepted - 1)

            for client in flying + streams { client.close() }
            try eventually("no exchange is open") {
                server = try #require(try status(rig).upstreams.first?.servers.first)
                return server.streams == 0 && server.pool.active == 0
            }
            #expect(server.pool.total == server.pool.idle)
            #expect(server.requests == 15)
            let whole = try status(rig)
            #expect(whole.workers == 2)
            #expect(!whole.draining)
            #expect(whole.uptimeSeconds > 0)
            #expect(whole.upstreams.map(\.name) == ["mcp"])
        }

        @Test("a drain refuses new connections, answers the call in flight and ends the stream properly")
        func draining() throws {
            let rig = try Rig(answering: { $0.target == "/stream" ? [.eventStreamHead] : [] })
            let call = try rig.client()
            call.send("GET /call HTTP/1.1\r\nHost: a\r\n\r\n")
            try eventually("the call at the replica") { rig.replica.requests.count == 1 }
            let connection = rig.replica.requests[0].connection
            let stream = try rig.client()
            stream.send("GET /stream HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n")
            #expect(try stream.head().status == 200)
            let idle = try rig.client()

            let isOver = Flag()
            try Kernel.Thread(named: "drain") {
                let result = rig.proxy.drain {
                    pause(milliseconds: 5); return false
                }
                isOver.raise(result == .finished)
            }
            .detach()

            try eventually("not ready") { try get("/readyz", from: rig).status == 503 }
            #expect(try get("/healthz", from: rig).status == 200)
            #expect(try status(rig).draining)
            try eventually("new connections are refused") { (try? rig.client()) == nil }
            #expect(try idle.takeToEnd().isEmpty)
            #expect(!isOver.isRaised)
            rig.replica.push(.answer("late"), to: connection)
            let response = try call.response()
            #expect(response.text == "late")
            #expect(response.values("connection") == ["close"])
            #expect(try call.takeToEnd().isEmpty)
            #expect(try stream.chunk() == nil)
            try eventually("the drain is over") { isOver.isRaised }
            #expect(isOver.value)
        }
    }
}
