import Kernel
import Logging
import Proxy
import TLS
import Telemetry
import Testing

extension SocketTests {
    @Suite("Upstream TLS", .serialized)
    struct ServerTLSTests {
        private static let request = "GET /one HTTP/1.1\r\nHost: a\r\n\r\n"

        /// A proxy whose only server is the TLS listener of another proxy.
        private final class Front: Sendable {
            let proxy: ProxyServer

            init(
                _ back: Rig, _ context: TLSClientContext, name: String = "localhost",
                adjusting adjust: (inout UpstreamPlan) -> Void = { _ in }
            ) throws {
                var snapshot = Snapshot()
                var endpoint = ServerPlan(address: back.secure, name: "\(back.secure)", upstream: 0)
                endpoint.serverName = name
                snapshot.servers = [endpoint]
                var upstream = UpstreamPlan(name: "mcp", servers: 0..<1)
                upstream.affinity = .off
                upstream.healthCheck.interval = .seconds(3_600)
                upstream.tls = context
                adjust(&upstream)
                snapshot.upstreams = [upstream]
                snapshot.routes = [RoutePlan(upstream: 0)]
                snapshot.listeners = [ListenerPlan(address: .loopback(port: 0))]
                var log = Logger(label: "tests")
                log.logLevel = .critical
                proxy = try ProxyServer(snapshot: snapshot, workers: 1, log: log)
                try proxy.start()
            }

            deinit { proxy.stop() }

            func client() throws -> Client { try Client(proxy.addresses[0]) }
            func sum(_ metric: ServerMetric) -> Int64 { proxy.metrics.sum(metric, server: 0) }
            func status() throws -> Int {
                let client = try client()
                client.send(request)
                return try client.response().status
            }
        }

        private static func context(_ version: TLSVersion = .v1_3, identity: TLSIdentity? = nil) throws
            -> TLSClientContext
        {
            var options = TLSOptions()
            options.maximumVersion = version
            return try TLSClientContext(trust: Certificates.trust, identity: identity, options: options)
        }

        @Test("many requests share one TLS connection to the server", arguments: [TLSVersion.v1_2, .v1_3])
        func requests(_ version: TLSVersion) throws {
            let back = try Rig()
            let front = try Front(back, Self.context(version))
            for _ in 0..<3 {
                let client = try front.client()
                for _ in 0..<10 {
                    client.send(Self.request)
                    #expect(try client.response().text == "ok")
                }
            }
            #expect(back.replica.requests.count == 30)
            #expect(back.replica.requests.allSatisfy { $0.values("x-forwarded-proto") == ["https"] })
            #expect(front.sum(.connectionsOpened) == 1)
        }

        @Test("20 MB arrive unchanged in both directions")
        func bodies() throws {
            let size = 20_000_000
            let back = try Rig(
                answering: { _ in [.text("HTTP/1.1 200 OK\r\ncontent-length: \(size)\r\n\r\n"), .pattern(size)] },
                adjusting: { listener, _ in listener.maximumRequestBody = 1 << 30 })
            let front = try Front(back, Self.context())
            let client = try front.client()
            client.send(Self.request)
            #expect(try client.head().status == 200)
            #expect(try client.skipPattern(size))
            back.replica.reset { request in [.answer("\(request.body == Pattern.prefix(7_000_000))")] }
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 7000000\r\n\r\n")
            client.send(Pattern.prefix(7_000_000))
            #expect(try client.response().text == "true")
        }

        @Test("events are forwarded at once")
        func events() throws {
            let back = try Rig(answering: { _ in [.eventStreamHead] })
            let front = try Front(back, Self.context())
            let client = try front.client()
            client.send("GET /mcp HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n")
            #expect(try client.head().status == 200)
            for number in 0..<20 {
                back.replica.pushToAll(.event("\(number)"))
                #expect(try client.chunk() == Array("data: \(number)\n\n".utf8))
            }
        }

        @Test(
            "a server with another name or an untrusted certificate gets no request",
            arguments: [TLSVersion.v1_2, .v1_3])
        func verification(_ version: TLSVersion) throws {
            let back = try Rig()
            let untrusted = try SelfSignedCertificate.make(names: ["localhost"], validDays: 1)

            #expect(try Front(back, Self.context(version), name: "other.example.org").status() >= 502)
            #expect(try Front(back, Self.context(version), name: "127.0.0.2").status() >= 502)
            let trusting = try TLSClientContext(trust: .certificates(untrusted.certificatePEM))
            #expect(try Front(back, trusting).status() >= 502)
            #expect(try Front(back, TLSClientContext(trust: .system)).status() >= 502)
            #expect(back.replica.requests.isEmpty)

            #expect(try Front(back, Self.context(version), name: "127.0.0.1").status() == 200)
            #expect(try Front(back, TLSClientContext(trust: .anyone), name: "other.example.org").status() == 200)
        }

        @Test("a server without TLS, or one that sends nothing, leads to 502")
        func noTLS() throws {
            let back = try Rig()
            let front = try Front(back, Self.context())
            #expect(try front.status() == 200)
            let plain = try Rig(adjusting: { _, upstream in upstream.tls = try? Self.context() })
            let client = try plain.client()
            client.send(Self.request)
            #expect(try client.response().status >= 502)
        }

        @Test("a server that requests a client certificate gets it")
        func identity() throws {
            let authority = try Authority("berths")
            let back = try Rig(handshaking: { listener in
                var options = TLSOptions()
                options.clients = ClientAuthentication(isRequired: true, authorities: .bytes(authority.certificate))
                listener.tls = try TLSContext([Certificates.identity], options: options)
                listener.asksForCertificates = true
            })
            #expect(try Front(back, Self.context()).status() >= 502)
            #expect(back.replica.requests.isEmpty)
            #expect(try Front(back, Self.context(identity: authority.sign("/CN=berth-1"))).status() == 200)
            #expect(back.replica.requests.first?.values("x-client-cert-subject") == ["CN=berth-1"])
        }

        @Test("reloaded certificates and authorities apply to new connections, and open ones persist")
        func swap() throws {
            let authority = try Authority("berths")
            let folder = try TemporaryFolder()
            func put(_ name: String) throws {
                let identity = try authority.sign("/CN=\(name)")
                guard case .bytes(let certificate) = identity.certificate, case .bytes(let key) = identity.key else {
                    return
                }
                _ = try folder.write("c.pem", certificate)
                _ = try folder.write("k.pem", key)
            }
            try put("berth-1")
            guard case .certificates(let trusted) = try Certificates.trust else { return }
            _ = try folder.write("ca.pem", trusted)
            let files = TLSClientFiles(
                pair: TLSFiles.Pair(certificate: folder.path("c.pem"), key: folder.path("k.pem")),
                authorities: folder.path("ca.pem"), otherwise: .system)
            let back = try Rig(handshaking: { listener in
                var options = TLSOptions()
                options.clients = ClientAuthentication(isRequired: true, authorities: .bytes(authority.certificate))
                listener.tls = try TLSContext([Certificates.identity], options: options)
                listener.asksForCertificates = true
            })
            let watched = try ReloadingClientTLS(files)
            // One client keeps its connection; the other makes one for each request and could resume.
            let keeping = try Front(back, watched.context) { $0.reloadingTLS = watched }
            let changing = try Front(back, watched.context) {
                $0.reloadingTLS = watched
                $0.pool.maximumUses = 1
                $0.healthCheck.interval = .milliseconds(100)
            }
            func shown(by front: Front) throws -> [String]? {
                guard try front.status() == 200 else { return nil }
                return back.replica.requests.last?.values("x-client-cert-subject")
            }
            for _ in 0..<3 {
                #expect(try shown(by: keeping) == ["CN=berth-1"])
                #expect(try shown(by: changing) == ["CN=berth-1"])
            }
            try put("berth-2")
            try eventually("the new certificate") { try shown(by: changing) == ["CN=berth-2"] }
            for _ in 0..<3 { #expect(try shown(by: changing) == ["CN=berth-2"]) }
            #expect(try shown(by: keeping) == ["CN=berth-1"])
            #expect(keeping.sum(.connectionsOpened) == 1)

            // The server's certificate is no longer trusted: no new connection is possible.
            _ = try folder.write("ca.pem", authority.certificate)
            try eventually("the new authorities") { try shown(by: changing) == nil }
            #expect(try shown(by: keeping) == ["CN=berth-1"])
            #expect(keeping.sum(.connectionsOpened) == 1)

            _ = try folder.write("ca.pem", trusted)
            // The health checks must fail too.
            try eventually("the old authorities") { try shown(by: changing) == ["CN=berth-2"] }
            #expect(changing.proxy.certificates.totals.refused == 0)
        }

        @Test("a second connection resumes the session of the first", arguments: [TLSVersion.v1_2, .v1_3])
        func resumption(_ version: TLSVersion) throws {
            let back = try Rig()
            let front = try Front(back, Self.context(version)) { $0.pool.maximumUses = 1 }
            for _ in 0..<10 { #expect(try front.status() == 200) }
            #expect(front.sum(.connectionsOpened) == 10)
            #expect(back.proxy.snapshot.listeners[1].tls?.resumptions == 9)
        }

        @Test("parked connections stay open when tickets arrive on them")
        func warm() throws {
            let back = try Rig()
            let front = try Front(back, Self.context()) { $0.pool.minimum = 3 }
            try eventually("three warm connections") { front.sum(.parked) == 3 }
            for _ in 0..<5 {
                pause(milliseconds: 100)
                #expect(try front.status() == 200)
            }
            #expect(front.sum(.connectionsOpened) == 3)
        }

        @Test("health checks use TLS", arguments: [HealthCheckPlan.Kind.tcp, .http])
        func healthChecks(_ kind: HealthCheckPlan.Kind) throws {
            let back = try Rig()
            func front(_ name: String) throws -> Front {
                try Front(back, Self.context(), name: name) {
                    $0.healthCheck.kind = kind
                    $0.healthCheck.interval = .milliseconds(100)
                }
            }
            let good = try front("localhost")
            let bad = try front("other.example.org")
            func health(_ front: Front) -> Int64 { front.proxy.metrics.view.load(.health, server: 0) }
            let (before, after) = (health(good), health(bad))
            try eventually("a verdict on both") { health(good) != before && health(bad) != after }
            try eventually("the server with the wrong name to be down") { try bad.status() == 503 }
            #expect(try good.status() == 200)
        }
    }
}
