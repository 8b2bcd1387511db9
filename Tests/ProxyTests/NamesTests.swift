import Configuration
import Glibc
import Kernel
import Logging
import Simulation
import Synchronization
import Telemetry
import Testing

@testable import Proxy

/// Servers that are known by names: those that do not resolve, those with several addresses, those that move.
@Suite("Names of servers")
struct NamesTests {
    private static let dead = SocketAddress.loopback(port: 4_001)
    private static let silent = SocketAddress.loopback(port: 4_002)

    private func ask(_ stage: ProxyStage, _ client: ScriptedClient, _ count: Int = 1) -> Message {
        let before = client.responses.count
        for number in 1...count {
            client.ask(.post(.call(number)))
            stage.run { client.responses.count == before + number }
        }
        return client.responses.last ?? Message()
    }

    // MARK: Names without an address

    @Test("a server without an address is down and gets nothing; with one, checks bring it in", arguments: 1...4)
    func unresolved(seed: UInt64) throws {
        let record = LogRecorder()
        let stage = ProxyStage(seed: seed, servers: 2)
        stage.log = record.logger
        stage.plan.healthCheck.rise = 2
        stage.snapshot.servers[0].addresses = []
        let servers = (0..<2).map { index in ScriptedServer(stage, index) { _ in .reply("\(index)") } }
        stage.start(healthChecks: true)
        #expect(stage.isHealthy == [false, true], "seed \(seed)")
        let client = stage.connect()
        for _ in 0..<6 { #expect(ask(stage, client).text == "1", "seed \(seed)") }
        stage.run(for: .seconds(10))
        #expect(stage.isHealthy == [false, true], "seed \(seed)")

        stage.post(.addresses(stage.snapshot.servers[0].id, [ProxyStage.server(0)]))
        stage.run(for: .seconds(10))

        #expect(stage.isHealthy == [true, true], "seed \(seed)")
        #expect(record.lines == ["notice: server mcp-0:3001 is healthy again"], "seed \(seed)")
        #expect(Set((0..<4).map { _ in ask(stage, client).text }) == ["0", "1"], "seed \(seed)")
        #expect(servers.count == 2)
    }

    @Test("with no server that resolves, a request gets 503 and Retry-After at once", arguments: 1...4)
    func noneResolved(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        stage.snapshot.servers[0].addresses = []
        let client = stage.connect()
        let answer = ask(stage, client)
        #expect(answer.status == 503 && answer["retry-after"] == "1", "seed \(seed)")
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("a configuration with a name that does not resolve can be run")
    func configuration() throws {
        let text = """
            [listen]
            http = "127.0.0.1:0"
            [upstream.mcp]
            servers = ["nowhere:3001", "somewhere:3001", "192.0.2.7:3001"]
            """
        let checks = ConfigurationChecks(files: false, environment: { _ in nil })
        let file = try ConfigurationFile.parse(text, file: "berth.toml", checks: checks).get()
        let names = NameLookup { $0 == "somewhere" ? [.ipv4(0x0a00_0001, port: 0), .ipv4(0x0a00_0002, port: 0)] : [] }

        let snapshot = try Snapshot(file.configuration, keys: [], names: names)

        #expect(
            snapshot.servers.map { $0.addresses.map(\.description) } == [
                [], ["10.0.0.1:3001", "10.0.0.2:3001"], ["192.0.2.7:3001"],
            ])
        #expect(snapshot.servers.map(\.host) == ["nowhere", "somewhere", nil])
    }

    @Test("a name that takes for ever holds up neither others nor its caller")
    func slowName() {
        let gate = Mutex(false)
        let names = NameLookup { host in
            while host == "slow", !gate.withLock({ $0 }) { usleep(1_000) }
            return host == "lost" ? [] : [.loopback(port: 0)]
        }
        let begin = Instant.now()
        let found = names.resolve(
            ["slow", "a", "b", "lost", "127.0.0.9", "::1"], within: .seconds(3))
        gate.withLock { $0 = true }

        #expect(Set(found.keys) == ["a", "b", "127.0.0.9", "::1"])
        #expect(Instant.now() - begin < .seconds(60))
    }

    // MARK: Several addresses

    @Test("all addresses of a name are tried in one request; the good one is the first from then on", arguments: 1...8)
    func alternatives(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        stage.snapshot.servers[0].addresses = [Self.dead, Self.silent, ProxyStage.server(0)]
        stage.plan.healthCheck.fall = 1
        stage.plan.pool.maximumUses = 1
        stage.network.swallow(at: Self.silent)
        let server = ScriptedServer(stage) { .reply($0.text) }
        let client = stage.connect()
        let begin = stage.network.now

        #expect(ask(stage, client).status == 200, "seed \(seed)")
        let first = client.lastReceived - begin
        #expect(first >= .milliseconds(250) && first < .milliseconds(1_500), "seed \(seed)")
        for _ in 0..<3 {
            let begin = stage.network.now
            #expect(ask(stage, client).status == 200, "seed \(seed)")
            #expect(client.lastReceived - begin < .milliseconds(250), "the good one first, seed \(seed)")
        }
        #expect(server.connections.count == 4, "seed \(seed)")
        #expect(stage.sum(.connectFailures) == 0 && stage.isHealthy == [true], "seed \(seed)")
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("a name whose addresses all fail is one failure, after the last", arguments: 1...8)
    func noneGood(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        stage.snapshot.servers[0].addresses = [Self.silent, Self.dead, Self.dead]
        stage.plan.healthCheck.fall = 2
        stage.network.swallow(at: Self.silent)
        let client = stage.connect()

        #expect([502, 503].contains(ask(stage, client).status), "seed \(seed)")
        #expect(stage.sum(.connectFailures) == 1, "seed \(seed)")
        #expect(stage.isHealthy == [true], "seed \(seed)")
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("a check that finds one good address passes", arguments: 1...4)
    func checks(seed: UInt64) {
        let stage = ProxyStage(seed: seed, servers: 2)
        let record = LogRecorder()
        stage.log = record.logger
        stage.plan.healthCheck.fall = 1
        stage.snapshot.servers[0].addresses = [Self.dead, Self.silent, ProxyStage.server(0)]
        stage.snapshot.servers[1].addresses = [Self.dead, Self.silent]
        stage.network.swallow(at: Self.silent)
        _ = ScriptedServer(stage) { .reply($0.text) }
        stage.start(healthChecks: true)
        stage.run(for: .seconds(15))
        #expect(stage.isHealthy == [true, false], "seed \(seed)")
        #expect(record.lines == ["warning: server mcp-1:3001 is unhealthy: no connection in 1s"], "seed \(seed)")
    }

    // MARK: Names that move

    @Test(
        "the address that was good last is the first to be dialled, wherever it stands in the new list",
        arguments: 1...4)
    func lastGood(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        stage.plan.pool.maximumUses = 1
        stage.snapshot.servers[0].addresses = [Self.dead, ProxyStage.server(1)]
        let servers = (0..<2).map { index in ScriptedServer(stage, index) { _ in .reply("\(index)") } }
        let client = stage.connect()
        #expect(ask(stage, client).text == "1", "seed \(seed)")
        stage.post(.addresses(stage.snapshot.servers[0].id, [ProxyStage.server(0), Self.dead, ProxyStage.server(1)]))
        stage.run(for: .milliseconds(50))

        #expect(ask(stage, client).text == "1", "seed \(seed)")
        #expect(servers[0].connections.isEmpty && servers[1].connections.count == 2, "seed \(seed)")
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("a name that takes for ever does not keep others from being looked up again and again")
    func slowWatcher() throws {
        let isOver = Mutex(false)
        let asked = Mutex<[String: Int]>([:])
        let names = NameLookup { host in
            asked.withLock { $0[host, default: 0] += 1 }
            while host == "slow", !isOver.withLock({ $0 }) { usleep(1_000) }
            return [.loopback(port: 0)]
        }
        let search = try NameSearch(names)
        for round in 1...3 {
            search.begin(["slow", "quick"])
            var found: [String: [SocketAddress]] = [:]
            let deadline = Instant.now() + .seconds(30)
            while found.isEmpty, Instant.now() < deadline {
                search.wait(within: .milliseconds(5))
                found = search.take()
            }
            #expect(Set(found.keys) == ["quick"])
            #expect(asked.withLock { $0 } == ["slow": 1, "quick": round])
        }
        isOver.withLock { $0 = true }
        search.wait(within: .seconds(30))
        #expect(Set(search.take().keys) == ["slow"])
    }

    @Test(
        "new addresses are used; connections stay while theirs is among them, and close when it is gone",
        arguments: 1...8)
    func moved(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        let servers = (0..<3).map { index in ScriptedServer(stage, index) { _ in .reply("\(index)") } }
        let client = stage.connect()
        #expect(ask(stage, client).text == "0", "seed \(seed)")
        let id = stage.snapshot.servers[0].id

        stage.post(.addresses(id, [ProxyStage.server(1), ProxyStage.server(0)]))
        stage.run(for: .milliseconds(50))
        #expect(ask(stage, client).text == "0" && servers[0].connections.count == 1, "seed \(seed)")
        stage.post(.addresses(id, [ProxyStage.server(2)]))
        stage.run(for: .milliseconds(50))

        #expect(servers[0].openConnections == 0, "seed \(seed)")
        #expect(ask(stage, client).text == "2", "seed \(seed)")
        #expect(servers[1].connections.isEmpty)
        // News of a server that is gone change nothing.
        stage.post(.addresses(.none, [Self.dead]))
        #expect(ask(stage, client).text == "2", "seed \(seed)")
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("the watcher says what has changed, and nothing of other orders or of a name server that is down")
    func watcher() async throws {
        let answer = Mutex<[SocketAddress]>([])
        let asked = Mutex(0)
        let said = Mutex<[String]>([])
        let record = LogRecorder()
        var snapshot = Snapshot()
        var server = ServerPlan(address: .loopback(port: 7), name: "mcp:7", upstream: 0)
        server.host = "mcp"
        server.addresses = []
        snapshot.servers = [server]
        snapshot.upstreams = [UpstreamPlan(name: "mcp", servers: 0..<1)]
        try ServerTable(Metrics(workers: 1, servers: 2)).register(&snapshot)
        var names = NameLookup { _ in
            asked.withLock { $0 += 1 }
            return answer.withLock { $0 }
        }
        names.interval = .milliseconds(2)
        let watcher = try NameWatcher(snapshot, names: names, log: record.logger) { message in
            guard case .addresses(_, let addresses) = message else { return false }
            said.withLock { $0.append(addresses.map(\.description).joined(separator: " ")) }
            // The first time a mailbox is full.
            return said.withLock { $0.count } > 1
        }
        try watcher.start()
        defer { watcher.stop() }
        let (one, two) = (SocketAddress.ipv4(0x0a00_0001, port: 0), SocketAddress.ipv4(0x0a00_0002, port: 0))
        for addresses in [[], [one], [one, two], [two, one], [], [two, one], [two]] {
            answer.withLock { $0 = addresses }
            // Whoever was asked before the change is through after two more.
            let goal = asked.withLock { $0 } + 3
            let deadline = Instant.now() + .seconds(30)
            while asked.withLock({ $0 }) < goal, Instant.now() < deadline {
                try await Task.sleep(for: .milliseconds(1))
            }
        }

        #expect(said.withLock { $0 } == ["10.0.0.1:7", "10.0.0.1:7", "10.0.0.1:7 10.0.0.2:7", "10.0.0.2:7"])
        #expect(
            record.lines == [
                "warning: the name of server mcp:7 does not resolve; the server is down until it does",
                "notice: server mcp:7 is at 10.0.0.1:7 now", "notice: server mcp:7 is at 10.0.0.1:7, 10.0.0.2:7 now",
                "warning: the name of server mcp:7 does not resolve; its last addresses are used until it does",
                "notice: server mcp:7 is at 10.0.0.2:7 now",
            ])
    }

    // MARK: Listening without IPv6

    @Test("all addresses are those of IPv4 on a machine without IPv6", arguments: [2, 5, 6])
    func withoutIPv6(workers: Int) throws {
        var plan = try ListenerPlan(at: ListenAddress(host: "", port: 0))
        let asked = Mutex<[SocketAddress]>([])
        for code in [EAFNOSUPPORT, EADDRNOTAVAIL] {
            let sockets = try ListeningSockets([plan], workers: workers) { address, shared, tcp throws(SystemError) in
                asked.withLock { $0.append(address) }
                guard address.isIPv4 else { throw SystemError("socket", code: code) }
                return try Socket.listen(on: address, shared: shared, tcp: tcp)
            }
            #expect(sockets.addresses[0].isIPv4 && sockets.addresses[0].port != 0)
            for worker in 0..<workers { sockets.close(worker: worker, isControl: false) }
        }
        #expect(asked.withLock { $0 }.filter { !$0.isIPv4 }.count == 2, "it is asked for once")

        // What was asked for by its address is not replaced.
        plan = try ListenerPlan(at: ListenAddress(host: "::", port: 0))
        #expect(throws: StartError.self) {
            try ListeningSockets([plan], workers: 1) { _, _, _ throws(SystemError) in
                throw SystemError("socket", code: EAFNOSUPPORT)
            }
        }
    }
}
