import Kernel
import SampleServer
import Testing

@Suite("Streamable HTTP with sessions")
struct StreamableSessionTests {
    @Test(
        "initialize answers with the client's version if it is known, else the latest, and with a new id",
        arguments: [
            ("2024-11-05", "2024-11-05"), ("2025-03-26", "2025-03-26"), ("2025-06-18", "2025-06-18"),
            ("2025-11-25", "2025-11-25"), ("2031-01-01", "2025-11-25"), ("soon", "2025-11-25"),
        ])
    func negotiates(asked: String, given: String) throws {
        try withServer { server in
            let client = try RawClient(server.address)
            client.send(post(initialize(asked)))
            let response = try client.response()
            #expect(response.status == 200)
            #expect(response.fields["content-type"] == "application/json")
            #expect(response.body.contains("\"protocolVersion\":\"\(given)\""))
            #expect(response.body.contains("\"serverInfo\":{\"name\":\"alpha\""))
            let id = try #require(response.fields["mcp-session-id"])
            #expect(id.utf8.count == 32 && id.allSatisfy { $0.isHexDigit && !$0.isUppercase })
        }
    }

    @Test("a session lasts from initialize to DELETE, and every response has its id")
    func sessionLifecycle() throws {
        try withServer { server in
            let client = try RawClient(server.address)
            let session = try openSession(client)
            func ask(_ text: String) throws -> RawClient.Response {
                client.send(text)
                let response = try client.response()
                #expect(response.fields["mcp-session-id"] == session)
                return response
            }
            let ready = try ask(
                post("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}", session: session))
            #expect(ready.status == 202 && ready.body.isEmpty)
            let tools = try ask(post(request("tools/list"), session: session)).body
            for tool in ["echo", "whoami", "sleep", "count", "bytes"] {
                #expect(tools.contains("{\"name\":\"\(tool)\""))
            }
            let pong = try ask(post(request("ping", id: "\"p\""), session: session))
            #expect(pong.body == "{\"jsonrpc\":\"2.0\",\"id\":\"p\",\"result\":{}}")
            let answer = try ask(post("{\"jsonrpc\":\"2.0\",\"id\":4,\"result\":{}}", session: session))
            #expect(answer.status == 202)
            let unknown = try ask(post(request("resources/list"), session: session))
            #expect(unknown.status == 200 && unknown.body.contains("-32601"))
            #expect(try ask(post(initialize(), session: session)).status == 400)
            #expect(try ask(bare("DELETE", session: session)).status == 200)

            client.send(post(request("ping"), session: session))
            let gone = try client.response()
            #expect(gone.status == 404)
            #expect(
                gone.body
                    == "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32001,\"message\":\"Session not found\"}}"
            )
            #expect(gone.fields["mcp-session-id"] == nil)
        }
    }

    @Test("two sessions on one connection have separate counts")
    func counts() throws {
        try withServer("a \"quoted\" name") { server in
            let client = try RawClient(server.address)
            let (first, second) = (try openSession(client), try openSession(client))
            #expect(first != second)
            for (session, count) in [(first, 1), (first, 2), (second, 1), (first, 3), (second, 2)] {
                client.send(post(call("whoami"), session: session))
                let text = #""{\"replica\":\"a \\\"quoted\\\" name\",\"calls\":\#(count)}""#
                #expect(try client.response().body == textResult(text))
            }
        }
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        var what: String
        var request: String
        var status: Int
        var code = "-32600"
        var testDescription: String { what }
    }

    @Test(
        "invalid requests get their status",
        arguments: [
            Refusal(what: "no id", request: post(request("ping")), status: 400),
            Refusal(
                what: "unknown id", request: post(request("ping"), session: String(repeating: "0", count: 32)),
                status: 404, code: "-32001"),
            Refusal(what: "nonsense id", request: post(request("ping"), session: "x"), status: 404, code: "-32001"),
            Refusal(what: "stale id", request: post(initialize(), session: "x"), status: 404, code: "-32001"),
            Refusal(what: "GET without id", request: bare("GET"), status: 400),
            Refusal(what: "DELETE without id", request: bare("DELETE"), status: 400),
            Refusal(
                what: "no event stream accepted",
                request: post(initialize()).replacing(", text/event-stream", with: ""), status: 406),
            Refusal(
                what: "no JSON accepted", request: post(initialize()).replacing("application/json, ", with: ""),
                status: 406),
            Refusal(
                what: "another media type",
                request: post(initialize()).replacing(
                    "Content-Type: application/json", with: "Content-Type: text/plain"),
                status: 415),
            Refusal(what: "not JSON", request: post("{\"jsonrpc\""), status: 400, code: "-32700"),
            Refusal(what: "empty", request: post(""), status: 400, code: "-32700"),
            Refusal(what: "batch", request: post("[\(request("ping"))]"), status: 400),
            Refusal(what: "no version", request: post("{\"id\":1,\"method\":\"ping\"}"), status: 400),
            Refusal(what: "null id", request: post(request("ping", id: "null")), status: 400),
            Refusal(what: "fraction id", request: post(request("ping", id: "1.5")), status: 400),
        ])
    func refuses(_ refusal: Refusal) throws {
        try withServer { server in
            let client = try RawClient(server.address)
            client.send(refusal.request)
            let response = try client.response()
            #expect(response.status == refusal.status)
            #expect(response.body.contains("\"id\":null,\"error\":{\"code\":\(refusal.code),"))
            // The connection persists.
            client.send(bare("GET", "/healthz"))
            #expect(try client.response().body == "ok")
        }
    }

    @Test("an unknown version is refused, the known ones are not")
    func versions() throws {
        try withServer { server in
            let client = try RawClient(server.address)
            let session = try openSession(client)
            for (version, status) in [("2025-03-26", 200), ("2025-11-25", 200), ("2024-12-24", 400), ("x", 400)] {
                client.send(post(request("ping"), session: session, extra: ["MCP-Protocol-Version: \(version)"]))
                #expect(try client.response().status == status)
            }
        }
    }

    @Test("a session's second standalone stream gets 409 until the first is closed")
    func standaloneStream() throws {
        try withServer { server in
            let (caller, listener) = (try RawClient(server.address), try RawClient(server.address))
            let session = try openSession(caller)
            listener.send(bare("GET", session: session))
            let head = try listener.head()
            #expect(head.status == 200)
            #expect(head.fields["content-type"] == "text/event-stream")
            #expect(head.fields["mcp-session-id"] == session)
            caller.send(bare("GET", session: session))
            #expect(try caller.response().status == 409)

            listener.close()
            var status = 409
            let deadline = Instant.now() + .seconds(60)
            while status == 409, Instant.now() < deadline {
                let again = try RawClient(server.address)
                again.send(bare("GET", session: session))
                status = try again.head().status
            }
            #expect(status == 200)
        }
    }

    @Test("DELETE ends the session's stream")
    func deleteEndsStream() throws {
        try withServer { server in
            let (caller, listener) = (try RawClient(server.address), try RawClient(server.address))
            let session = try openSession(caller)
            listener.send(bare("GET", session: session))
            _ = try listener.head()
            caller.send(bare("DELETE", session: session))
            #expect(try caller.response().status == 200)
            #expect(try listener.chunk() == nil)
            listener.send(bare("GET", "/healthz"))
            #expect(try listener.response().body == "ok")
        }
    }

    @Test("sessions over the limit are refused until one ends")
    func sessionLimit() throws {
        try withServer("alpha", .init(maximumSessions: 2)) { server in
            let client = try RawClient(server.address)
            let first = try openSession(client)
            _ = try openSession(client)
            client.send(post(initialize()))
            let refused = try client.response()
            #expect(refused.status == 503 && refused.fields["mcp-session-id"] == nil)
            client.send(bare("DELETE", session: first))
            _ = try client.response()
            _ = try openSession(client)
        }
    }

    @Test("the id of an ended session stays invalid when another session uses its slot")
    func endedIDs() throws {
        try withServer("alpha", .init(maximumSessions: 1)) { server in
            let client = try RawClient(server.address)
            var dead: [String] = []
            for _ in 0..<3 {
                let session = try openSession(client)
                #expect(session.utf8.count == 32 && !dead.contains(session))
                for id in dead + [String(session.uppercased()), String(session.dropLast()) + "g"] where id != session {
                    client.send(post(request("ping"), session: id))
                    #expect(try client.response().status == 404)
                }
                client.send(post(call("whoami"), session: session))
                #expect(try client.response().body.contains("\\\"calls\\\":1}"))
                client.send(bare("DELETE", session: session))
                #expect(try client.response().status == 200)
                dead.append(session)
            }
        }
    }

    @Test("an idle session expires; one with a stream does not")
    func idleSession() throws {
        try withServer("alpha", .init(sessionIdle: .milliseconds(80))) { server in
            let (client, listener) = (try RawClient(server.address), try RawClient(server.address))
            let (idle, streaming) = (try openSession(client), try openSession(listener))
            listener.send(bare("GET", session: streaming))
            _ = try listener.head()
            #expect(!client.receives(within: 250))
            client.send(post(request("ping"), session: idle))
            #expect(try client.response().status == 404)
            client.send(post(request("ping"), session: streaming))
            #expect(try client.response().status == 200)
        }
    }

    @Test("with answersWithEvents every call's response is an event stream of one message")
    func answersWithEvents() throws {
        try withServer("alpha", .init(answersWithEvents: true)) { server in
            let client = try RawClient(server.address)
            client.send(post(initialize()))
            let opening = try client.head()
            #expect(opening.fields["content-type"] == "text/event-stream")
            #expect(try client.event()?.contains("protocolVersion") == true)
            #expect(try client.event() == nil)
            let session = try #require(opening.fields["mcp-session-id"])
            client.send(post(call("echo", "{\"text\":\"a\\nb\"}"), session: session))
            #expect(try client.head().status == 200)
            #expect(try client.event() == textResult("\"a\\nb\""))
            #expect(try client.event() == nil)
        }
    }
}
