import Glibc
import Kernel
import Logging
import Proxy
import Telemetry
import Testing

extension SocketTests {
    /// How a proxy starts, and how it does not.
    @Suite("Start", .serialized)
    struct StartTests {
        private static func snapshot(_ address: SocketAddress, server: SocketAddress) -> Snapshot {
            var snapshot = Snapshot()
            snapshot.keys = [SigningKey([UInt8](repeating: 7, count: SigningKey.bytes))]
            snapshot.servers = [ServerPlan(address: server, name: "\(server)", upstream: 0)]
            snapshot.upstreams = [UpstreamPlan(name: "mcp", servers: 0..<1)]
            snapshot.listeners = [ListenerPlan(address: address)]
            return snapshot
        }

        private static func proxy(
            _ address: SocketAddress, server: SocketAddress = .loopback(port: 9), workers: Int = 2
        ) throws -> ProxyServer {
            var log = Logger(label: "tests")
            log.logLevel = .critical
            return try ProxyServer(snapshot: snapshot(address, server: server), workers: workers, log: log)
        }

        @Test("a second proxy at the same address is refused, whether or not the first has started", arguments: 1...3)
        func secondProxy(workers: Int) throws {
            let first = try Self.proxy(.loopback(port: 0), workers: workers)
            let address = first.addresses[0]
            for isStarted in [false, true] {
                if isStarted { try first.start() }
                for others in 1...3 {
                    let error = #expect(throws: StartError.self) { try Self.proxy(address, workers: others) }
                    #expect(error?.description == "cannot listen on \(address): bind: Address already in use")
                }
            }

            first.stop()
            try eventually("the port is free again") { (try? Self.proxy(address)) != nil }
        }

        @Test("all workers get connections, though the first socket was bound alone")
        func spread() throws {
            let replica = try RecordingReplica { _ in [.answer("ok")] }
            defer { replica.stop() }
            let proxy = try Self.proxy(.loopback(port: 0), server: replica.address, workers: 3)
            try proxy.start()
            defer { proxy.stop() }
            for _ in 0..<96 {
                let client = try Client(proxy.addresses[0])
                client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try client.response().status == 200)
            }

            let began = (0..<3).map { proxy.metrics.view.read(.began, worker: $0) }

            #expect(began.reduce(0, +) == 96)
            #expect(began.allSatisfy { $0 > 0 }, "\(began)")
        }

        @Test("a new proxy starts where another one drains, whose call in flight completes", arguments: 1...3)
        func takeover(workers: Int) async throws {
            let replica = try RecordingReplica { $0.target == "/slow" ? [] : [.answer("ok")] }
            defer { replica.stop() }
            let old = try Self.proxy(.loopback(port: 0), server: replica.address, workers: workers)
            try old.start()
            let address = old.addresses[0]
            let slow = try Client(address)
            slow.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
            try eventually("the call at the replica") { replica.requests.contains { $0.target == "/slow" } }
            let connection = try #require(replica.requests.last).connection
            let drained = Task.detached { old.drain { usleep(1_000) != 0 } }

            var found: ProxyServer?
            try eventually("the address is free") {
                found = try? Self.proxy(address, server: replica.address, workers: workers)
                return found != nil
            }
            let new = try #require(found)
            try new.start()
            defer { new.stop() }
            let client = try Client(address)
            client.send("GET /quick HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.response().text == "ok")
            replica.push(.answer("late"), to: connection)

            #expect(try slow.response().text == "late")
            #expect(await drained.value == .finished)
            old.stop()
        }

        @Test("a listener that cannot be opened closes those that were")
        func oneOfTwo() throws {
            let taken = try Socket.listen(on: .loopback(port: 0), shared: false)
            defer { Socket.close(taken) }
            let free = try Socket.listen(on: .loopback(port: 0), shared: false)
            let (one, two) = (try #require(Socket.localAddress(free)), try #require(Socket.localAddress(taken)))
            Socket.close(free)
            var snapshot = Self.snapshot(one, server: .loopback(port: 9))
            snapshot.listeners.append(ListenerPlan(address: two))

            #expect(throws: StartError.self) {
                try ProxyServer(snapshot: snapshot, workers: 2, log: Logger(label: "tests"))
            }

            Socket.close(try Socket.listen(on: one, shared: false))
        }

        @Test("if a worker cannot start, start fails and no socket listens any more")
        func noDescriptors() async {
            await #expect(processExitsWith: .success) {
                let proxy = try StartTests.proxy(.loopback(port: 0), workers: 2)
                let address = proxy.addresses[0]
                // Descriptors for the listeners and nothing else: no worker gets a poller.
                var limit = rlimit()
                getrlimit(CInt(RLIMIT_NOFILE.rawValue), &limit)
                let before = limit.rlim_cur
                let next = dup(0)
                close(next)
                limit.rlim_cur = rlim_t(next)
                setrlimit(CInt(RLIMIT_NOFILE.rawValue), &limit)

                let error = #expect(throws: StartError.self) { try proxy.start() }

                limit.rlim_cur = before
                setrlimit(CInt(RLIMIT_NOFILE.rawValue), &limit)
                #expect(error?.description.contains("a worker cannot start") == true)
                // Fails if any of the sockets is still there.
                Socket.close(try Socket.listen(on: address, shared: false))
            }
        }
    }
}
