import Balancing
import Caching
package import Configuration
package import Discovery
import HTTP
package import Kernel
import RateLimiting
package import TLS
import Telemetry

extension Snapshot {
    /// The run-time form of a checked configuration. Loads certificates and resolves names, which may block for seconds;
    /// servers whose names do not resolve have no address. Names in `known` have these addresses, and are not looked up. All
    /// listeners share `tickets`, and keep them when certificates are swapped; nil: random ones that nobody else has.
    /// `learned`, `sessionTable` and `rateLimits` are what is known of sessions and rates already, and `stores` those that are in use;
    /// `discovered` are servers that were found, by upstream.
    package init(
        _ configuration: Configuration, keys: [SigningKey], tickets: TicketSecrets? = nil, names: NameLookup = .system,
        known: [String: [SocketAddress]] = [:], learned: LearnedSessions? = nil, sessionTable: SessionTable? = nil,
        rateLimits: RateLimits? = nil, stores: [SharedStore] = [], discovered: [String: [DiscoveredServer]] = [:]
    ) throws(StartError) {
        self.init()
        self.keys = keys
        self.discovered = discovered
        drainTimeout = Interval(configuration.global.drainTimeout)
        memoryLimit = configuration.global.memoryLimit.map { Int64($0) }
        countsCalls = configuration.metrics.countsCalls
        maximumToolNames = configuration.metrics.maximumTools
        logs = LogPlan(configuration.global)
        trace = configuration.global.trace.map { TracePlan($0) }
        sampler = trace?.sampler ?? .off
        let hosts =
            configuration.upstreams.flatMap { $0.servers.map(\.address.host) }
            + discovered.values.flatMap { $0.map(\.host) }
            + configuration.stores.map(\.host)
        let found = names.resolve(Set(hosts).subtracting(known.keys), within: .seconds(5)).merging(known) { $1 }
        var stores = stores
        for store in configuration.stores where !stores.contains(where: { $0.configuration == store }) {
            stores.append(try Self.sharedStore(store, found, names))
        }
        for upstream in configuration.upstreams { try append(upstream, found, stores) }
        let tickets = tickets ?? TicketSecrets([Machine.randomBytes(TicketRatchet.bytes)])
        for listener in configuration.listeners { listeners.append(try ListenerPlan(listener, tickets: tickets)) }
        if configuration.listeners.contains(where: { $0.connectionOpens != nil }) {
            connectionOpens = try ConnectionOpens()
        }
        let limits = try RateLimits.needed(by: configuration.routes, keeping: rateLimits)
        self.rateLimits = limits
        routes = configuration.routes.map { RoutePlan($0, limits, stores: stores) }
        shareTokens()
        if upstreams.contains(where: { $0.affinity == .learned }) {
            self.learned = learned ?? LearnedSessions(limit: 1_000_000)
        }
        if upstreams.contains(where: { $0.affinity != .off }) { self.sessionTable = sessionTable ?? SessionTable() }
    }

    private mutating func append(
        _ configuration: UpstreamConfiguration, _ found: [String: [SocketAddress]], _ stores: [SharedStore]
    ) throws(StartError) {
        let first = servers.count
        for server in configuration.servers {
            let name = server.address.description
            let port = server.address.port
            var plan = ServerPlan(address: .loopback(port: port), name: name, upstream: upstreams.count)
            plan.addresses = (found[server.address.host] ?? []).prefix(ServerPlan.maximumAddresses).map {
                $0.at(port: port)
            }
            if SocketAddress(literal: server.address.host, port: 0) == nil { plan.host = server.address.host }
            plan.weight = Int32(clamping: server.weight)
            plan.isBackup = server.isBackup
            plan.isDraining = server.isDraining
            plan.serverName = configuration.tls?.serverName ?? server.address.host
            servers.append(plan)
        }
        appendFound(configuration, found, upstream: upstreams.count, from: first)
        expectedServers += configuration.servers.count + (configuration.discover?.maximumServers ?? 0)
        var plan = UpstreamPlan(configuration, servers: first..<servers.count)
        if let tls = configuration.tls {
            do throws(TLSError) {
                plan.reloadingTLS = try ReloadingClientTLS(TLSClientFiles(tls))
            } catch {
                throw StartError("cannot speak TLS to upstream \(configuration.name): \(error)")
            }
        }
        if plan.affinity == .learned, let store = stores.first(for: configuration.session.store) {
            plan.sharing = SessionSharing(store, wait: store.wait, upstream: configuration.name)
        }
        if plan.affinity != .off, plan.onLost == .always, let store = stores.first(for: configuration.session.store) {
            plan.records = RecordSharing(store, wait: store.wait, upstream: configuration.name)
        }
        if let cache = configuration.cache {
            let sharing = stores.first(for: cache.store).map {
                AnswerSharing($0, wait: $0.wait, upstream: configuration.name)
            }
            plan.cache = UpstreamCache(CacheRules(cache), sharing: sharing)
        }
        upstreams.append(plan)
    }

    private static func sharedStore(
        _ configuration: StoreConfiguration, _ found: [String: [SocketAddress]], _ names: NameLookup
    ) throws(StartError) -> SharedStore {
        do throws(TLSError) {
            return try SharedStore(of: configuration, found: found[configuration.host] ?? [], names: names)
        } catch {
            throw StartError("cannot speak TLS to the store \(configuration.host): \(error)")
        }
    }

    /// Appends the listeners for the admin pages; the control thread alone opens them.
    package mutating func addAdminListeners(_ global: GlobalConfiguration) throws(StartError) {
        if let path = global.adminSocket { addAdminListener(ListenerPlan(atSocket: path)) }
        if let address = global.admin { addAdminListener(try ListenerPlan(at: address)) }
    }

    private mutating func addAdminListener(_ plan: ListenerPlan) {
        var plan = plan
        plan.role = .admin
        plan.acceptsH2C = false
        plan.maximumConnections = 256
        listeners.append(plan)
    }
}

extension Configuration {
    /// The stores that it names, each as often as it does.
    fileprivate var stores: [StoreConfiguration] {
        upstreams.flatMap { [$0.session.store, $0.cache?.store].compactMap(\.self) }
            + routes.flatMap { $0.rateLimits.compactMap(\.store) }
    }
}

extension [SharedStore] {
    /// The one that is configured so: all that name the same one share its connections.
    func first(for configuration: StoreConfiguration?) -> SharedStore? {
        configuration.flatMap { configuration in first { $0.configuration == configuration } }
    }
}

extension ListenerPlan {
    init(_ configuration: ListenerConfiguration, tickets: TicketSecrets) throws(StartError) {
        try self.init(at: configuration.address)
        if case .tls(let tls) = configuration.security {
            var options = TLSOptions()
            options.minimumVersion = tls.minimumVersion == .tls12 ? .v1_2 : .v1_3
            options.tickets = tls.tickets
            options.records = tls.records == .berth ? .own : .openSSL
            options.applicationProtocols = configuration.protocols.map(\.rawValue)
            options.ticketSecrets = tickets
            if let ciphers = tls.ciphers { options.ciphers = ciphers }
            options.clients = tls.clientAuthentication.map {
                ClientAuthentication(isRequired: $0.mode == .required, authorities: .file($0.authorities))
            }
            asksForCertificates = options.clients != nil
            do throws(TLSError) {
                let pairs = tls.certificates.map { TLSFiles.Pair($0) }
                reloadingTLS = try ReloadingTLS(TLSFiles(pairs, options: options))
                self.tls = reloadingTLS?.context
            } catch {
                throw StartError("cannot serve TLS on \(configuration.address): \(error)")
            }
        }
        trusted = configuration.trustedProxies
        trustedHeader = Array((configuration.trustedHeader ?? "").lowercased().utf8)
        access = AddressRules(configuration.access)
        hosts = configuration.hosts.map { HostPattern(configured: $0) }
        publicOrigin = Array((configuration.publicURL ?? "").utf8)
        redirectPort = configuration.redirectPort
        expectsProxyHeader = configuration.proxyProtocol
        forwardsAsHTTPS = configuration.forwardedProto == .https
        acceptsH2C = configuration.h2c
        maximumConnections = configuration.maximumConnections
        maximumPerAddress = configuration.maximumPerAddress ?? .max
        connectionOpens = configuration.connectionOpens.map { RequestRate(connectionOpens: $0) }
        handshakeTimeout = Interval(configuration.timeouts.tls)
        headTimeout = Interval(configuration.timeouts.header)
        bodyTimeout = Interval(configuration.timeouts.body)
        idleTimeout = Interval(configuration.timeouts.idle)
        limits.headBytes = configuration.limits.headerBytes
        limits.fields = configuration.limits.headers
        http2.concurrentStreams = UInt32(configuration.limits.streams)
        http2.headerListBytes = configuration.limits.headerBytes
        http2.fields = configuration.limits.headers
        maximumRequestBody = UInt64(configuration.limits.requestBody)
        tcp = TCPOptions(configuration.tcp)
    }

    /// The plan of a listener at a Unix socket, with everything else as by default. Its address is one that no machine has, of
    /// the discard prefix 100::/64 (RFC 6666), and follows from the path.
    package init(atSocket path: String) {
        self.init(
            address: SocketAddress(high: 0x0100 << 48, low: ServerTag.tag(of: path), port: 0, isIPv4: false))
        socketPath = path
    }

    /// The plan of a listener at an address, with everything else as by default. Without a host it is all addresses, those of
    /// IPv4 alone where there is no IPv6.
    package init(at address: ListenAddress) throws(StartError) {
        let isWildcard = address.host.isEmpty || address.host == "*"
        guard let literal = SocketAddress(literal: isWildcard ? "::" : address.host, port: address.port) else {
            throw StartError("cannot listen on \(address): not an IP address")
        }
        self.init(address: literal)
        if isWildcard { addressWithoutIPv6 = .ipv4(0, port: address.port) }
    }
}

extension TLSFiles.Pair {
    fileprivate init(_ files: CertificateFiles) {
        self.init(certificate: files.certificate, key: files.key, staple: files.ocsp)
    }
}

extension TLSClientFiles {
    fileprivate init(_ configuration: UpstreamTLSConfiguration) {
        self.init(
            pair: configuration.certificate.map { TLSFiles.Pair($0) },
            authorities: configuration.verifies ? configuration.authorities : nil,
            otherwise: configuration.verifies ? .system : .anyone)
    }
}

extension UpstreamPlan {
    init(_ configuration: UpstreamConfiguration, servers: Range<Int>) {
        self.init(name: configuration.name, servers: servers)
        policy =
            switch configuration.balance {
            case .roundRobin: .roundRobin
            case .ipHash: .ipHash
            case .sessionHash: .sessionHash
            case .leastRequests: .leastRequests
            case .powerOfTwo: .powerOfTwo
            }
        affinityKey = configuration.affinityKey.map { AffinityKey($0) }
        host =
            switch configuration.host {
            case .keep: .keep
            case .upstream: .upstream
            case .fixed(let name): .fixed(Array(name.utf8))
            }
        affinity =
            switch configuration.session.affinity {
            case .signed: .signed
            case .learned: .learned
            case .off: .off
            }
        sessionIdle = Interval(configuration.session.idle)
        onLost = configuration.session.onLost
        pool = PoolPlan(configuration.pool)
        queueLimit = Int64(configuration.queue.maximum)
        queueTimeout = Interval(configuration.queue.timeout)
        maximumCalls = configuration.circuitBreaker.maximumCalls.map { Int64($0) } ?? .max
        maximumPending = configuration.circuitBreaker.maximumPending.map { Int64($0) } ?? .max
        maximumSessions = configuration.session.maximumPerServer.map { Int64($0) } ?? .max
        firstByteTimeout = configuration.timeouts.firstByte.map { Interval($0) } ?? .unlimited
        readTimeout = Interval(configuration.timeouts.read)
        tcp = TCPOptions(configuration.tcp)
        streamIdleTimeout = configuration.timeouts.streamIdle.map { Interval($0) } ?? .unlimited
        heartbeat = configuration.events.heartbeat.map { Interval($0) } ?? .unlimited
        healthCheck = HealthCheckPlan(configuration.healthCheck)
        panicThreshold = configuration.healthCheck.panicThreshold
        retry = RetryPlan(configuration.retry)
        legacyErrors = configuration.legacyErrors == .rpc200 ? .rpc200 : .http
        outliers = configuration.outlierDetection.flatMap { OutlierPlan($0) }
    }
}

extension RetryPlan {
    init(_ configuration: RetryConfiguration) {
        policy = RetryPolicy(retryLimit: UInt8(clamping: configuration.attempts))
        budgetPercent = configuration.budgetPercent
        trustsAnnotations = configuration.trustsAnnotations
    }
}

extension TCPOptions {
    init(_ configuration: TCPConfiguration) {
        let userTimeout = configuration.userTimeout.map { Interval($0).nanoseconds / 1_000_000 } ?? 0
        self.init(
            keepAlive: CInt(clamping: configuration.keepAlive.map { Interval($0).nanoseconds / 1_000_000_000 } ?? 0),
            userTimeout: CInt(clamping: userTimeout))
    }
}

extension PoolPlan {
    init(_ configuration: PoolConfiguration) {
        maximum = Int64(configuration.maximum)
        maximumStreams = Int64(configuration.maximumStreams)
        minimum = Int64(configuration.minimum)
        maximumShare = configuration.maximumShare
        idleTimeout = Interval(configuration.idleTimeout)
        connectTimeout = Interval(configuration.connectTimeout)
        maximumUses = configuration.maximumUses.map { UInt32(clamping: $0) } ?? .max
        maximumAge = configuration.maximumAge.map { Interval($0) } ?? .unlimited
    }
}

extension OutlierPlan {
    init?(_ configuration: OutlierDetectionConfiguration) {
        guard configuration.consecutiveFailures > 0 else { return nil }
        self.init(
            rule: OutlierDetector.Rule(
                failures: configuration.consecutiveFailures,
                baseEjection: Interval(configuration.baseEjection).nanoseconds),
            maximumPercent: configuration.maximumEjected)
    }
}

extension HealthCheckPlan {
    init(_ configuration: HealthCheckConfiguration) {
        switch configuration.kind {
        case .tcp: break
        case .mcp(let path, let host):
            kind = .mcp
            self.path = Array(path.utf8)
            self.host = Array((host ?? "").utf8)
        case .http(let path, let host):
            kind = .http
            self.path = Array(path.utf8)
            self.host = Array((host ?? "").utf8)
            expectedStatus = configuration.expectation.status.map {
                UInt16(clamping: $0.lowerBound)...UInt16(clamping: $0.upperBound)
            }
            expectedBody = Array((configuration.expectation.body ?? "").utf8)
        }
        interval = Interval(configuration.interval)
        timeout = Interval(configuration.timeout)
        rise = configuration.rise
        fall = configuration.fall
        slowStart = configuration.slowStart.map { Interval($0) } ?? Interval(nanoseconds: 0)
        onDown =
            switch configuration.onDown {
            case .keep: .keep
            case .close: .close
            }
    }
}

extension RoutePlan {
    init(_ configuration: RouteConfiguration, _ rateLimits: RateLimits? = nil, stores: [SharedStore] = []) {
        self.init(upstream: configuration.upstream ?? 0)
        checksHeaders = configuration.checksHeaders
        extras = RouteExtras(configuration, rateLimits, stores: stores)
        host = configuration.host.map { HostPattern(configured: $0).text }
        path =
            switch configuration.path {
            case .any: .any
            case .exact(let path): .exact(Array(path.utf8))
            case .prefix(let path): .prefix(Array(path.utf8))
            }
    }
}
