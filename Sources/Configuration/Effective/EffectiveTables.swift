// Writes every table with all its keys, in the order of the documentation.

extension EffectiveText {
    mutating func write(_ global: GlobalConfiguration) {
        open("[global]", path: "global")
        value("workers", global.workers)
        value("admin", adminText(global))
        value("admin_hosts", "[\(global.adminHosts.map(TOMLText.quoted).joined(separator: ", "))]")
        switch global.adminToken {
        case .file(let path): value("admin_token", TOMLText.quoted("file:\(path)"))
        case .text: line("# admin_token comes from the environment", origin(of: "global.admin_token"))
        case nil: value("admin_token", nil, unset: "nothing can be changed on the admin address")
        }
        value("watch", global.watch)
        value("drain_delay", global.drainDelay)
        value("drain_timeout", global.drainTimeout)
        value("upgrade_timeout", global.upgradeTimeout)
        value(
            "memory_limit", global.memoryLimit.map { TOMLText.quoted(ByteSizeText.text($0)) },
            unset: "all that the system gives")
        value("pid_file", global.pidFile.map(TOMLText.quoted), unset: "no file")
        switch global.secret {
        case .file(let path): value("secret", TOMLText.quoted("file:\(path)"))
        case .key: line("# secret comes from the environment", origin(of: "global.secret"))
        case nil: value("secret", nil, unset: "session keys end with the process")
        }
        guard let trace = global.trace else { return value("trace", nil, unset: "no spans are made") }
        open("[global.trace]", path: "global.trace")
        value("otlp", TOMLText.quoted(trace.url))
        value("ratio", "\(trace.ratio)")
    }

    mutating func write(_ alerts: AlertsConfiguration) {
        open("[alerts]", path: "alerts")
        value("window", alerts.window)
        value("tool_p95", orOff: alerts.toolP95)
        value("error_rate", orOff: alerts.errorRate)
        value("waiting", orOff: alerts.waiting)
        value("memory", orOff: alerts.memory)
        value("connections", orOff: alerts.connections)
        value("certificate", orOff: alerts.certificate)
    }

    private mutating func value(_ key: String, orOff share: Double?) {
        value(key, share.map { "\($0)" } ?? "\"off\"")
    }

    mutating func write(_ metrics: MetricsConfiguration) {
        open("[metrics]", path: "metrics")
        value("calls", metrics.countsCalls)
        value("max_tools", metrics.maximumTools)
    }

    private func adminText(_ global: GlobalConfiguration) -> String {
        let places = [global.adminSocket.map { "unix:\($0)" }, global.admin?.description].compactMap { $0 }
        guard places.count > 1 else { return TOMLText.quoted(places.first ?? "off") }
        return "[\(places.map(TOMLText.quoted).joined(separator: ", "))]"
    }

    mutating func write(_ listener: ListenerConfiguration, table: String) {
        open("[[listen]]", path: table)
        let address = TOMLText.quoted(listener.address.description)
        switch listener.security {
        case .plain: value("http", address)
        case .tls(let tls):
            value("https", address)
            // The certificate of the table itself; those of [[listen.certificate]] are written below.
            if let own = tls.certificates.first, own.table == table { write(own, isServed: true) }
        }
        value("alpn", "[\(listener.protocols.map { "\"\($0.rawValue)\"" }.joined(separator: ", "))]")
        value("trusted_proxies", ranges: listener.trustedProxies)
        value(
            "trusted_header", listener.trustedHeader.map(TOMLText.quoted),
            unset: "X-Forwarded-For has the client's address")
        write(listener.access)
        value("public_url", listener.publicURL.map(TOMLText.quoted), unset: "scheme and host of each request")
        if !listener.hosts.isEmpty { value("hosts", texts: listener.hosts) }
        value("proxy_protocol", listener.proxyProtocol)
        value(
            "forwarded_proto", listener.forwardedProto.map { TOMLText.quoted($0.rawValue) },
            unset: "the scheme of the connection")
        if listener.security == .plain {
            value("h2c", listener.h2c)
            value("redirect", listener.redirectPort.map { "\"https:\($0)\"" }, unset: "plain requests are served")
        }
        value("max_connections", listener.maximumConnections)
        value(
            "max_connections_per_address", listener.maximumPerAddress.map(TOMLText.integer) ?? "\"off\"")
        value("connection_opens", TOMLText.quoted(listener.connectionOpens?.text ?? "off"))
        if case .tls(let tls) = listener.security {
            open("[listen.tls]", path: "\(table).tls")
            value("min", TOMLText.quoted(tls.minimumVersion.rawValue))
            value("ciphers", tls.ciphers.map(TOMLText.quoted), unset: "forward secrecy and AEAD only")
            value("tickets", tls.tickets)
            value("records", TOMLText.quoted(tls.records.rawValue))
            if let clients = tls.clientAuthentication {
                open("[listen.client_auth]", path: "\(table).client_auth")
                value("mode", TOMLText.quoted(clients.mode.rawValue))
                value("ca", TOMLText.quoted(clients.authorities))
            }
            for certificate in tls.certificates where certificate.table != table {
                open("[[listen.certificate]]", path: certificate.table)
                write(certificate, isServed: true)
            }
        }
        open("[listen.timeouts]", path: "\(table).timeouts")
        value("tls", listener.timeouts.tls)
        value("header", listener.timeouts.header)
        value("body", listener.timeouts.body)
        value("idle", listener.timeouts.idle)
        write(listener.tcp, path: "\(table).tcp", shown: "[listen.tcp]")
        open("[listen.limits]", path: "\(table).limits")
        value("header_bytes", size: listener.limits.headerBytes)
        value("headers", listener.limits.headers)
        value("request_body", size: listener.limits.requestBody)
        value("h2_streams", listener.limits.streams)
    }

    private mutating func write(_ certificate: CertificateFiles, isServed: Bool) {
        value("cert", TOMLText.quoted(certificate.certificate))
        value("key", TOMLText.quoted(certificate.key))
        if isServed { value("ocsp", certificate.ocsp.map(TOMLText.quoted), unset: "nothing is stapled") }
    }

    mutating func write(_ upstream: UpstreamConfiguration) {
        let path = "upstream.\(TOMLText.key(upstream.name))"
        open("[\(path)]", path: path)
        writeServers(upstream.servers, path: path)
        value("balance", TOMLText.quoted(upstream.balance.rawValue))
        value("affinity_key", upstream.affinityKey.map { TOMLText.quoted($0.text) }, unset: "balance alone decides")
        value("host", upstream.host.text)
        value("legacy_errors", TOMLText.quoted(upstream.legacyErrors.rawValue))
        if let discover = upstream.discover { write(discover, path: "\(path).discover") }
        if let tls = upstream.tls { write(tls, path: "\(path).tls") }
        open("[\(path).session]", path: "\(path).session")
        value("affinity", TOMLText.quoted(upstream.session.affinity.rawValue))
        value("idle", upstream.session.idle)
        value("on_lost", TOMLText.quoted(upstream.session.onLost.rawValue))
        value("max_per_server", upstream.session.maximumPerServer.map(TOMLText.integer) ?? "\"off\"")
        if let store = upstream.session.store { write(store) }
        write(upstream.pool, path: "\(path).pool")
        open("[\(path).queue]", path: "\(path).queue")
        value("max", upstream.queue.maximum)
        value("timeout", upstream.queue.timeout)
        open("[\(path).circuit_breaker]", path: "\(path).circuit_breaker")
        value("max_calls", upstream.circuitBreaker.maximumCalls.map(TOMLText.integer) ?? "\"off\"")
        value("max_pending", upstream.circuitBreaker.maximumPending.map(TOMLText.integer) ?? "\"off\"")
        open("[\(path).timeouts]", path: "\(path).timeouts")
        value("first_byte", orOff: upstream.timeouts.firstByte)
        value("read", upstream.timeouts.read)
        value("stream_idle", orOff: upstream.timeouts.streamIdle)
        write(upstream.tcp, path: "\(path).tcp", shown: "[\(path).tcp]")
        open("[\(path).sse]", path: "\(path).sse")
        value("heartbeat", orOff: upstream.events.heartbeat)
        write(upstream.healthCheck, path: "\(path).health_check")
        if let outliers = upstream.outlierDetection { write(outliers, path: "\(path).outlier_detection") }
        open("[\(path).retry]", path: "\(path).retry")
        value("attempts", upstream.retry.attempts)
        value("budget", RetryConfiguration.share(upstream.retry.budgetPercent))
        value("trust_annotations", upstream.retry.trustsAnnotations)
        if let cache = upstream.cache { write(cache, path: "\(path).cache") }
    }

    private mutating func write(_ tcp: TCPConfiguration, path: String, shown: String) {
        open(shown, path: path)
        value("keepalive", orOff: tcp.keepAlive)
        value("user_timeout", orOff: tcp.userTimeout)
    }

    private mutating func write(_ tls: UpstreamTLSConfiguration, path: String) {
        open("[\(path)]", path: path)
        value("ca", tls.authorities.map(TOMLText.quoted), unset: "the system's authorities")
        if let certificate = tls.certificate { write(certificate, isServed: false) }
        value("server_name", tls.serverName.map(TOMLText.quoted), unset: "each server's own host")
        value("verify", tls.verifies)
    }

    private mutating func writeServers(_ servers: [ServerConfiguration], path: String) {
        guard !servers.isEmpty else { return value("servers", nil, unset: "all are found by discover") }
        line("servers = [", origin(of: "\(path).servers"))
        for server in servers {
            let address = TOMLText.quoted(server.address.description)
            line(
                "  { address = \(address), weight = \(TOMLText.integer(server.weight)), backup = \(server.isBackup), "
                    + "drain = \(server.isDraining) },", nil)
        }
        line("]", nil)
    }

    private mutating func write(_ pool: PoolConfiguration, path: String) {
        open("[\(path)]", path: path)
        value("max", pool.maximum)
        value("min", pool.minimum)
        value("idle_timeout", pool.idleTimeout)
        value("connect_timeout", pool.connectTimeout)
        value("max_uses", pool.maximumUses.map(TOMLText.integer) ?? "\"off\"")
        value("max_age", orOff: pool.maximumAge)
        value("max_streams", pool.maximumStreams)
        value("max_share", pool.maximumShare)
    }

    private mutating func write(_ check: HealthCheckConfiguration, path: String) {
        open("[\(path)]", path: path)
        switch check.kind {
        case .tcp: value("type", "\"tcp\"")
        case .http(let page, let host):
            value("type", "\"http\"")
            value("path", TOMLText.quoted(page))
            value("host", host.map(TOMLText.quoted), unset: "the server's own address")
            write(check.expectation)
        case .mcp(let page, let host):
            value("type", "\"mcp\"")
            value("path", TOMLText.quoted(page))
            value("host", host.map(TOMLText.quoted), unset: "the server's own address")
        }
        value("interval", check.interval)
        value("timeout", check.timeout)
        value("rise", check.rise)
        value("fall", check.fall)
        value("slow_start", orOff: check.slowStart)
        value("on_down", TOMLText.quoted(check.onDown.rawValue))
        value("panic_threshold", check.panicThreshold)
    }
}

extension EffectiveText {
    private mutating func write(_ outliers: OutlierDetectionConfiguration, path: String) {
        open("[\(path)]", path: path)
        value("consecutive_failures", outliers.consecutiveFailures)
        value("base_ejection", outliers.baseEjection)
        value("max_ejected", outliers.maximumEjected)
    }

    private mutating func write(_ expectation: HealthCheckExpectation) {
        let body = expectation.body.map { ", body = \(TOMLText.quoted($0))" } ?? ""
        value("expect", "{ status = \(TOMLText.quoted(StatusRangesText.text(expectation.status)))\(body) }")
    }
}

extension HostPolicy {
    fileprivate var text: String {
        switch self {
        case .keep: "\"keep\""
        case .upstream: "\"upstream\""
        case .fixed(let name): TOMLText.quoted(name)
        }
    }
}
