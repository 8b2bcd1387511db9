extension NginxTranslation {
    /// The index of the upstream that a target names, made if it is new; nil if it has no servers that Berth can reach.
    mutating func upstream(for target: ProxyTarget, _ directive: NginxDirective) -> Int? {
        if let index = upstreamIndices[target.name] {
            let isSecure = result.upstreams[index].tls != nil
            if isSecure != target.usesTLS, upstreamWishes[index]?.hosts.isEmpty == false {
                result.notes.note(
                    directive.statement, .leftOut,
                    "the servers of an upstream are spoken to in HTTP or in HTTPS, not in both")
            }
            return index
        }
        guard !result.isTooLarge else { return nil }
        if let level = upstreams[target.name] { return addUpstream(key: target.name, level, usesTLS: target.usesTLS) }
        guard let address = target.address else { return nil }
        let key = "\(target.usesTLS ? "https" : "http") \(address)"
        if let index = upstreamIndices[key] { return index }
        var upstream = ImportedUpstream(name: freeName(for: address))
        upstream.servers = [ImportedUpstream.Server(address: address)]
        upstream.place = directive.statement.id
        return add(upstream, key: key)
    }

    /// An upstream of several targets, each an address or the name of an upstream.
    mutating func addUpstream(key: String, name: String, targets: [String]) {
        var upstream = ImportedUpstream(name: freeName(name))
        upstream.place = maps[name]?.statement.id ?? 0
        for target in targets {
            if let level = upstreams[target] {
                upstream.servers += servers(of: level).filter { server in
                    !upstream.servers.contains { $0.address == server.address }
                }
                upstream.blocks.append(level.sourceBlock)
            } else if let address = ProxyTarget.address(target, defaultPort: 80),
                !upstream.servers.contains(where: { $0.address == address })
            {
                upstream.servers.append(ImportedUpstream.Server(address: address))
            }
        }
        if !upstream.servers.isEmpty { _ = add(upstream, key: key) }
    }

    private mutating func add(_ upstream: ImportedUpstream, key: String) -> Int {
        if result.upstreams.count >= ImportedConfiguration.maximumUpstreams { result.isTooLarge = true }
        result.upstreams.append(upstream)
        upstreamIndices[key] = result.upstreams.count - 1
        return result.upstreams.count - 1
    }

    private mutating func addUpstream(key: String, _ level: NginxLevel, usesTLS: Bool) -> Int? {
        let found = servers(of: level)
        guard !found.isEmpty else { return nil }
        var upstream = ImportedUpstream(name: freeName(key))
        upstream.servers = found
        upstream.blocks = [level.sourceBlock]
        upstream.place = level.head.id
        readSettings(of: level, into: &upstream)
        let index = add(upstream, key: key)
        noteAffinity(level, index)
        return index
    }

    // MARK: - Names

    /// A name that no other upstream has.
    private func freeName(_ wanted: String) -> String {
        let plain = String(wanted.prefix(64).map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") ? $0 : "-" })
        let base = plain.isEmpty ? "mcp" : plain
        guard result.upstreams.contains(where: { $0.name == base }) else { return base }
        return (2...1_100).map { "\(base)-\($0)" }.first { name in !result.upstreams.contains { $0.name == name } }
            ?? base
    }

    /// A name for the one server at an address: "mcp-server" for "mcp-server:3001", "localhost-3001" for "localhost:3001".
    private func freeName(for address: String) -> String {
        let host = address.prefix { $0 != ":" }
        let isName = host.contains { $0.isLetter } && host != "localhost" && !address.hasPrefix("[")
        return freeName(
            isName ? String(host.prefix { $0 != "." }) : address.replacing("[", with: "").replacing("]", with: ""))
    }

    // MARK: - Servers

    /// The servers of an upstream that Berth can reach, with their notes.
    private mutating func servers(of level: NginxLevel) -> [ImportedUpstream.Server] {
        var servers: [ImportedUpstream.Server] = []
        for directive in level["server"] {
            guard let written = directive.first, let address = ProxyTarget.address(written, defaultPort: 80) else {
                let isSocket = directive.first?.hasPrefix("unix:") ?? false
                result.notes.note(
                    directive.statement, .leftOut,
                    isSocket ? "servers are reached by TCP, not at Unix sockets" : "this is no address of a server")
                continue
            }
            guard !servers.contains(where: { $0.address == address }) else {
                result.notes.note(
                    directive.statement, .repaired, "it stands here twice; a greater share is said by weight")
                continue
            }
            guard servers.count < 10_000 else { break }
            var server = ImportedUpstream.Server(address: address)
            server.weight = min(1_000, max(1, directive.parameter("weight").flatMap { Int($0) } ?? 1))
            server.isBackup = directive.words.contains("backup")
            server.isDraining = directive.words.contains("drain") || directive.words.contains("down")
            result.notes.note(directive.statement, .kept, Self.reason(of: directive))
            servers.append(server)
        }
        if !servers.isEmpty, !servers.contains(where: { !$0.isBackup && !$0.isDraining }) {
            for index in servers.indices { (servers[index].isBackup, servers[index].isDraining) = (false, false) }
            result.notes.add(to: level.head, .repaired, "no server would get new sessions, so all are in use")
        }
        return servers
    }

    private static func reason(of server: NginxDirective) -> String {
        if server.words.contains("down") { return "drain: it gets no new sessions" }
        if server.words.contains("resolve") {
            return "its name is looked up again; for several replicas behind it: discover"
        }
        return ""
    }

    // MARK: - Settings

    private mutating func readSettings(of level: NginxLevel, into upstream: inout ImportedUpstream) {
        for directive in level.directives where directive.name != "server" {
            let statement = directive.statement
            switch directive.name {
            case "least_conn", "least_time":
                upstream.balance = .leastRequests
                result.notes.note(statement, .kept, "for new sessions")
            case "random":
                upstream.balance = directive.words.contains("two") ? .powerOfTwo : .roundRobin
                result.notes.note(statement, .kept, "for new sessions")
            case "zone", "keepalive", "state", "server_resolve", "resolver", "resolver_timeout":
                let reason =
                    directive.name == "keepalive"
                    ? "connections are kept, as many as are in use" : "workers share what they know"
                result.notes.note(statement, .byDefault, reason)
            case "keepalive_timeout":
                upstream.idleTimeout = NginxValue.duration(directive.first)?.clamped(
                    to: .milliseconds(1) ... .seconds(31_536_000))
                result.notes.note(statement, .kept)
            case "keepalive_requests":
                upstream.maximumUses = NginxValue.integer(directive.first, in: 1...1_000_000_000)
                result.notes.note(statement, .kept)
            case "keepalive_time":
                upstream.maximumAge = NginxValue.duration(directive.first)?.clamped(
                    to: .milliseconds(1) ... .seconds(31_536_000))
                result.notes.note(statement, .kept)
            case "ip_hash", "hash", "sticky", "sticky_cookie_insert": break
            case "queue":
                upstream.queueTimeout = NginxValue.duration(directive.parameter("timeout"))?
                    .clamped(to: .milliseconds(1) ... .seconds(86_400))
                result.notes.note(statement, .kept)
            default:
                let reason = KnownDirectives.defaultReason(directive.name)
                result.notes.note(
                    statement, reason == nil ? .leftOut : .byDefault,
                    reason ?? "Berth has nothing for this in an upstream")
            }
        }
        readFailures(of: level, into: &upstream)
    }

    /// `max_fails`, `fail_timeout` and `max_conns` of servers, which Berth has for a whole upstream.
    private mutating func readFailures(of level: NginxLevel, into upstream: inout ImportedUpstream) {
        let servers = level["server"]
        let failures = servers.compactMap { NginxValue.integer($0.parameter("max_fails"), in: 0...1_000) }
        let timeouts = servers.compactMap { NginxValue.duration($0.parameter("fail_timeout")) }
        if !failures.isEmpty || !timeouts.isEmpty, failures.max() != 0 {
            // nginx's own defaults.
            let ejection = (timeouts.max() ?? .seconds(10)).clamped(to: .seconds(1) ... .seconds(86_400))
            upstream.outliers = ImportedUpstream.Outliers(failures: failures.max() ?? 1, ejection: ejection)
        }
        upstream.maximumConnections = servers.compactMap {
            NginxValue.integer($0.parameter("max_conns"), in: 1...1_000_000)
        }.max()
        if let slow = servers.compactMap({ NginxValue.duration($0.parameter("slow_start")) }).max(), slow >= .seconds(1)
        {
            upstream.healthCheck = ImportedUpstream.HealthCheck(slowStart: min(slow, .seconds(3_600)))
        }
    }

    // MARK: - Affinity

    /// Notes what becomes of the way in which nginx keeps sessions with servers.
    private mutating func noteAffinity(_ level: NginxLevel, _ index: Int) {
        var isKnown = false
        for directive in level.directives {
            let reason: String
            switch directive.name {
            case "ip_hash":
                reason = Affinity.repair(
                    "all who come from one /24, or from one NAT address, share a server, and a client that changes its network "
                        + "loses its session")
            case "hash": reason = Affinity.repair(Affinity.problem(ofHash: directive.first ?? ""))
            case "sticky", "sticky_cookie_insert":
                if directive.first == "learn",
                    directive.words.contains(where: { $0.lowercased().contains("mcp_session_id") })
                {
                    result.notes.note(
                        directive.statement, .byDefault,
                        "ids are signed: nothing is learned, and nothing lost at a restart")
                    isKnown = true
                    continue
                }
                reason = Affinity.repair(Affinity.cookies)
            default: continue
            }
            result.notes.note(directive.statement, .repaired, reason)
            isKnown = true
        }
        guard !isKnown, result.upstreams[index].hasChoice else { return }
        result.notes.add(to: level.head, .repaired, Affinity.none)
    }
}
