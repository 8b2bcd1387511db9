import Testing

extension SocketTests {
    /// No client may get another's response, an incomplete response as a complete one, or a forged head.
    @Suite("Response smuggling", .serialized)
    struct ResponseSmugglingTests {
        private static let rig = Result { try Rig() }

        @Test(
            "a malicious response does not affect other clients, and its connection is not used again",
            arguments: MaliciousResponse.all)
        func badAnswer(_ answer: MaliciousResponse) throws {
            let rig = try Self.rig.get()
            rig.replica.reset { $0.target == "/bad" ? answer.steps : [.answer("fine")] }
            let client = try rig.client()

            client.send("\(answer.method) /bad HTTP/1.1\r\nHost: a\r\n\r\n")
            switch answer.outcome {
            case .replaced:
                let response = try client.response()
                #expect(response.status == 502)
                #expect(response.text.contains("jsonrpc"))
            case .cut:
                #expect(throws: Client.Failure.self) { try completeResponse(client) }
            case .passed(let body):
                let response = try client.response(toHead: answer.method == "HEAD")
                #expect([200, 204, 304].contains(response.status))
                #expect(response.text == body)
            }
            if case .cut = answer.outcome {
            } else {
                // The connection persists and gets its own next response.
                client.send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try client.response().text == "fine")
            }

            let other = try rig.client()
            other.send("GET /other HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try other.response().text == "fine")
            let requests = rig.replica.requests
            let bad = requests.filter { $0.target == "/bad" }.map(\.connection)
            #expect(!bad.isEmpty)
            if answer.mustNotBeReused {
                #expect(!requests.contains { $0.target != "/bad" && bad.contains($0.connection) })
            }
            try rig.expectIdle()
        }

        /// Like `response`, but a body that ends with the connection must end properly.
        private func completeResponse(_ client: Client) throws -> Client.Response { try client.response() }

        @Test("hop-by-hop fields and those that Connection names do not reach the client")
        func hopByHop() throws {
            let rig = try Rig { _ in
                [
                    .text(
                        "HTTP/1.1 200 OK\r\nconnection: x-secret, keep-alive\r\nx-secret: s\r\nkeep-alive: timeout=5\r\n"
                            + "upgrade: h2c\r\nproxy-authenticate: x\r\ntrailer: x\r\nx-kept: yes\r\n"
                            + "content-length: 2\r\n\r\nok")
                ]
            }
            let client = try rig.client()

            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")

            let response = try client.response()
            #expect(response.text == "ok")
            #expect(Set(response.fields.map(\.name)) == ["x-kept", "content-length", "date"])
        }

        @Test("trailers of a response are forwarded, except those for framing, routing or authentication")
        func trailers() throws {
            let rig = try Rig { _ in
                [
                    .text(
                        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nContent-Length: 9\r\n"
                            + "Transfer-Encoding: x\r\nMcp-Session-Id: s\r\nSet-Cookie: a=b\r\nLocation: /\r\n"
                            + "X-Checksum: kept\r\n\r\n")
                ]
            }
            let client = try rig.client()

            for _ in 0..<2 {
                client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                let response = try client.response()
                #expect(response.text == "ok")
                #expect(response.trailers == ["X-Checksum: kept"])
            }
        }

        @Test("bytes that a replica sends on an idle connection are not a response")
        func unasked() throws {
            let rig = try Rig()
            let client = try rig.client()
            client.send("GET /one HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.response().text == "ok")
            let first = try #require(rig.replica.requests.first).connection

            rig.replica.push(.answer("hidden"), to: first)
            try eventually("the connection was dropped") { rig.replica.hasEnded(first) }

            client.send("GET /two HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.response().text == "ok")
        }

        @Test("interim responses are forwarded before the final one, as many as a server may send at once")
        func informationalCount() throws {
            let early = String(repeating: "HTTP/1.1 103 Early Hints\r\nx: y\r\n\r\n", count: 128)
            let rig = try Rig { _ in [.text(early), .answer("ok")] }
            let client = try rig.client()

            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")

            for _ in 0..<128 { #expect(try client.head().status == 103) }
            #expect(try client.response().text == "ok")
        }
    }
}

extension MaliciousResponse {
    /// Whether the proxy must close the replica's connection: always, unless all bytes are within the message.
    fileprivate var mustNotBeReused: Bool {
        !["an answer in a chunk extension", Self.spacedColon, Self.spacedChunk].contains(name)
    }
}
