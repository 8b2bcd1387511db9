import Foundation
import Kernel
import Simulation
import Telemetry
import TestSupport
import Testing

@testable import Proxy

/// `check_headers` of a route: what the fields of 2026-07-28 say is compared with the message.
@Suite("Header fields compared with the message")
struct HeaderCheckTests {
    private static let meta = #""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#

    private static func call(_ name: String, padding: Int = 0) -> String {
        let text = String(repeating: "x", count: padding)
        return
            #"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"\#(name)","arguments":{"a":"\#(text)"},\#(meta)}}"#
    }

    private static func fields(method: String? = "tools/call", name: String? = "search") -> String {
        (method.map { "Mcp-Method: \($0)\r\n" } ?? "") + (name.map { "Mcp-Name: \($0)\r\n" } ?? "")
    }

    private static func base64(_ text: String) -> String { "=?base64?\(Data(text.utf8).base64EncodedString())?=" }

    /// A proxy with a route that checks, and one that does not.
    private final class Scene {
        let stage: ProxyStage
        let server: ScriptedServer
        let client: ScriptedClient

        init(_ seed: UInt64 = 1) {
            stage = ProxyStage(seed: seed)
            var checked = RoutePlan(upstream: 0)
            checked.path = .prefix(Array("/mcp".utf8))
            checked.checksHeaders = true
            stage.snapshot.routes = [checked, RoutePlan(upstream: 0)]
            server = ScriptedServer(stage) { _ in .reply(#"{"jsonrpc":"2.0","id":7,"result":{}}"#) }
            client = stage.connect()
        }

        func send(_ request: String) -> Message {
            let before = client.responses.count
            client.ask(request)
            stage.run { client.responses.count > before || client.isOver }
            return client.responses.count > before ? client.responses.last ?? Message() : Message()
        }
    }

    private func expectMismatch(_ answer: Message, _ comment: Comment) {
        #expect(answer.status == 400, comment)
        #expect(answer.text.contains(#""id":7"#) && answer.text.contains(#""code":-32020"#), comment)
        #expect(answer.text.contains("header_mismatch"), comment)
    }

    @Test("fields that agree go on, as they are and in base64", arguments: [1, 2, 3] as [UInt64])
    func agreeing(seed: UInt64) {
        let scene = Scene(seed)
        let requests = [
            String.post(Self.call("search"), version: "2026-07-28", extra: Self.fields()),
            .post(Self.call("search"), version: "2026-07-28", extra: Self.fields(name: Self.base64("search"))),
            .post(Self.call("café"), version: "2026-07-28", extra: Self.fields(name: Self.base64("café"))),
            .post(
                #"{"jsonrpc":"2.0","id":7,"method":"tools/list","params":{\#(Self.meta)}}"#, version: "2026-07-28",
                extra: Self.fields(method: "tools/list", name: nil)),
        ]
        for request in requests { #expect(scene.send(request).status == 200, "\(request)") }
        #expect(scene.server.requests.count == requests.count)
    }

    @Test("fields that disagree, are missing or cannot be read are refused, and no server hears of it")
    func disagreeing() {
        let scene = Scene()
        let version = "2026-07-28"
        let requests = [
            String.post(Self.call("search"), version: version, extra: Self.fields(name: "delete")),
            .post(Self.call("search"), version: version, extra: Self.fields(method: "tools/list")),
            .post(Self.call("search"), version: version, extra: Self.fields(method: nil)),
            .post(Self.call("search"), version: version, extra: Self.fields(name: nil)),
            .post(Self.call("search"), version: version, extra: Self.fields(name: Self.base64("delete"))),
            .post(Self.call("search"), version: version, extra: Self.fields(name: "=?base64?c2VhcmNo=?=")),
            .post(Self.call("search"), version: "2026-12-31", extra: Self.fields()),
            .post(Self.call("search"), extra: Self.fields()),
            .post(Self.call("search"), version: "2025-11-25", extra: Self.fields()),
        ]
        for request in requests { expectMismatch(scene.send(request), "\(request)") }
        #expect(scene.server.requests.isEmpty)
        #expect(scene.stage.metrics.rejections(reason: Int(ExchangeFault.headerMismatch.rawValue)) == 9)

        #expect(scene.send(.post(Self.call("search"), version: version, extra: Self.fields())).status == 200)
        scene.client.leave()
        scene.stage.expectNoLeaks()
        scene.stage.expectEveryExchangeEndedOnce()
    }

    @Test("over HTTP/2 it is the same")
    func http2() {
        let scene = Scene()
        let client = scene.stage.connectHTTP2()
        for (name, status) in [("search", 200), ("delete", 400)] {
            let stream = client.ask(
                "POST", "/mcp",
                [
                    HeaderField("mcp-protocol-version", "2026-07-28"), HeaderField("mcp-method", "tools/call"),
                    HeaderField("mcp-name", name),
                ], body: Array(Self.call("search").utf8))
            scene.stage.run { client.isDone(stream) }
            #expect(client[stream].response.status == status, "\(name)")
        }
    }

    @Test("older revisions, other methods and other routes are not looked at")
    func others() {
        let scene = Scene()
        let old = #"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"search"}}"#
        #expect(scene.send(.post(old)).status == 200)
        #expect(scene.send(.post(old, version: "2025-11-25", extra: Self.fields(name: "delete"))).status == 200)
        #expect(scene.send(.post("no JSON")).status == 200)
        #expect(scene.send(.get("/mcp", extra: "MCP-Protocol-Version: 2026-07-28\r\n")).status == 200)
        let wrong = Self.fields(name: "delete")
        #expect(scene.send(.post(Self.call("search"), to: "/other", version: "2026-07-28", extra: wrong)).status == 200)
    }

    @Test("a body that is too large to be read is refused, and an older one is not", arguments: [1, 2, 3] as [UInt64])
    func tooLarge(seed: UInt64) {
        let scene = Scene(seed)
        let fits = Self.call("search", padding: 60_000)
        #expect(scene.send(.post(fits, version: "2026-07-28", extra: Self.fields())).status == 200)

        let old =
            #"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"a":"\#(String(repeating: "x", count: 70_000))"}}"#
        #expect(scene.send(.post(old)).status == 200)

        let large = Self.call("search", padding: 70_000)
        let answer = scene.send(.post(large, version: "2026-07-28", extra: Self.fields()))
        #expect(answer.status == 413 && answer.text.contains("too_large_to_check"), "\(answer.status)")
        #expect(scene.server.requests.count == 2)
        scene.stage.run(for: .seconds(5))
        #expect(scene.client.isOver, "what follows would be the rest of the body")
    }

    @Test("what is off costs nothing and checks nothing")
    func off() {
        let stage = ProxyStage(seed: 1)
        let server = ScriptedServer(stage) { _ in .reply("ok") }
        let client = stage.connect()
        client.ask(.post(Self.call("search"), version: "2026-07-28", extra: Self.fields(name: "delete")))
        stage.awaitResponses(1, to: client)
        #expect(client.responses.first?.status == 200)
        #expect(server.requests.count == 1)
    }
}
