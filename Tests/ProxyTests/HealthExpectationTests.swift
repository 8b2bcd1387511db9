import Kernel
import Simulation
import Testing

@testable import Proxy

/// What the response to an http check must be.
@Suite("Expected responses of health checks")
struct HealthExpectationTests {
    @Test(
        "a text is found as it is, and in JSON whatever its white space",
        arguments: [
            ("ok", "ok", true), ("ok", "all ok\n", true), ("ok", "no", false), ("ok", "", false), ("", "", true),
            ("ok", "o", false), (#""status":"ok""#, #"{ "status" : "ok" }"#, true),
            (#""status": "ok""#, #"{"status":"ok","n":1}"#, true), (#""status":"ok""#, #"{"status":"not ok"}"#, false),
            (#""a":"x y""#, #"{"a": "xy"}"#, false), (#""a":"x y""#, #"[{"a" :"x y"}]"#, true),
            ("not ok", "notok", false), (#"{"a":"\"b: c"}"#, #"{"a" : "\"b: c"}"#, true), ("aab", "aaab", true),
        ])
    func text(_ text: String, _ body: String, _ isFound: Bool) {
        #expect(ExpectedText.isFound(Array(text.utf8), in: Array(body.utf8)) == isFound)
    }

    /// The log of a check with these expectations of a server with this response.
    private func lines(
        _ answer: [SimulatedPeer.Action], status: [ClosedRange<UInt16>] = [200...299], body: String, seed: UInt64
    ) -> [String] {
        let record = LogRecorder()
        let stage = ProxyStage(seed: seed)
        stage.log = record.logger
        stage.plan.healthCheck.kind = .http
        stage.plan.healthCheck.fall = 1
        stage.plan.healthCheck.expectedStatus = status
        stage.plan.healthCheck.expectedBody = Array(body.utf8)
        let server = ScriptedServer(stage) { _ in answer }
        stage.start(healthChecks: true)
        stage.run(for: .seconds(7))
        #expect(server.requests.count >= 3)
        #expect(stage.network.violations == [], "seed \(seed)")
        return record.lines.filter { !$0.hasPrefix("error: upstream") }
    }

    @Test("status codes and the body decide, in any framing and in any pieces", arguments: 1...4 as ClosedRange<UInt64>)
    func responses(seed: UInt64) {
        let chunked: [SimulatedPeer.Action] = [
            .text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), .chunk("{\"status\""),
            .pause(.milliseconds(20)), .chunk(": \"ok\"}"), .lastChunk,
        ]
        let untilClose: [SimulatedPeer.Action] = [
            .text("HTTP/1.1 200 OK\r\n\r\nall is o"), .pause(.milliseconds(20)), .text("k"), .close,
        ]
        let long = String(repeating: "x", count: 70_000)
        let interim: [SimulatedPeer.Action] = [.text("HTTP/1.1 103 Early Hints\r\n\r\n")]
        for (answer, text) in [
            (.reply("ok"), "ok"), (chunked, "\"status\":\"ok\""), (untilClose, "ok"), (.reply("ok" + long), "ok"),
            (interim + .reply("ok"), "ok"), (.reply("", status: "204 No"), ""), (.reply("what ever"), ""),
        ] as [([SimulatedPeer.Action], String)] {
            #expect(lines(answer, body: text, seed: seed) == [], "\(answer), seed \(seed)")
        }
        let warning = "warning: server mcp-0:3001 is unhealthy: GET /healthz"
        for (answer, problem) in [
            (.reply("no"), ": the body is not as expected"), (.reply(""), ": the body is not as expected"),
            (.reply(long + "ok"), ": the body is not as expected"),
            (.reply("ok", status: "302 Found"), " answered 302"), (.reply("ok", status: "500 No"), " answered 500"),
            (
                [.text("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"), .close],
                ": the connection ended before an answer"
            ),
            ([.text("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")], ": no answer in 1s"),
            (
                [.text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nok\r\n")], ": the answer is not HTTP"
            ),
        ] as [([SimulatedPeer.Action], String)] {
            #expect(lines(answer, body: "ok", seed: seed) == [warning + problem], "seed \(seed)")
        }
    }

    @Test("several codes and ranges", arguments: [(200, true), (204, true), (205, false), (401, true), (403, false)])
    func codes(status: Int, isExpected: Bool) {
        let lines = lines(.reply("", status: "\(status) Such"), status: [200...204, 401...401], body: "", seed: 1)
        #expect(lines.isEmpty == isExpected)
    }
}
