import Kernel
import Simulation
import Testing

@testable import Proxy

/// A worker whose servers come and go, as the reloader has them come and go by what discovery finds.
final class DiscoveryStage {
    let stage: ProxyStage
    let servers: [SessionServer]
    private var removed = RemovedServers()

    /// `count` servers exist; `present` of them are found at the start.
    init(_ seed: UInt64, servers count: Int, present: Int, change: (ProxyStage) -> Void = { _ in }) {
        stage = ProxyStage(seed: seed, servers: count)
        stage.snapshot.sessionTable = SessionTable(limit: 1_000)
        stage.snapshot.drainTimeout = .seconds(60)
        for index in 0..<count { stage.snapshot.servers[index].isDiscovered = true }
        change(stage)
        let stage = stage
        servers = (0..<count).map { SessionServer(stage, $0) }
        all = stage.snapshot.servers
        stage.snapshot.servers = Array(all.prefix(present))
        stage.snapshot.upstreams[0].servers = 0..<present
    }

    private let all: [ServerPlan]

    /// From here on these servers are found.
    func find(_ numbers: some Sequence<Int>) throws {
        try stage.reload(with: numbers.map { all[$0] }, &removed)
    }

    /// The identity of a server that is found or still in use.
    func id(_ number: Int) -> ServerID? { stage.snapshot.servers.first { $0.name == all[number].name }?.id }

    /// Whether a server has vanished and is still in use.
    func isLeaving(_ number: Int) -> Bool {
        stage.snapshot.servers.first { $0.name == all[number].name }?.isRemoved == true
    }

    /// Sends a request and waits for its answer.
    func send(_ request: String, on client: ScriptedClient) -> Message {
        let before = client.responses.count
        client.ask(request)
        // In short steps: a turn in which nothing is left to do waits for seconds, in which a share would grow.
        stage.awaitResponses(before + 1, to: client)
        return client.responses.count > before ? client.responses.last ?? Message() : Message()
    }

    /// A client with a session, and the number of its server.
    func open() -> (client: ScriptedClient, session: String, server: Int) {
        let client = stage.connect()
        let answer = send(.post(.initialize), on: client)
        let server = servers.firstIndex { answer.text.hasPrefix("\($0.name) ") } ?? -1
        return (client, answer["mcp-session-id"] ?? "", server)
    }

    func call(_ session: String, on client: ScriptedClient, _ number: Int = 1) -> Message {
        send(.post(.call(number), session: session), on: client)
    }
}

extension ProxyStage {
    /// Has the worker work with these servers, and lets the others leave as the reloader does.
    func reload(with servers: [ServerPlan], _ removed: inout RemovedServers) throws {
        let old = snapshot
        let now = network.now
        var kept = removed
        try reload { new in
            new.servers = servers
            new.upstreams[0].servers = 0..<servers.count
            kept.keep(in: &new, from: old, at: now)
        }
        removed = kept
    }
}
