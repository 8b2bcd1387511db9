import Configuration
import Kernel
import Simulation
import Telemetry
import TestSupport
import Testing

@testable import Proxy

/// A proxy with servers of which any may die, and a client with a session.
final class RecoveryStage {
    let stage: ProxyStage
    let servers: [ToolServer]
    let client: ScriptedClient
    private(set) var session = ""

    init(
        _ seed: UInt64, _ affinity: Proxy.SessionAffinityMode, _ policy: SessionLossPolicy = .always,
        servers count: Int = 3,
        change: (ProxyStage, [ToolServer]) -> Void = { _, _ in }
    ) {
        stage = ProxyStage(seed: seed, servers: count)
        stage.plan.affinity = affinity
        stage.plan.onLost = policy
        stage.snapshot.sessionTable = SessionTable(limit: 1_000)
        if affinity == .learned { stage.snapshot.learned = LearnedSessions(limit: 1_000) }
        let stage = stage
        servers = (0..<count).map { ToolServer(stage, $0) }
        change(stage, servers)
        client = stage.connect()
        let opened = send(.post(.initialize, extra: "Authorization: Bearer t0\r\n"))
        session = opened["mcp-session-id"] ?? ""
        _ = send(.post(.initialized, session: session))
    }

    /// The server that has the session now.
    var owner: ToolServer? { servers.first { !$0.sessions.isEmpty } }

    func send(_ request: String, on other: ScriptedClient? = nil) -> Message {
        let client = other ?? client
        let before = client.responses.count
        client.ask(request)
        stage.run { client.responses.count > before }
        return client.responses.count > before ? client.responses.last ?? Message() : Message()
    }

    func list(_ id: Int = 7) -> Message { send(.post(.call(id, "tools/list"), session: session)) }

    /// The server that has the session dies, and the proxy has heard of it.
    @discardableResult
    func killOwner() -> ToolServer? {
        let owner = owner
        owner?.die()
        stage.run(for: .milliseconds(50))
        return owner
    }

    func count(_ counter: RecoveryCounter) -> Int64 { stage.metrics.view.load(counter) }

    /// Nothing is left of anything, and nothing is counted.
    func expectNoLeaks(sourceLocation: SourceLocation = #_sourceLocation) {
        client.leave()
        stage.expectNoLeaks(sourceLocation: sourceLocation)
        stage.expectEveryExchangeEndedOnce(sourceLocation: sourceLocation)
        #expect(stage.worker?.recoveryLeftovers() == 0, "seed \(stage.network.seed)", sourceLocation: sourceLocation)
    }
}
