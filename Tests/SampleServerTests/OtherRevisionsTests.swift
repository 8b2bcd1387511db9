import Kernel
import SampleServer
import Testing

@Suite("HTTP+SSE of 2024-11-05")
struct LegacyTests {
    /// Opens a stream and returns the path for messages.
    private func openStream(_ client: RawClient) throws -> String {
        client.send(bare("GET", "/sse"))
        let head = try client.head()
        #expect(head.status == 200 && head.fields["content-type"] == "text/event-stream")
        let first = try #require(try client.chunk())
        let prefix = "event: endpoint\r\ndata: /messages/?session_id="
        #expect(first.hasPrefix(prefix) && first.hasSuffix("\r\n\r\n") && first.utf8.count == prefix.utf8.count + 36)
        return String(first.split(separator: "\r\n")[1].dropFirst(6))
    }

    @Test("POSTs get 202, and their answers come on the stream in order")
    func answersOnStream() throws {
        try withServer { server in
            let (stream, caller) = (try RawClient(server.address), try RawClient(server.address))
            let path = try openStream(stream)
            for body in [
                initialize("2024-11-05"), request("ping", id: "7"), call("echo", "{\"text\":\"hi\"}", id: "8"),
            ] {
                caller.send(post(body, path: path))
                let accepted = try caller.response()
                #expect(accepted.status == 202 && accepted.body == "Accepted")
            }
            #expect(try stream.event()?.contains("\"protocolVersion\":\"2024-11-05\"") == true)
            #expect(try stream.event() == "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}")
            #expect(try stream.event() == textResult("\"hi\"", id: "8"))
            caller.send(post("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}", path: path))
            #expect(try caller.response().status == 202)
            caller.send(post(call("whoami", id: "9"), path: path))
            #expect(try caller.response().status == 202)
            #expect(try stream.event() == textResult(#""{\"replica\":\"alpha\",\"calls\":2}""#, id: "9"))
        }
    }

    @Test("progress and late answers share the stream with quick ones")
    func interleaves() throws {
        try withServer { server in
            let (stream, caller) = (try RawClient(server.address), try RawClient(server.address))
            let path = try openStream(stream)
            for body in [
                call("sleep", "{\"milliseconds\":300}", id: "1"),
                call("count", "{\"to\":2,\"intervalMilliseconds\":20}", id: "2", meta: "{\"progressToken\":\"t\"}"),
                call("echo", "{\"text\":\"\"}", id: "3"),
            ] {
                caller.send(post(body, path: path))
                _ = try caller.response()
            }
            #expect(try stream.event() == textResult("\"\"", id: "3"))
            for number in 1...2 {
                #expect(
                    try stream.event()?.contains("\"progressToken\":\"t\",\"progress\":\(number),\"total\":2") == true)
            }
            #expect(try stream.event() == textResult("\"counted\"", id: "2"))
            #expect(try stream.event() == textResult("\"slept\"", id: "1"))
        }
    }

    @Test("the session ends with its stream")
    func endsWithStream() throws {
        try withServer { server in
            let (stream, caller) = (try RawClient(server.address), try RawClient(server.address))
            let path = try openStream(stream)
            stream.close()
            var status = 202
            let deadline = Instant.now() + .seconds(60)
            while status == 202, Instant.now() < deadline {
                caller.send(post(request("ping"), path: path))
                status = try caller.response().status
            }
            #expect(status == 404)
        }
    }

    @Test(
        "messages without a session are refused",
        arguments: [
            ("/messages/", 400), ("/messages/?session_id=x", 400), ("/messages/?other=1", 400),
            ("/messages/?session_id=00000000000000000000000000000000", 404),
            ("/messages/?a=b&session_id=00000000000000000000000000000000&c", 404),
        ])
    func refusesUnknownSessions(path: String, status: Int) throws {
        try withServer { server in
            let client = try RawClient(server.address)
            client.send(post(request("ping"), path: path))
            #expect(try client.response().status == status)
        }
    }

    @Test("a session id of one transport is unknown to the other")
    func transportsAreSeparate() throws {
        try withServer { server in
            let (stream, caller) = (try RawClient(server.address), try RawClient(server.address))
            let path = try openStream(stream)
            caller.send(post(request("ping"), session: String(path.suffix(32))))
            #expect(try caller.response().status == 404)
            let session = try openSession(caller)
            caller.send(post(request("ping"), path: "/messages/?session_id=\(session)"))
            #expect(try caller.response().status == 404)
        }
    }
}

@Suite("The stateless protocol of 2026-07-28")
struct StatelessTests {
    @Test("discover, list and call need no session, and their results have a type")
    func answers() throws {
        try withServer { server in
            let client = try RawClient(server.address)
            client.send(statelessPost("server/discover"))
            let discovered = try client.response()
            #expect(discovered.status == 200 && discovered.fields["mcp-session-id"] == nil)
            #expect(discovered.body.contains("\"supportedVersions\":[\"2026-07-28\"]"))
            #expect(discovered.body.contains("\"resultType\":\"complete\""))
            client.send(statelessPost("tools/list"))
            let listed = try client.response().body
            #expect(listed.contains("\"ttlMs\":0,\"cacheScope\":\"private\"") && listed.contains("\"name\":\"echo\""))
            for count in 1...2 {
                client.send(statelessPost("tools/call", parameters: "\"name\":\"whoami\"", name: "whoami"))
                let body = try client.response().body
                #expect(body.contains(#"{\"replica\":\"alpha\",\"calls\":\#(count)}"#))
                #expect(body.contains("\"io.modelcontextprotocol/serverInfo\":{\"name\":\"alpha\""))
            }
        }
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        var what: String
        var request: String
        var status = 400
        var code: Int
        var testDescription: String { what }
    }

    @Test(
        "header fields that do not match the body are refused",
        arguments: [
            Refusal(
                what: "no Mcp-Method",
                request: statelessPost("tools/list").replacing("Mcp-Method: tools/list\r\n", with: ""), code: -32_020),
            Refusal(
                what: "another method", request: statelessPost("tools/list", methodField: "Tools/List"), code: -32_020),
            Refusal(
                what: "no Mcp-Name", request: statelessPost("tools/call", parameters: "\"name\":\"echo\""),
                code: -32_020),
            Refusal(
                what: "another name",
                request: statelessPost("tools/call", parameters: "\"name\":\"echo\"", name: "bytes"), code: -32_020),
            Refusal(
                what: "another version in the body",
                request: statelessPost("tools/list").replacing(
                    "Version\":\"2026-07-28", with: "Version\":\"2025-11-25"),
                code: -32_020),
            Refusal(
                what: "no version in the body",
                request: statelessPost("tools/list").replacing("/protocolVersion", with: "/protocolVersiom"),
                code: -32_602),
            Refusal(
                what: "no capabilities",
                request: statelessPost("tools/list").replacing("/clientCapabilities", with: "/clientCapabilitiez"),
                code: -32_602),
            Refusal(
                what: "a version to come", request: statelessPost("tools/list", version: "2027-01-01"), code: -32_022),
            Refusal(what: "unknown method", request: statelessPost("initialize"), status: 404, code: -32_601),
            Refusal(
                what: "unknown tool", request: statelessPost("tools/call", parameters: "\"name\":\"x\"", name: "x"),
                code: -32_602),
        ])
    func refuses(_ refusal: Refusal) throws {
        try withServer { server in
            let client = try RawClient(server.address)
            client.send(refusal.request)
            let response = try client.response()
            #expect(response.status == refusal.status)
            #expect(response.body.contains("\"id\":1,\"error\":{\"code\":\(refusal.code),"))
        }
    }

    @Test("methods other than POST are refused", arguments: ["GET", "DELETE", "PUT"])
    func onlyPost(method: String) throws {
        try withServer { server in
            let client = try RawClient(server.address)
            client.send(bare(method, extra: ["MCP-Protocol-Version: 2026-07-28"]))
            let response = try client.response()
            #expect(response.status == 405 && response.fields["allow"] == "POST")
        }
    }

    @Test("listen is acknowledged with its own id and stays open")
    func listens() throws {
        try withServer { server in
            let client = try RawClient(server.address)
            client.send(
                statelessPost(
                    "subscriptions/listen", parameters: "\"notifications\":{\"toolsListChanged\":true}", id: "\"s\""))
            #expect(try client.head().fields["content-type"] == "text/event-stream")
            #expect(
                try client.event() == """
                    {"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":\
                    {"io.modelcontextprotocol/subscriptionId":"s"},"notifications":{"toolsListChanged":true}}}
                    """)
            #expect(!client.receives(within: 100))
        }
    }
}
