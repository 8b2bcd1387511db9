import Configuration
import Foundation
import Kernel
import Logging
import Proxy
import Redis
import TestSupport
import Testing

/// Berths by one configuration file, which share something through a `redis-server`.
private final class ConfiguredFleet {
    private(set) var berths: [ProxyServer] = []
    let replicas: [RecordingReplica]

    /// `route` has lines of its table, `session` those of the upstream's sessions; in both PORT stands for that of the store.
    init(_ redis: RedisServer, replicas: [RecordingReplica], route: String = "", session: String = "") throws {
        Machine.raiseDescriptorLimit()
        self.replicas = replicas
        let servers = replicas.map { "\"127.0.0.1:\($0.address.port)\"" }.joined(separator: ", ")
        let text = """
            [listen]
            http = "127.0.0.1:8080"
            [[route]]
            upstream = "mcp"
            \(route)
            [upstream.mcp]
            servers = [\(servers)]
            [upstream.mcp.session]
            \(session)
            """.replacing("PORT", with: "\(redis.port)")
        let checks = ConfigurationChecks(files: false, environment: { _ in nil })
        let configuration = try ConfigurationFile.parse(text, file: "berth.toml", checks: checks).get().configuration
        let key = SigningKey([UInt8](repeating: 7, count: 32))
        var log = Logger(label: "tests")
        log.logLevel = .critical
        for _ in 0..<2 {
            var snapshot = try Snapshot(configuration, keys: [key])
            snapshot.listeners = [ListenerPlan(address: .loopback(port: 0))]
            snapshot.upstreams[0].healthCheck.interval = .seconds(3_600)
            let proxy = try ProxyServer(snapshot: snapshot, workers: 2, log: log)
            try proxy.start()
            berths.append(proxy)
        }
    }

    deinit {
        for berth in berths { berth.stop() }
        for replica in replicas { replica.stop() }
    }

    /// The first Berth ends.
    func stopFirst() { berths.removeFirst().stop() }

    func ask(_ berth: ProxyServer, _ body: String, session: String? = nil) throws -> Client.Response {
        let client = try Client(berth.addresses[0])
        client.send(
            "POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                + (session.map { "Mcp-Session-Id: \($0)\r\n" } ?? "")
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
        return try client.response()
    }
}

extension SocketTests {
    /// With a real `redis-server`; without one on the machine they are skipped.
    @Suite("Rates and recoveries shared through Redis", .enabled(if: RedisServer.isInstalled))
    struct SharedLimitTests {
        private static let call = #"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#

        @Test("two Berths let through what one would, also when the store forgets its scripts")
        func rates() throws {
            let redis = try RedisServer()
            let rule = #"{ key = "route", rate = "600/min", burst = 20, store = "redis://127.0.0.1:PORT" }"#
            let fleet = try ConfiguredFleet(redis, replicas: [try RecordingReplica()], route: "rate_limit = [\(rule)]")
            let (start, length) = (Instant.now(), Interval.seconds(4))
            var (granted, asked, hasFlushed) = (0, 0, false)
            while Instant.now() < start + length {
                for berth in fleet.berths {
                    let status = try fleet.ask(berth, Self.call).status
                    #expect(status == 200 || status == 429)
                    asked += 1
                    if status == 200 { granted += 1 }
                }
                if !hasFlushed, Instant.now() > start + .seconds(2) {
                    hasFlushed = true
                    _ = try redis.say("SCRIPT FLUSH")
                }
            }
            let seconds = Double((Instant.now() - start).nanoseconds) / 1_000_000_000
            let one = 20 + 10 * seconds
            print("shared rates: \(granted) of \(asked) in \(seconds) s, one limit is \(one)")
            #expect(Double(asked) > 2.5 * one, "they could have had more")
            #expect(Double(granted) < one * 1.15 + 5 && Double(granted) > one * 0.85 - 5, "\(granted) of \(one)")
            #expect(try redis.say("SCRIPT EXISTS \(RateScript.digest)").contains(":1"))
            let numbers = fleet.berths.flatMap { $0.snapshot.stores.map(\.counts.numbers) }
            #expect(numbers.count == 2 && numbers.allSatisfy { $0.failures == [:] })
            for number in numbers {
                let counts = number.commands[Int(StoreUse.countRate.rawValue)]
                #expect(counts[Int(StoreResult.done.rawValue)] > 0 && counts[Int(StoreResult.refused.rawValue)] == 0)
            }
        }

        @Test("a session goes on at another Berth when its own is gone together with its server", arguments: 0..<2)
        func recovery(kind: Int) throws {
            let redis = try RedisServer()
            let replicas = try (0..<2).map { index in
                try RecordingReplica { request in
                    let name = "replica-\(index)"
                    guard let id = request.values("mcp-session-id").first else {
                        let result = #"{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{}}"#
                        return [
                            .answer(
                                #"{"jsonrpc":"2.0","id":1,"result":\#(result)}"#,
                                fields:
                                    "content-type: application/json\r\nmcp-session-id: \(name)-\(UUID().uuidString)\r\n"
                            )
                        ]
                    }
                    return [.answer("\(name) \(id)")]
                }
            }
            let affinity = kind == 0 ? "signed" : "learned"
            let fleet = try ConfiguredFleet(
                redis, replicas: replicas,
                session: "affinity = \"\(affinity)\"\non_lost = \"always\"\nstore = \"redis://127.0.0.1:PORT\"")
            let params = #"{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}"#
            let opened = try fleet.ask(
                fleet.berths[0], #"{"jsonrpc":"2.0","id":1,"method":"initialize","params":\#(params)}"#)
            let session = opened.values("mcp-session-id").first ?? ""
            #expect(opened.status == 200 && !session.isEmpty)
            try eventually("the store has the record") {
                try redis.say("DBSIZE").contains(kind == 0 ? ":1" : ":2")
            }
            let owner = replicas[0].requests.isEmpty ? 1 : 0
            replicas[owner].stop()
            fleet.stopFirst()
            let answer = try fleet.ask(fleet.berths[0], Self.call, session: session)
            #expect(answer.status == 200 && answer.text.hasPrefix("replica-\(1 - owner) "), "\(answer.text)")
            let opening = replicas[1 - owner].requests.first
            #expect(opening.map { String(decoding: $0.body, as: UTF8.self).contains(#""params":\#(params)"#) } == true)
        }
    }
}
