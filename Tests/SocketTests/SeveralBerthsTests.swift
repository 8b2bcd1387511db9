import Kernel
import Logging
import Proxy
import Testing

extension SocketTests {
    /// Several Berths with the same key before the same servers: any of them serves any session.
    @Suite("Several Berths", .serialized)
    struct SeveralBerthsTests {
        /// Berths that share nothing but their keys.
        private final class Berths {
            let replicas: [SessionReplica]
            private(set) var proxies: [ProxyServer] = []
            private var keys: [SigningKey]

            init(_ count: Int, replicas: Int, keys: [SigningKey]) throws {
                self.replicas = try (0..<replicas).map { try SessionReplica("replica-\($0)") }
                self.keys = keys
                for _ in 0..<count { proxies.append(try start(keys)) }
            }

            deinit {
                for proxy in proxies { proxy.stop() }
                for replica in replicas { replica.replica.stop() }
            }

            private func snapshot(_ keys: [SigningKey]) -> Snapshot {
                var snapshot = Snapshot()
                snapshot.keys = keys
                snapshot.sessionTable = SessionTable(limit: 10_000)
                snapshot.servers = replicas.enumerated().map { index, replica in
                    ServerPlan(address: replica.replica.address, name: "mcp-\(index):3001", upstream: 0)
                }
                var upstream = UpstreamPlan(name: "mcp", servers: 0..<replicas.count)
                upstream.healthCheck.interval = .seconds(3_600)
                snapshot.upstreams = [upstream]
                snapshot.listeners = [ListenerPlan(address: .loopback(port: 0))]
                return snapshot
            }

            private func start(_ keys: [SigningKey]) throws -> ProxyServer {
                var log = Logger(label: "tests")
                log.logLevel = .critical
                let proxy = try ProxyServer(snapshot: snapshot(keys), workers: 2, log: log)
                try proxy.start()
                return proxy
            }

            /// One of them dies.
            func kill(_ index: Int) { proxies.remove(at: index).stop() }

            /// Another one comes.
            func add() throws { proxies.append(try start(keys)) }

            /// One of them works by other keys from here on.
            func rotate(_ index: Int, to keys: [SigningKey]) throws {
                self.keys = keys
                var changed = proxies[index].snapshot
                changed.keys = keys
                try proxies[index].adopt(changed)
            }
        }

        private static let initialize = #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}"#
        private static let call = #"{"jsonrpc":"2.0","id":1,"method":"ping"}"#

        private func post(_ proxy: ProxyServer, _ body: String, session: String? = nil) throws -> Client.Response {
            let client = try Client(proxy.addresses[0])
            defer { client.close() }
            let id = session.map { "Mcp-Session-Id: \($0)\r\n" } ?? ""
            client.send(
                "POST /mcp HTTP/1.1\r\nHost: a\r\nAccept: application/json, text/event-stream\r\n\(id)"
                    + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
            return try client.response()
        }

        private typealias Session = (id: String, server: String)

        /// Opens sessions, one Berth after the other.
        private func open(_ berths: Berths, _ count: Int) throws -> [Session] {
            try (0..<count).map { number in
                let response = try post(berths.proxies[number % berths.proxies.count], Self.initialize)
                let id = try #require(response.values("mcp-session-id").first)
                return (id, String(decoding: response.body, as: UTF8.self))
            }
        }

        /// How many sessions do not get to their server, each through another Berth than the last time.
        private func lost(_ berths: Berths, _ sessions: [Session], round: Int) throws -> Int {
            var lost = 0
            for (number, session) in sessions.enumerated() {
                let proxy = berths.proxies[(number + round) % berths.proxies.count]
                let response = try post(proxy, Self.call, session: session.id)
                if response.status != 200 || String(decoding: response.body, as: UTF8.self) != session.server {
                    lost += 1
                }
            }
            return lost
        }

        private static func key(_ number: UInt8) -> SigningKey { SigningKey([UInt8](repeating: number, count: 32)) }

        @Test("a session that one has opened is served by every other, also when some die and new ones come")
        func sessions() throws {
            let berths = try Berths(3, replicas: 3, keys: [Self.key(1)])
            let sessions = try open(berths, 1_000)
            #expect(Set(sessions.map(\.server)).count == 3)
            for round in 1...2 { #expect(try lost(berths, sessions, round: round) == 0) }
            berths.kill(0)
            #expect(try lost(berths, sessions, round: 1) == 0)
            try berths.add()
            berths.kill(0)
            berths.kill(0)
            #expect(try lost(berths, sessions, round: 0) == 0, "none is left of those that opened them")
        }

        @Test("keys change in three steps, one Berth after the other, without a lost session")
        func rotation() throws {
            let (old, new) = (Self.key(1), Self.key(2))
            let berths = try Berths(3, replicas: 3, keys: [old])
            var sessions = try open(berths, 90)
            for keys in [[old, new], [new, old], [new]] {
                // Before the last step, sessions that the old key has signed must be over.
                if keys == [new] { sessions = Array(sessions.suffix(30)) }
                for index in berths.proxies.indices {
                    try berths.rotate(index, to: keys)
                    sessions += try open(berths, 30)
                    #expect(try lost(berths, sessions, round: index) == 0, "\(keys.count) keys, Berth \(index)")
                }
            }
        }

        @Test("one step less, and Berths that do not know the new key yet lose sessions")
        func wrongOrder() throws {
            let berths = try Berths(3, replicas: 3, keys: [Self.key(1)])
            try berths.rotate(0, to: [Self.key(2), Self.key(1)])
            let sessions = try open(berths, 30)
            #expect(try lost(berths, sessions, round: 1) > 0)
        }
    }
}
