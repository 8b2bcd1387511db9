import Kernel
import Simulation
import TestSupport
import Testing

@testable import Proxy

/// Bytes of somebody who means harm, or of a client that is broken: what the sender hears, and what a server hears of it.
struct HostileInput: Sendable, CustomTestStringConvertible {
    let name: String
    /// As Latin-1. `@SESSION@` stands for the id of a session that is open, `@FLIPPED@`, `@CUT@`, `@LONGER@` and `@FOREIGN@`
    /// for that id with a bit flipped, without its last character, with one more, and signed with a key that is not ours.
    let text: String
    /// What the sender hears: status and reason of each answer, and whether the connection is `closed` or stays `open`.
    let hears: String
    /// What a server hears: method, target, session and body of each request.
    let reaches: [String]

    var testDescription: String { name }

    init(_ name: String, _ text: String, _ hears: String, reaches: [String] = []) {
        self.name = name
        self.text = text
        self.hears = hears
        self.reaches = reaches
    }

    /// A POST below `target` with a body.
    static func post(
        _ name: String, _ body: String, to target: String = "/mcp", fields: String = "", _ hears: String,
        reaches: [String] = []
    ) -> HostileInput {
        HostileInput(
            name,
            "POST \(target) HTTP/1.1\r\nHost: mcp.test\r\n\(fields)Content-Length: \(body.unicodeScalars.count)\r\n\r\n\(body)",
            hears, reaches: reaches)
    }

    /// A GET with lines of fields.
    static func get(
        _ name: String, _ fields: String, target: String = "/mcp", _ hears: String, reaches: [String] = []
    ) -> HostileInput {
        HostileInput(name, "GET \(target) HTTP/1.1\r\nHost: mcp.test\r\n\(fields)\r\n", hears, reaches: reaches)
    }
}

/// A proxy before one server, with an open session, a listener for TLS, and a route below `/checked` that compares header
/// fields with messages.
final class HostileScene {
    let stage: ProxyStage
    let server: ScriptedServer
    /// The id that a client got for the session `sid1`.
    private let session: String
    private let foreign: String
    private let requestsBefore: Int

    init(seed: UInt64) {
        foreign = HostileScene.openSession(ProxyStage(seed: seed), key: 9).id
        stage = ProxyStage(seed: seed)
        stage.addSecureListener()
        var checked = RoutePlan(upstream: 0)
        checked.path = .prefix(Array("/checked".utf8))
        checked.checksHeaders = true
        stage.snapshot.routes = [checked, RoutePlan(upstream: 0)]
        (session, server) = HostileScene.openSession(stage, key: 1)
        requestsBefore = server.requests.count
    }

    private static func openSession(_ stage: ProxyStage, key: UInt8) -> (id: String, server: ScriptedServer) {
        stage.snapshot.keys = [ProxyStage.key(key)]
        let server = ScriptedServer(stage) { message in
            .reply(
                #"{"jsonrpc":"2.0","id":7,"result":{}}"#,
                extra: message.text.contains("initialize") ? "Mcp-Session-Id: sid1\r\n" : "")
        }
        let client = stage.connect()
        client.ask(.post(.call(1, "initialize")))
        stage.awaitResponses(1, to: client)
        let id = client.responses.first?["mcp-session-id"] ?? ""
        client.leave()
        stage.run(for: .seconds(1))
        #expect(id.hasPrefix("b1."), "no session was opened: \(id)")
        return (id, server)
    }

    /// The bytes of an input.
    func bytes(_ text: String) -> [UInt8] {
        var flipped = Array(session.utf8)
        flipped[20] ^= 1
        let text =
            text
            .replacing("@SESSION@", with: session).replacing("@CUT@", with: session.dropLast())
            .replacing("@LONGER@", with: session + "x").replacing("@FOREIGN@", with: foreign)
            .replacing("@FLIPPED@", with: String(decoding: flipped, as: UTF8.self))
        return text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
    }

    /// What the server heard since the session was opened.
    var reached: [String] {
        server.requests.dropFirst(requestsBefore).map { request in
            let session = request["mcp-session-id"].map { " session=\($0)" } ?? ""
            let body = request.text.isEmpty ? "" : " " + request.text.prefix(40)
            return "\(request.method) \(request.target)\(session)\(body)"
        }
    }

    /// Another client is served as ever, and everything is over in the end.
    func expectUnharmed(sourceLocation: SourceLocation = #_sourceLocation) {
        let before = server.requests.count
        let client = stage.connect()
        client.ask(.post(.call(99, "ping"), session: session))
        stage.awaitResponses(1, to: client)
        #expect(client.responses.first?.status == 200, sourceLocation: sourceLocation)
        #expect(server.requests.count == before + 1, sourceLocation: sourceLocation)
        #expect(server.requests.last?.text == .call(99, "ping"), sourceLocation: sourceLocation)
        client.leave()
        #expect(!server.isBroken, "a server got what is no HTTP", sourceLocation: sourceLocation)
        stage.expectNoLeaks(sourceLocation: sourceLocation)
        stage.expectEveryExchangeEndedOnce(sourceLocation: sourceLocation)
    }
}

extension Message {
    /// The status, and the reason if the proxy gives one.
    var verdict: String {
        let parts = text.split(separator: #""reason":""#)
        return "\(status)" + (parts.count > 1 ? " " + parts[1].prefix { $0 != "\"" } : "")
    }
}
