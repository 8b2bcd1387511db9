import Kernel
import Simulation
import Telemetry
import Testing

@testable import Proxy

/// Which failed requests are sent again, where, and what their clients are told: by method and by failure.
@Suite("Retries, by the table")
struct RetryTableTests {
    /// What goes wrong, once, with the first server that gets the request.
    enum Failure: String, CaseIterable {
        /// Nobody listens.
        case refused
        /// The server closes each connection as soon as it is opened, and reads nothing.
        case unread
        /// A new connection is reset when the request has been read.
        case readOnNew
        /// The same on a connection that has carried a request before.
        case readOnReused
        /// The connection ends within the response's head.
        case withinHead
        /// The connection ends within the response's body.
        case withinBody
    }

    enum Outcome: Equatable {
        /// Answered by a server, after so many executions.
        case answered(Int)
        /// Answered by the proxy with this status, after so many executions.
        case failed(UInt16, Int)
        /// Broken off after the head.
        case brokenOff
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let name: String
        /// What it is: idempotent requests may be executed twice.
        let isRepeatable: Bool
        let request: @Sendable (String?) -> String

        var testDescription: String { name }

        init(_ method: String, repeatable: Bool) {
            name = method
            isRepeatable = repeatable
            request = { .post(.call(7, method), session: $0) }
        }

        init(_ name: String, body: String) {
            self.name = name
            isRepeatable = false
            request = { .post(body, session: $0) }
        }

        init(_ name: String, repeatable: Bool, _ request: @escaping @Sendable (String?) -> String) {
            self.name = name
            isRepeatable = repeatable
            self.request = request
        }
    }

    static func field(_ session: String?) -> String { session.map { "Mcp-Session-Id: \($0)\r\n" } ?? "" }

    static let rows: [Row] = [
        Row("initialize", repeatable: true), Row("ping", repeatable: true), Row("server/discover", repeatable: true),
        Row("tools/list", repeatable: true), Row("prompts/list", repeatable: true),
        Row("resources/list", repeatable: true), Row("resources/templates/list", repeatable: true),
        Row("resources/read", repeatable: true), Row("prompts/get", repeatable: true),
        Row("completion/complete", repeatable: true), Row("resources/subscribe", repeatable: true),
        Row("resources/unsubscribe", repeatable: true), Row("logging/setLevel", repeatable: true),
        Row("tasks/get", repeatable: true), Row("tasks/update", repeatable: true),
        Row("tools/call", repeatable: false), Row("vendor/anything", repeatable: false),
        Row("notification", body: #"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#),
        Row("ping without an id", body: #"{"jsonrpc":"2.0","method":"ping"}"#),
        Row("response", body: #"{"jsonrpc":"2.0","id":7,"result":{}}"#),
        Row("batch", body: #"[{"jsonrpc":"2.0","id":7,"method":"ping"}]"#),
        Row("two methods", body: #"{"jsonrpc":"2.0","id":7,"method":"ping","method":"tools/call"}"#),
        Row("text after it", body: #"{"jsonrpc":"2.0","id":7,"method":"ping"} x"#),
        Row("GET", repeatable: true) { .get("/mcp", extra: field($0)) },
        Row("DELETE", repeatable: false) { "DELETE /mcp HTTP/1.1\r\nHost: h\r\n\(field($0))\r\n" },
    ]

    /// By the rules: what nobody can have read moves on; what somebody may have read does if it may be done twice; after a
    /// byte of a response nothing does.
    static func expected(_ failure: Failure, _ row: Row) -> Outcome {
        switch failure {
        case .refused: .answered(1)
        // Nobody can prove that a server which accepts and closes has not read.
        case .unread: row.isRepeatable ? .answered(1) : .failed(502, 0)
        case .readOnNew, .readOnReused: row.isRepeatable ? .answered(2) : .failed(502, 1)
        case .withinHead: .failed(502, 1)
        case .withinBody: .brokenOff
        }
    }

    @Test("a request of no session", arguments: rows, Failure.allCases)
    func unpinned(row: Row, failure: Failure) {
        for seed in 1...2 as ClosedRange<UInt64> {
            let scene = RetryScene(seed: seed, servers: 2)
            scene.warm(failure == .readOnReused)
            let outcome = scene.ask(row.request(nil), failing: failure, at: [0, 1])
            #expect(outcome == Self.expected(failure, row), "\(row.name), seed \(seed)")
        }
    }

    @Test("a request of a session never leaves its server", arguments: rows, Failure.allCases)
    func pinned(row: Row, failure: Failure) {
        for seed in 1...2 as ClosedRange<UInt64> {
            let scene = RetryScene(seed: seed, servers: 2)
            guard let (session, server) = scene.openSession() else { return }
            scene.warm(failure == .readOnReused)
            let outcome = scene.ask(row.request(session), failing: failure, at: [server])
            #expect(outcome == Self.expected(failure, row), "\(row.name), seed \(seed)")
            #expect(scene.executions(at: 1 - server) == 0, "\(row.name), seed \(seed)")
        }
    }
}

/// Two servers that count what they execute, one of which fails once.
final class RetryScene {
    let stage: ProxyStage
    private var servers: [ScriptedServer] = []
    private var counts: [Int]
    private var isArmed = false
    private var failure: RetryTableTests.Failure?
    private var session: String?

    init(seed: UInt64, servers count: Int) {
        stage = ProxyStage(seed: seed, servers: count, .calm)
        counts = [Int](repeating: 0, count: count)
        for index in 0..<count { servers.append(ScriptedServer(stage, index) { [unowned self] in answer($0, index) }) }
    }

    func executions(at server: Int) -> Int { counts[server] }

    private func answer(_ message: Message, _ index: Int) -> [SimulatedPeer.Action] {
        if message.target == "/mcp/open" {
            return .reply("\(index)", extra: "Mcp-Session-Id: s\(index)\r\n")
        }
        if message.target == "/mcp/warm" { return [.pause(.milliseconds(20))] + .reply("warm") }
        counts[index] += 1
        guard isArmed, let failure else { return .reply("ok") }
        switch failure {
        case .refused, .unread: return .reply("ok")
        case .readOnNew, .readOnReused:
            isArmed = false
            return [.reset]
        case .withinHead: return [.text("HTTP/1.1 200 OK\r\nContent-"), .pause(.milliseconds(5)), .reset]
        case .withinBody:
            return [.text("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nxx"), .pause(.milliseconds(5)), .reset]
        }
    }

    /// Begins a session: its id, and its server.
    func openSession() -> (String, Int)? {
        let client = stage.connect()
        client.ask(.post(.call(1, "initialize"), to: "/mcp/open"))
        stage.run { client.responses.count == 1 }
        let answer = client.responses.first
        client.leave()
        stage.run(for: .milliseconds(10))
        guard let id = answer?["mcp-session-id"], let server = Int(answer?.text ?? "") else {
            Issue.record("no session")
            return nil
        }
        return (id, server)
    }

    /// Has the proxy park a connection to each server, or closes those that it has.
    func warm(_ isWanted: Bool) {
        guard isWanted else {
            for peer in servers.flatMap(\.connections) where peer.isOpen { peer.perform(.close) }
            stage.run(for: .milliseconds(20))
            return
        }
        let clients = servers.map { _ in stage.connect() }
        for client in clients { client.ask(.get("/mcp/warm")) }
        stage.run { clients.allSatisfy { $0.responses.count == 1 } }
        for client in clients { client.leave() }
        stage.run(for: .milliseconds(20))
    }

    /// Asks, while each of these servers would fail as the first one to be asked.
    func ask(_ request: String, failing failure: RetryTableTests.Failure, at failing: [Int])
        -> RetryTableTests.Outcome
    {
        (self.failure, isArmed) = (failure, true)
        arm(failure, failing)
        let client = stage.connect()
        client.ask(request)
        stage.run(within: .seconds(10)) { client.responses.count == 1 || client.isOver }
        let executions = counts.reduce(0, +)
        let response = client.responses.first
        client.leave()
        stage.expectNoLeaks()
        guard let response else { return .brokenOff }
        if response.status == 200 { return .answered(executions) }
        return .failed(UInt16(response.status), executions)
    }

    /// What goes wrong before a request is read goes wrong at the first of the servers that is dialled.
    private func arm(_ failure: RetryTableTests.Failure, _ failing: [Int]) {
        switch failure {
        case .unread:
            for index in failing {
                servers[index].onConnection = { [unowned self] peer in
                    guard isArmed else { return }
                    isArmed = false
                    peer.perform(.close)
                }
            }
        case .refused:
            // One of two for good, or the session's server for a moment.
            guard let index = failing.first else { return }
            stage.network.refuse(at: ProxyStage.server(index))
            if failing.count == 1 {
                stage.network.after(.milliseconds(30)) { [unowned self] in servers[index].listen() }
            }
        case .readOnNew, .readOnReused, .withinHead, .withinBody: break
        }
    }
}
