import Caching
import Configuration
import Foundation
import Kernel
import Logging
import Proxy
import Redis
import TestSupport
import Testing

/// Berths in front of the same servers, which share what they learn.
private final class Fleet {
    let replicas: [RecordingReplica]
    let berths: [ProxyServer]
    let stores: [SharedStore]

    /// `wait`: how long a call waits for the store.
    init(_ redis: RedisServer, berths count: Int = 2, database: Int = 0, wait: Duration = .milliseconds(50)) throws {
        Machine.raiseDescriptorLimit()
        replicas = try (0..<2).map { index in
            try RecordingReplica { request in
                let name = "replica-\(index)"
                if let id = request.values("mcp-session-id").first { return [.answer("\(name) \(id)")] }
                let id = "\(name)-\(UUID().uuidString)"
                return [.answer("\(name) \(id)", fields: "mcp-session-id: \(id)\r\n")]
            }
        }
        var configuration = StoreConfiguration(host: "127.0.0.1")
        configuration.port = redis.port
        configuration.isSecure = redis.options.isSecure
        configuration.password = redis.options.password
        configuration.database = database
        configuration.wait = wait
        if redis.options.isSecure { configuration.authorities = redis.authorities }
        var (berths, stores): ([ProxyServer], [SharedStore]) = ([], [])
        for _ in 0..<count {
            let store = try SharedStore(of: configuration, found: [], names: .system)
            var snapshot = Snapshot()
            snapshot.listeners = [ListenerPlan(address: .loopback(port: 0))]
            snapshot.servers = replicas.map { ServerPlan(address: $0.address, name: "\($0.address)", upstream: 0) }
            var upstream = UpstreamPlan(name: "mcp", servers: 0..<replicas.count)
            upstream.affinity = .learned
            upstream.sharing = SessionSharing(store, wait: Interval(wait), upstream: "mcp")
            upstream.healthCheck.interval = .seconds(3_600)
            snapshot.upstreams = [upstream]
            snapshot.learned = LearnedSessions(limit: 10_000)
            var log = Logger(label: "tests")
            log.logLevel = .critical
            let proxy = try ProxyServer(snapshot: snapshot, workers: 2, log: log)
            try proxy.start()
            berths.append(proxy)
            stores.append(store)
        }
        (self.berths, self.stores) = (berths, stores)
    }

    deinit {
        for berth in berths { berth.stop() }
        for replica in replicas { replica.stop() }
    }

    private func send(_ berth: Int, session: String?) throws -> Client.Response {
        let body = #"{"jsonrpc":"2.0","id":1,"method":"\#(session == nil ? "initialize" : "tools/call")"}"#
        let client = try Client(berths[berth].addresses[0])
        client.send(
            "POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                + (session.map { "Mcp-Session-Id: \($0)\r\n" } ?? "")
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
        return try client.response()
    }

    func open(at berth: Int) throws -> String {
        let response = try send(berth, session: nil)
        return response.status == 200 ? response.values("mcp-session-id").first ?? "" : ""
    }

    /// Whether the call is answered by the server that has the session.
    func call(_ session: String, at berth: Int) throws -> Bool {
        let response = try send(berth, session: session)
        return response.status == 200 && response.text == "\(session.prefix(9)) \(session)"
    }
}

extension SocketTests {
    /// With a real `redis-server`; without one on the machine they are skipped.
    @Suite("Sessions shared through Redis", .enabled(if: RedisServer.isInstalled))
    struct RedisTests {
        @Test(
            "a session is known to another Berth at once; in clear, with a password and a database, over TLS",
            arguments: 0..<3)
        func known(kind: Int) throws {
            var options = RedisServer.Options()
            if kind > 0 { options.password = "quite secret" }
            options.isSecure = kind == 2
            let redis = try RedisServer(options)
            let fleet = try Fleet(redis, database: kind == 0 ? 0 : 3, wait: .seconds(20))
            for round in 0..<50 {
                let session = try fleet.open(at: round % 2)
                #expect(try fleet.call(session, at: 1 - round % 2), "round \(round)")
                #expect(try fleet.call(session, at: round % 2), "round \(round)")
            }
            for store in fleet.stores {
                #expect(store.counts.numbers.failures == [:])
                #expect(
                    store.counts.numbers.commands[Int(StoreUse.share.rawValue)][Int(StoreResult.done.rawValue)] == 25)
            }
        }

        @Test("killed, suspended, started again and out of memory: no call fails")
        func outages() throws {
            let redis = try RedisServer()
            let fleet = try Fleet(redis)
            var (sessions, failed, calls) = ([String](), 0, 0)
            func traffic(for time: Interval) throws {
                let end = Instant.now() + time
                repeat {
                    let session = try fleet.open(at: 0)
                    if session.isEmpty { failed += 1 } else { sessions.append(session) }
                    for session in sessions.suffix(3) {
                        calls += 1
                        if try !fleet.call(session, at: 0) { failed += 1 }
                    }
                } while Instant.now() < end
            }
            try traffic(for: .milliseconds(300))
            redis.suspend()
            try traffic(for: .seconds(2))
            redis.resume()
            try traffic(for: .milliseconds(300))
            redis.kill()
            try traffic(for: .milliseconds(500))
            try redis.start()
            try traffic(for: .milliseconds(500))
            _ = try redis.say("CONFIG SET maxmemory-policy noeviction\nCONFIG SET maxmemory 1")
            try traffic(for: .milliseconds(300))
            _ = try redis.say("CONFIG SET maxmemory 0")
            #expect(failed == 0 && calls > 20)
            try eventually("it is shared again", within: .seconds(20)) {
                let session = try fleet.open(at: 0)
                return try fleet.call(session, at: 1)
            }
        }

        @Test("a server that has become a replica is left, and found again when it is none")
        func failover() throws {
            let redis = try RedisServer()
            let fleet = try Fleet(redis)
            _ = try fleet.open(at: 0)
            _ = try redis.say("REPLICAOF 127.0.0.1 1")
            for _ in 0..<20 {
                let session = try fleet.open(at: 0)
                #expect(try fleet.call(session, at: 0))
            }
            #expect((fleet.stores[0].counts.numbers.failures[.failover] ?? 0) > 0)
            _ = try redis.say("REPLICAOF NO ONE")
            try eventually("it is shared again", within: .seconds(20)) {
                let session = try fleet.open(at: 0)
                return try fleet.call(session, at: 1)
            }
        }

        @Test("an answer that one Berth has fetched another finds, and not after it has changed")
        func answers() throws {
            let redis = try RedisServer()
            let berths = try AnswerFleet(redis)
            #expect(try berths.list(at: 0) == "berth; fwd=miss")
            try eventually("it and its generation are stored") { try redis.say("DBSIZE").contains(":2\r\n") }
            #expect(try berths.list(at: 1).hasPrefix("berth; hit"))
            #expect(berths.asked == 1)
            _ = try redis.say("FLUSHALL")
            #expect(try berths.list(at: 0, "prompts/list") == "berth; fwd=miss")
            redis.suspend()
            #expect(try berths.list(at: 1, "prompts/list") == "berth; fwd=miss")
            redis.resume()
        }
    }
}

/// Berths that share the answers of one server of revision 2026-07-28.
private final class AnswerFleet {
    private let server: RecordingReplica
    private let berths: [ProxyServer]

    init(_ redis: RedisServer) throws {
        server = try RecordingReplica { request in
            let result = #"{"tools":[],"ttlMs":60000,"cacheScope":"public","resultType":"complete"}"#
            return [.answer(#"{"jsonrpc":"2.0","id":1,"result":\#(result)}"#)]
        }
        var configuration = StoreConfiguration(host: "127.0.0.1")
        configuration.port = redis.port
        configuration.wait = .seconds(2)
        var berths: [ProxyServer] = []
        for _ in 0..<2 {
            var snapshot = Snapshot()
            snapshot.listeners = [ListenerPlan(address: .loopback(port: 0))]
            snapshot.servers = [ServerPlan(address: server.address, name: "\(server.address)", upstream: 0)]
            var upstream = UpstreamPlan(name: "mcp", servers: 0..<1)
            var rules = CacheRules()
            rules.listens = false
            let store = try SharedStore(of: configuration, found: [], names: .system)
            upstream.cache = UpstreamCache(
                rules, sharing: AnswerSharing(store, wait: .seconds(2), upstream: "mcp"))
            upstream.healthCheck.interval = .seconds(3_600)
            snapshot.upstreams = [upstream]
            var log = Logger(label: "tests")
            log.logLevel = .critical
            let proxy = try ProxyServer(snapshot: snapshot, workers: 2, log: log)
            try proxy.start()
            berths.append(proxy)
        }
        self.berths = berths
    }

    deinit {
        for berth in berths { berth.stop() }
        server.stop()
    }

    var asked: Int { server.requests.count }

    /// Asks for a list; what the Berth says of its cache.
    func list(at berth: Int, _ method: String = "tools/list") throws -> String {
        let body = #"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":{}}"#
        let client = try Client(berths[berth].addresses[0])
        client.send(
            "POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nMCP-Protocol-Version: 2026-07-28\r\n"
                + "Mcp-Method: \(method)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        return try client.response().values("cache-status").first ?? ""
    }
}
