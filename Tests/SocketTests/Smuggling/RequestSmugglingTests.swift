import Testing

extension SocketTests {
    /// The replica records what it gets: the bytes must be the valid requests and nothing else.
    @Suite("Request smuggling", .serialized)
    struct RequestSmugglingTests {
        private static let rig = Result { try Rig() }

        @Test(
            "neither an ambiguous request nor the bytes after it reach a replica",
            arguments: [Attack.framings, Attack.bodies, Attack.heads].flatMap { $0 })
        func refused(_ attack: Attack) throws {
            try check(attack)
        }

        @Test("a valid request that looks like smuggling is forwarded", arguments: Attack.good)
        func harmless(_ attack: Attack) throws {
            try check(attack)
        }

        @Test(
            "an attack byte by byte has the same result",
            arguments: Attack.framings.filter { $0.statuses != [413] } + Attack.heads)
        func byteByByte(_ attack: Attack) throws {
            let rig = try Self.rig.get()
            rig.replica.reset()
            let client = try rig.client()
            for byte in attack.bytes {
                client.send([byte])
                if client.receives(within: 0) { break }
            }

            #expect(try client.response().status == attack.statuses[0])
            _ = try client.readUntilEnd()
            #expect(rig.replica.requests.isEmpty)
            #expect(rig.replica.leftovers.isEmpty)
        }

        private func check(_ attack: Attack) throws {
            let rig = try Self.rig.get()
            rig.replica.reset()
            let client = try rig.client()

            client.send(attack.bytes)
            for status in attack.statuses { #expect(try client.response().status == status) }
            let rest = try client.readUntilEnd()

            #expect(rest.isEmpty, "more came: \(String(decoding: rest, as: UTF8.self))")
            #expect(rig.replica.requests.map(\.start) == attack.reaching)
            #expect(rig.replica.leftovers.isEmpty)
            let framed = rig.replica.requests.allSatisfy { request in
                request.values("content-length").count + request.values("transfer-encoding").count <= 1
                    && !request.names.contains { $0.contains("_") || $0 == "upgrade" || $0 == "http2-settings" }
            }
            #expect(framed)
        }

        /// A body that is not gathered: its head is sent on at once.
        private static let streams = "Expect: 100-continue\r\nTransfer-Encoding: chunked"

        @Test("a body that is malformed after its head was forwarded leaves the replica an incomplete request only")
        func lateBadChunk() throws {
            let rig = try Self.rig.get()
            rig.replica.reset()
            let client = try rig.client()
            client.send("POST /one HTTP/1.1\r\nHost: a\r\n\(Self.streams)\r\n\r\n5\r\nhello\r\n")
            try eventually("the first chunk at the replica") { !rig.replica.leftovers.isEmpty }

            client.send("5x\r\nhello\r\n0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n")

            #expect(try client.response().status == 400)
            #expect(try client.readUntilEnd().isEmpty)
            #expect(rig.replica.requests.isEmpty)
            let half = try #require(rig.replica.leftovers.first)
            #expect(String(decoding: half, as: UTF8.self).hasSuffix("\r\n\r\n5\r\nhello\r\n"))
            try eventually("the replica's connection ended") { rig.replica.hasEnded(rig.replica.accepted - 1) }
            rig.replica.reset()
        }

        @Test("a body that is malformed after the response began ends the connection without another response")
        func badChunkAfterAnswer() throws {
            let rig = try Rig()
            rig.replica.reset { _ in [] }
            let client = try rig.client()
            client.send("POST /one HTTP/1.1\r\nHost: a\r\n\(Self.streams)\r\n\r\n5\r\nhello\r\n")
            try eventually("the first chunk at the replica") { !rig.replica.leftovers.isEmpty }
            rig.replica.push(
                .text("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nearly\r\n"),
                to: rig.replica.accepted - 1)
            #expect(try client.head().status == 200)
            #expect(try client.chunk() == Array("early".utf8))

            client.send("5x\r\nhello\r\n0\r\n\r\n")

            let rest = try client.readUntilEnd()
            #expect(rest.isEmpty, "inside the answer: \(String(decoding: rest, as: UTF8.self))")
            try rig.expectIdle()
        }

        @Test("a response that comes during the request's trailers ends properly")
        func answerWithinTrailers() throws {
            let rig = try Rig()
            rig.replica.reset { _ in [] }
            let client = try rig.client()
            client.send("POST /one HTTP/1.1\r\nHost: a\r\n\(Self.streams)\r\n\r\n0\r\nX-First: 1\r\n")
            try eventually("the first trailer at the replica") {
                rig.replica.leftovers.contains { String(decoding: $0, as: UTF8.self).contains("X-First") }
            }

            rig.replica.push(
                .text("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nearly\r\n0\r\n\r\n"),
                to: rig.replica.accepted - 1)

            let response = try client.response()
            #expect(response.text == "early")
            #expect(try client.readUntilEnd().isEmpty)
        }

        @Test("trailers for framing, routing, authentication or identity are dropped")
        func trailers() throws {
            let rig = try Self.rig.get()
            rig.replica.reset()
            let client = try rig.client()
            let names = [
                "Content-Length", "Transfer-Encoding", "Host", "Mcp-Session-Id", "Mcp-Protocol-Version",
                "X-Forwarded-For",
                "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Authorization", "Connection",
                "Upgrade",
                "Cookie", "X_Forwarded_For", "Trailer", "TE", "Keep-Alive", "Proxy-Authorization", "Expect",
            ]
            let lines = names.map { "\($0): 5\r\n" }.joined()

            client.send(
                "POST /one HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\(lines)"
                    + "X-Checksum: kept\r\n\r\n")

            #expect(try client.response().status == 200)
            let request = try #require(rig.replica.requests.first)
            #expect(request.trailers == ["X-Checksum: kept"])
            #expect(request.body == Array("hello".utf8))
        }

        @Test(
            "Connection removes the fields it names, except those that define the message",
            arguments: [
                ("host", "host", ["a"]), ("content-length", "content-length", ["5"]),
                ("x-forwarded-for", "x-forwarded-for", ["127.0.0.1"]), ("x-real-ip", "x-real-ip", ["127.0.0.1"]),
                ("x-forwarded-host", "x-forwarded-host", ["a"]), ("x-forwarded-proto", "x-forwarded-proto", ["http"]),
                ("authorization", "authorization", []), ("close, X-Secret", "x-secret", []),
                ("X-Secret", "connection", []), ("keep-alive", "keep-alive", []),
            ] as [(String, String, [String])])
        func connectionOptions(_ option: String, _ name: String, _ values: [String]) throws {
            let rig = try Self.rig.get()
            rig.replica.reset()
            let client = try rig.client()

            client.send(
                "POST /one HTTP/1.1\r\nHost: a\r\nConnection: \(option)\r\nAuthorization: Bearer t\r\nX-Secret: s\r\n"
                    + "Keep-Alive: timeout=9\r\nX-Forwarded-For: 203.0.113.9\r\nX-Real-IP: 203.0.113.9\r\n"
                    + "Content-Length: 5\r\n\r\nhello")

            #expect(try client.response().status == 200)
            let request = try #require(rig.replica.requests.first)
            #expect(request.values(name) == values)
            #expect(request.body == Array("hello".utf8))
        }

        @Test("hop-by-hop fields never reach the replica")
        func hopByHop() throws {
            let rig = try Self.rig.get()
            rig.replica.reset()
            let client = try rig.client()

            client.send(
                "GET /one HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTrailer: X\r\nUpgrade: websocket\r\nKeep-Alive: 5\r\n"
                    + "Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic x\r\nProxy-Authenticate: x\r\n"
                    + "HTTP2-Settings: x\r\nX-Kept: yes\r\n\r\n")

            #expect(try client.response().status == 200)
            let request = try #require(rig.replica.requests.first)
            #expect(
                Set(request.names) == [
                    "host", "x-kept", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-real-ip",
                ])
        }

        @Test("the authority of an absolute-form target replaces Host")
        func absoluteForm() throws {
            let rig = try Self.rig.get()
            rig.replica.reset()
            let client = try rig.client()

            client.send("GET http://real.example:81/one?q=1 HTTP/1.1\r\nHost: other.example\r\n\r\n")
            client.send("GET http://real.example HTTP/1.1\r\nHost: other.example\r\n\r\n")

            #expect(try client.response().status == 200)
            #expect(try client.response().status == 200)
            let requests = rig.replica.requests
            #expect(requests.map(\.start) == ["GET /one?q=1", "GET /"])
            #expect(requests.flatMap { $0.values("host") } == ["real.example:81", "real.example"])
            #expect(requests.flatMap { $0.values("x-forwarded-host") } == ["real.example:81", "real.example"])
        }
    }
}
