import Kernel
import Simulation
import Telemetry
import TestSupport
import Testing

@testable import Proxy

/// `legacy_errors = "rpc200"`: faults that pass are told to clients of old revisions by status 200.
@Suite("Errors with status 200")
struct LegacyErrorsTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let request: String
        /// The id in the answer, if its status is 200.
        let id: String?

        init(_ name: String, _ request: String, id: String? = nil) {
            testDescription = name
            self.request = request
            self.id = id
        }
    }

    static let rows: [Row] = [
        Row("a call", .post(.call(5)), id: "5"),
        Row("initialize", .post(.call(6, "initialize")), id: "6"),
        Row("a text as id", .post(#"{"jsonrpc":"2.0","id":"x","method":"ping"}"#), id: #""x""#),
        Row("an older version said", .post(.call(5), version: "2025-11-25"), id: "5"),
        Row("a modern call", .post(.call(5), version: "2026-07-28")),
        Row("a notification", .post(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)),
        Row("a response", .post(#"{"jsonrpc":"2.0","id":5,"result":{}}"#)),
        Row("a batch", .post("[\(String.call(5))]")),
        Row("no JSON", .post("hello")),
        Row("a message of HTTP+SSE", .post(.call(5), to: "/messages?session_id=abc")),
        Row("a GET", .get()), Row("a stream", .openStream()),
    ]

    @Test("only what has an id and no modern version", arguments: rows, [LegacyErrorMode.rpc200, .http])
    func table(row: Row, mode: LegacyErrorMode) {
        let stage = ProxyStage(seed: 1)
        stage.plan.legacyErrors = mode
        stage.plan.affinity = .off
        _ = ScriptedServer(stage) { _ in [.reset] }
        let client = stage.connect()
        client.ask(row.request)
        stage.run { client.responses.count == 1 }
        let response = client.responses.first ?? Message()
        let isInBand = row.id != nil && mode == .rpc200
        #expect(response.status == (isInBand ? 200 : 502))
        #expect(response["x-berth-error"] == (isInBand ? "server_reset" : nil))
        #expect(response["content-type"] == "application/json")
        if isInBand, let id = row.id {
            #expect(response.text.hasPrefix(#"{"jsonrpc":"2.0","id":\#(id),"error":{"code":-32603,"#))
        }
        #expect(stage.sum(.inBandErrors) == (isInBand ? 1 : 0))
        #expect(stage.sum(.badGateway) == 1, "it is still counted as what it is")
        client.ask(.get("/mcp/next"))
        stage.run { client.responses.count == 2 }
        #expect(client.responses.count == 2, "the connection goes on")
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("503 and 504 too; what is no passing fault keeps its status")
    func statuses() {
        let stage = ProxyStage(seed: 1)
        stage.plan.legacyErrors = .rpc200
        stage.plan.firstByteTimeout = .seconds(2)
        stage.listener.maximumRequestBody = 500
        _ = ScriptedServer(stage) { _ in [] }
        let client = stage.connect()
        client.ask(.post(.call(1)))
        stage.run { client.responses.count == 1 }
        #expect(client.responses.last?["x-berth-error"] == "first_byte_timeout")
        client.ask(.post(.call(2), session: "unknown"))
        stage.run { client.responses.count == 2 }
        #expect(client.responses.last?.status == 404, "a lost session is lost")
        #expect(client.responses.last?["x-berth-error"] == nil)
        stage.markUnhealthy(0)
        client.ask(.post(.call(3)))
        stage.run { client.responses.count == 3 }
        #expect(client.responses.last?.status == 200)
        #expect(client.responses.last?["x-berth-error"] == "no_server_available")
        #expect(client.responses.last?["retry-after"] == "1")
        client.ask(.post(.call(4, tag: String(repeating: "x", count: 600))))
        stage.run { client.responses.count == 4 }
        #expect(client.responses.last?.status == 413)
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("over HTTP/2 as well")
    func http2() {
        let stage = ProxyStage(seed: 1)
        stage.plan.legacyErrors = .rpc200
        stage.network.refuse(at: ProxyStage.server(0))
        let client = stage.connectHTTP2()
        let stream = client.ask("POST", "/mcp", body: Array(String.call(9).utf8))
        stage.run { client.isDone(stream) }
        #expect(client[stream].response.status == 200)
        #expect(client[stream].response["x-berth-error"] == "no_server_available")
        #expect(client[stream].response.text.hasPrefix(#"{"jsonrpc":"2.0","id":9,"error""#))
        client.leave()
        stage.expectNoLeaks()
    }
}
