extension UpstreamConfiguration {
    init(name: String, from reader: consuming TableReader) {
        let discover = DiscoverConfiguration.read(from: reader.table("discover"))
        self.init(name: name, servers: reader.servers(areOptional: reader.has("discover")))
        self.discover = discover
        readSettings(from: &reader)
        reader.finish()
    }

    /// Decodes `[defaults]` for its errors only. Its values are inherited by the readers of the upstreams.
    static func checkDefaults(_ reader: consuming TableReader) {
        for key in ["servers", "discover"] {
            guard let entry = reader.entry(key) else { continue }
            reader.markHandled(key)
            reader.findings.report(
                entry.key, "[defaults] cannot have \(key)",
                because: "each upstream names its own; what they share is how servers are used")
        }
        var scratch = UpstreamConfiguration(name: "", servers: [])
        scratch.readSettings(from: &reader)
        reader.finish()
    }

    private mutating func readSettings(from reader: inout TableReader) {
        balance = reader.choice("balance", default: balance, aliases: Balance.aliases, explaining: Balance.explanation)
        affinityKey = reader.affinityKey()
        host = reader.hostPolicy() ?? host
        tls = UpstreamTLSConfiguration.read(from: reader.table("tls"))
        session = SessionConfiguration(from: reader.table("session"), balance: balance)
        pool = PoolConfiguration(from: reader.table("pool"))
        queue = QueueConfiguration(from: reader.table("queue"))
        circuitBreaker = CircuitBreakerConfiguration(from: reader.table("circuit_breaker"))
        timeouts = UpstreamTimeouts(from: reader.table("timeouts"))
        tcp = TCPConfiguration(from: reader.table("tcp"))
        events = EventStreamConfiguration(from: reader.table("sse"))
        healthCheck = HealthCheckConfiguration(from: reader.table("health_check"), host: host)
        retry = RetryConfiguration(from: reader.table("retry"))
        legacyErrors = reader.choice("legacy_errors", default: legacyErrors, aliases: LegacyErrors.aliases)
        outlierDetection = OutlierDetectionConfiguration.read(from: reader.table("outlier_detection"))
        cache = CacheConfiguration.read(from: reader.table("cache"))
        reader.rejectUnavailable("rate_limit", "slow_start")
    }
}

extension LegacyErrors {
    /// Other names of the two ways.
    fileprivate static let aliases: [String: LegacyErrors] = [
        "status": .http, "https": .http, "rpc": .rpc200, "json-rpc": .rpc200, "jsonrpc": .rpc200, "200": .rpc200,
    ]
}

extension Balance {
    /// Names that other programs use.
    fileprivate static let aliases: [String: Balance] = [
        "rr": .roundRobin, "wrr": .roundRobin, "weighted": .roundRobin, "smooth": .roundRobin,
        "source": .ipHash, "client-ip": .ipHash, "iphash": .ipHash, "source-ip": .ipHash,
        "least_conn": .leastRequests, "leastconn": .leastRequests, "least-conn": .leastRequests,
        "least-connections": .leastRequests, "least_request": .leastRequests, "least_connections": .leastRequests,
        "random": .powerOfTwo, "p2c": .powerOfTwo, "random-two": .powerOfTwo, "two-choices": .powerOfTwo,
        "rendezvous": .sessionHash, "consistent-hash": .sessionHash, "ring-hash": .sessionHash, "maglev": .sessionHash,
    ]

    /// Explains why affinity by a hash of the session id or by cookies does not work for MCP.
    fileprivate static func explanation(of text: String) -> TableReader.Explanation? {
        let word = text.lowercased()
        if word == "hash" || word.hasPrefix("hash:") || word.hasPrefix("hash ") || word.hasPrefix("header") {
            return TableReader.Explanation(
                verdict: "cannot keep sessions together",
                reason: "the first request (initialize) carries no session id, so it is hashed to one server and every "
                    + "later request to another: of three servers, two sessions in three fail",
                help: "balance = \"session-hash\" hashes a key that Berth hands out with the id, and finds the same "
                    + "server every time")
        }
        if ["sticky", "cookie", "session", "affinity", "sticky-session", "sticky-cookie"].contains(word) {
            return TableReader.Explanation(
                verdict: "is not needed",
                reason: "sessions stay with their server whatever places them, because session.affinity is "
                    + "\"signed\" by default; MCP clients keep no cookies",
                help: "remove it; balance only says where new sessions go")
        }
        return nil
    }
}

extension TableReader {
    fileprivate mutating func hostPolicy() -> HostPolicy? {
        guard let (text, entry) = text("host") else { return nil }
        switch text {
        case "keep": return .keep
        case "upstream": return .upstream
        default: break
        }
        let aliases = [
            "preserve": "keep", "client": "keep", "pass": "keep", "server": "upstream", "rewrite": "upstream",
        ]
        let isBareWord = !text.contains(".") && !text.contains(":")
        let meant = aliases[text.lowercased()] ?? Suggestion.nearest(to: text, among: ["keep", "upstream"])
        if isBareWord, let meant {
            findings.report(
                entry.value.range, "\(quote(entry)) would be sent as it is written",
                because: "host is \"keep\", \"upstream\" or the fixed name that servers are to see",
                help: "did you mean \(TOMLText.quoted(meant))?")
            return nil
        }
        guard Self.isHostField(text) else {
            findings.report(
                entry.value.range, "\(quote(entry)) is not a Host",
                because: "host is \"keep\", \"upstream\" or a name with an optional port, such as \"localhost:3001\"")
            return nil
        }
        return .fixed(text)
    }

    /// Whether a text is a valid Host: a name or an address, with an optional port (RFC 9110 section 7.2).
    static func isHostField(_ text: String) -> Bool {
        if let parts = try? HostAndPort(text) {
            return parts.isBracketed ? IPAddressText(parts.host) != nil : HostAndPort.isHostName(parts.host)
        }
        if text.hasPrefix("["), text.hasSuffix("]") { return IPAddressText(String(text.dropFirst().dropLast())) != nil }
        return HostAndPort.isHostName(text)
    }
}

extension SessionConfiguration {
    init(from reader: consuming TableReader, balance: Balance) {
        self.init()
        affinity = reader.choice(
            "affinity", default: affinity,
            aliases: [
                "sealed": .signed, "seal": .signed, "stateless": .signed, "table": .learned, "learn": .learned,
                "none": .off,
                "disabled": .off, "false": .off,
            ])
        idle = reader.duration(
            "idle", in: .seconds(1) ... .seconds(366 * 86_400), default: idle,
            cannotBeOff: "sessions that clients abandon without a word would be kept for ever")
        if balance == .sessionHash, affinity != .signed, let entry = reader.entry("affinity") {
            reader.findings.report(
                entry.value.range, "\(reader.quote(entry)) cannot go with balance = \"session-hash\"",
                because: "session-hash finds the server by a key inside the signed id, and only \"signed\" makes one",
                help: "affinity = \"signed\", or another balance")
        }
        onLost = reader.choice(
            "on_lost", default: onLost,
            aliases: ["off": .never, "false": .never, "404": .never, "true": .clean, "recover": .clean])
        maximumPerServer = reader.integerOrOff("max_per_server", in: 1...10_000_000, default: maximumPerServer)
        if affinity == .off, maximumPerServer != nil, let entry = reader.entry("max_per_server") {
            reader.findings.report(
                entry.value.range, "\(reader.quote(entry)) cannot go with affinity = \"off\"",
                because: "sessions that are not kept with their servers are not counted")
        }
        let storeEntry = reader.entry("store")
        store = reader.store()
        if let storeEntry, affinity == .off || (affinity == .signed && onLost != .always) {
            reader.findings.report(
                storeEntry.key, "store without affinity = \"learned\"",
                because: affinity == .off
                    ? "without affinity no session has a server"
                    : "a signed id says itself whose it is, and how a session was opened is shared for on_lost = \"always\" "
                        + "alone",
                help: affinity == .off ? "remove it" : "remove it, or on_lost = \"always\"")
        }
        reader.finish()
    }
}
