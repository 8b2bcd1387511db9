extension HAProxyTranslation {
    /// Makes the upstream of a `backend` or `listen`.
    mutating func translateBackend(_ proxy: Proxy) {
        let section = proxy.section
        var upstream = ImportedUpstream(name: name(for: section))
        upstream.place = section.head.statement.id
        upstream.blocks = [section.sourceBlock]
        readServers(proxy, &upstream)
        guard !upstream.servers.isEmpty || upstream.discover != nil else {
            if section.kind == "backend" { result.blocks.append(section.sourceBlock) }
            return
        }
        readBalance(proxy, upstream)
        readTimeouts(proxy, &upstream)
        readCheck(proxy, &upstream)
        upstream.balance = balance(proxy)
        noteAffinity(proxy, upstream)
        var rules = RouteRules()
        readRules(section, &rules, upstream: &upstream)
        backendRules[section.name] = rules
        guard result.upstreams.count < ImportedConfiguration.maximumUpstreams else {
            result.isTooLarge = true
            return
        }
        upstreamNames[section.name] = upstream.name
        result.upstreams.append(upstream)
    }

    private func name(for section: HAProxySection) -> String {
        let plain = String(
            section.name.prefix(64).map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") ? $0 : "-" })
        let base = plain.isEmpty ? "mcp" : plain
        guard result.upstreams.contains(where: { $0.name == base }) else { return base }
        return (2...1_100).map { "\(base)-\($0)" }.first { name in !result.upstreams.contains { $0.name == name } }
            ?? base
    }

    // MARK: - Servers

    private mutating func readServers(_ proxy: Proxy, _ upstream: inout ImportedUpstream) {
        let defaults = proxy.inherited("default-server").flatMap { $0.words(from: 1) }
        for line in proxy.section.all("server") {
            guard let address = address(line[2]) else {
                result.notes.note(
                    line.statement, .leftOut,
                    line[2].hasPrefix("/") || line[2].hasPrefix("unix@")
                        ? "servers are reached by TCP, not at Unix sockets" : "a server has an address with a port")
                continue
            }
            guard !upstream.servers.contains(where: { $0.address == address }), upstream.servers.count < 10_000 else {
                result.notes.note(line.statement, .repaired, "it stands here twice; a greater share is said by weight")
                continue
            }
            let options = line.words(from: 3)
            var server = ImportedUpstream.Server(address: address)
            let weight = Self.value("weight", options, defaults).flatMap { Int($0) } ?? 1
            server.weight = min(1_000, max(1, weight))
            server.isBackup = options.contains("backup")
            server.isDraining = options.contains("disabled") || weight == 0
            upstream.servers.append(server)
            result.notes.note(
                line.statement, .kept, server.isDraining ? "drain: it gets no new sessions" : "")
            readOptions(options, defaults, line, &upstream)
        }
        for line in proxy.section.all("server-template") {
            guard let address = address(line[3]), let colon = address.lastIndex(of: ":"), upstream.discover == nil,
                let port = Int(address[address.index(after: colon)...]), !address.hasPrefix("[")
            else {
                result.notes.note(line.statement, .leftOut, "servers that are found have one name and one port")
                continue
            }
            upstream.discover = ImportedUpstream.Discovery(name: String(address[..<colon]), port: port)
            result.notes.note(line.statement, .kept, "discover: every address of the name is a server")
            readOptions(line.words(from: 4), defaults, line, &upstream)
        }
        for line in proxy.inherited("default-server") { result.notes.note(line.statement, .kept) }
        if upstream.discover == nil, !upstream.servers.isEmpty, upstream.activeServers == 0 {
            for index in upstream.servers.indices {
                (upstream.servers[index].isBackup, upstream.servers[index].isDraining) = (false, false)
            }
            result.notes.add(
                to: proxy.section.head.statement, .repaired, "no server would get new sessions, so all are in use")
        }
    }

    /// "host:port"; a port must be there.
    private func address(_ text: String) -> String? {
        var text = text
        for prefix in ["ipv4@", "ipv6@", "tcp@"] where text.hasPrefix(prefix) {
            text = String(text.dropFirst(prefix.count))
        }
        guard let colon = text.lastIndex(of: ":"), colon != text.startIndex, !text.hasSuffix("]") else { return nil }
        return ProxyTarget.address(text, defaultPort: 80)
    }

    private static func value(_ name: String, _ options: [String], _ defaults: [String]) -> String? {
        for words in [options, defaults] {
            if let place = words.firstIndex(of: name), place + 1 < words.count { return words[place + 1] }
        }
        return nil
    }

    /// What a server's line says that Berth has for the whole upstream.
    private mutating func readOptions(
        _ options: [String], _ defaults: [String], _ line: HAProxyLine, _ upstream: inout ImportedUpstream
    ) {
        let all = options + defaults
        if all.contains("ssl"), upstream.tls == nil {
            var tls = ImportedUpstream.TLS()
            tls.verifies = Self.value("verify", options, defaults) != "none"
            if tls.verifies {
                tls.authorities = Self.value("ca-file", options, defaults).flatMap {
                    $0.hasPrefix("@") || !RouteHost.isPlain($0) ? nil : $0
                }
                let sni = Self.value("verifyhost", options, defaults) ?? Self.value("sni", options, defaults)
                let name = sni.map { $0.hasPrefix("str(") ? String($0.dropFirst(4).dropLast()) : $0 }
                tls.serverName = name.flatMap { RouteHost.isName($0) ? $0 : nil }
            }
            if let file = Self.value("crt", options, defaults), RouteHost.isPlain(file) {
                (tls.certificate, tls.key) = (file, file)
            }
            upstream.tls = tls
        }
        if let number = NginxValue.integer(Self.value("maxconn", options, defaults), in: 1...1_000_000) {
            upstream.maximumConnections = max(upstream.maximumConnections ?? 0, number)
        }
        guard all.contains("check") || all.contains("inter") else { return }
        var check = upstream.healthCheck ?? ImportedUpstream.HealthCheck()
        let interval = milliseconds(Self.value("inter", options, defaults)) ?? .seconds(2)
        check.interval = interval == .seconds(2) ? nil : interval.clamped(to: .milliseconds(100) ... .seconds(3_600))
        // HAProxy's own defaults are Berth's.
        let (rise, fall) = (
            NginxValue.integer(Self.value("rise", options, defaults), in: 1...100),
            NginxValue.integer(Self.value("fall", options, defaults), in: 1...100)
        )
        check.rise = rise == 2 ? nil : rise
        check.fall = fall == 3 ? nil : fall
        if let slow = milliseconds(Self.value("slowstart", options, defaults)), slow >= .seconds(1) {
            check.slowStart = min(slow, .seconds(3_600))
        }
        upstream.healthCheck = check
    }

    /// Times of HAProxy are milliseconds without a unit.
    func milliseconds(_ text: String?) -> Duration? {
        guard let text, !text.isEmpty else { return nil }
        if let number = Int(text), number >= 0, number < 1 << 50 { return .milliseconds(number) }
        if text.hasSuffix("us") { return nil }
        return NginxValue.duration(text)
    }

    // MARK: - Balance and affinity

    private mutating func readBalance(_ proxy: Proxy, _ upstream: ImportedUpstream) {
        for line in proxy.inherited("balance") {
            switch line[1] {
            case "roundrobin", "static-rr": result.notes.note(line.statement, .byDefault, "for new sessions")
            case "leastconn", "random": result.notes.note(line.statement, .kept, "for new sessions")
            case "first":
                result.notes.note(line.statement, .repaired, "new sessions go to all servers in turn, not to the first")
            default:
                let key = line[1] == "source" ? "source" : line.words(from: 1).joined(separator: " ")
                result.notes.note(line.statement, .repaired, Affinity.repair(Affinity.problem(ofHash: key)))
            }
        }
    }

    private func balance(_ proxy: Proxy) -> ImportedUpstream.Balance {
        switch proxy.inherited("balance").last?[1] {
        case "leastconn": .leastRequests
        case "random": .powerOfTwo
        default: .roundRobin
        }
    }

    private mutating func noteAffinity(_ proxy: Proxy, _ upstream: ImportedUpstream) {
        let isHashed = proxy.inherited("balance").contains { line in
            !["roundrobin", "static-rr", "leastconn", "random", "first"].contains(line[1])
        }
        var isKnown = isHashed
        for line in proxy.section.all("cookie") {
            result.notes.note(line.statement, .repaired, Affinity.repair(Affinity.cookies))
            isKnown = true
        }
        let learns = proxy.section.all("stick", "store-response").contains {
            $0[2].lowercased().contains("mcp-session-id")
        }
        for line in proxy.section.all("stick") {
            isKnown = true
            if learns, line[1] == "store-response" || line[1] == "match" || line[1] == "on" {
                result.notes.note(line.statement, .byDefault, Affinity.learned)
            } else if line[2].lowercased().contains("mcp-session-id") {
                result.notes.note(
                    line.statement, .repaired,
                    Affinity.repair(
                        "the id is learned from requests, and the first one that has it goes to any server: it is the response "
                            + "to initialize that says who made the session"))
            } else {
                result.notes.note(line.statement, .repaired, Affinity.repair(Affinity.problem(ofHash: line[2])))
            }
        }
        guard !isKnown, upstream.hasChoice else { return }
        result.notes.add(to: proxy.section.head.statement, .repaired, Affinity.none)
    }

    // MARK: - Timeouts

    private mutating func readTimeouts(_ proxy: Proxy, _ upstream: inout ImportedUpstream) {
        for line in proxy.inherited("timeout", "server") {
            guard let timeout = milliseconds(line[2]) else { continue }
            let limit = SilenceLimit(timeout, of: "HAProxy")
            upstream.firstByte = limit.firstByte
            result.notes.note(line.statement, limit.verdict, limit.reason)
        }
        for line in proxy.inherited("timeout", "connect") {
            guard let timeout = milliseconds(line[2])?.clamped(to: .milliseconds(1) ... .seconds(300)) else { continue }
            let isUsual = timeout == .seconds(5)
            upstream.connectTimeout = isUsual ? nil : timeout
            result.notes.note(line.statement, isUsual ? .byDefault : .kept)
        }
        for line in proxy.inherited("timeout", "queue") {
            guard let timeout = milliseconds(line[2])?.clamped(to: .milliseconds(1) ... .seconds(86_400)) else {
                continue
            }
            let isUsual = timeout == .seconds(10)
            upstream.queueTimeout = isUsual ? nil : timeout
            result.notes.note(line.statement, isUsual ? .byDefault : .kept)
        }
    }

    // MARK: - Health checks

    private mutating func readCheck(_ proxy: Proxy, _ upstream: inout ImportedUpstream) {
        if let line = proxy.inherited("timeout", "check").last, let timeout = milliseconds(line[2]) {
            var check = upstream.healthCheck ?? ImportedUpstream.HealthCheck()
            let interval = check.interval ?? .seconds(2)
            check.timeout = timeout == .seconds(1) ? nil : timeout.clamped(to: .milliseconds(10)...interval)
            upstream.healthCheck = check
            result.notes.note(line.statement, .kept)
        }
        // A check must end before the next one begins.
        if let check = upstream.healthCheck, let interval = check.interval, interval < check.timeout ?? .seconds(1) {
            upstream.healthCheck?.timeout = interval
        }
        guard let line = proxy.inherited("option", "httpchk").last, line.keyword != "no" else { return }
        var path = line.words(from: 2).first { $0.hasPrefix("/") }
        var host: String?
        for send in proxy.inherited("http-check", "send") {
            if let uri = send.value("uri") { path = uri }
            if let place = send.words.firstIndex(where: { $0.lowercased() == "host" }), place + 1 < send.words.count {
                host = send.words[place + 1]
            }
            result.notes.note(send.statement, .kept)
        }
        // "HTTP/1.1\r\nHost: mcp", as it was written before version 2.2.
        if let range = line.words.joined(separator: " ").lowercased().firstRange(of: "host:") {
            let text = line.words.joined(separator: " ")
            let offset = text.lowercased().distance(from: text.lowercased().startIndex, to: range.upperBound)
            host = text.dropFirst(offset).drop { $0 == " " }.prefix { $0 != " " && $0 != "\r" }.description
        }
        noteCheck(line, path, host, proxy, &upstream)
    }

    private mutating func noteCheck(
        _ line: HAProxyLine, _ path: String?, _ host: String?, _ proxy: Proxy, _ upstream: inout ImportedUpstream
    ) {
        let endpoints = ["/mcp", "/mcp/", "/sse", "/sse/"]
        guard let path, path.hasPrefix("/"), path != "/", path.utf8.allSatisfy({ (0x21...0x7e).contains($0) }),
            path.utf8.count < 1_024
        else {
            result.notes.note(
                line.statement, .repaired,
                "a request for / says nothing of an MCP server: checks connect; better is a page of its "
                    + "own (health_check type \"http\"), or type \"mcp\"")
            return
        }
        guard !endpoints.contains(path.prefix { $0 != "?" }.lowercased()) else {
            result.notes.note(
                line.statement, .repaired,
                "a check of the MCP endpoint would open a session each time: checks connect; type "
                    + "\"mcp\" keeps one session for them")
            return
        }
        var check = upstream.healthCheck ?? ImportedUpstream.HealthCheck()
        check.path = path
        check.host = host.flatMap { RouteHost.isField($0) ? $0 : nil }
        for expect in proxy.inherited("http-check", "expect") {
            if let status = expect.value("status"), status.allSatisfy({ $0.isNumber || $0 == "-" || $0 == "," }),
                Self.isStatusList(status)
            {
                check.status = status
                result.notes.note(expect.statement, .kept)
            } else if expect.value("rstatus")?.contains("2") == true {
                check.status = "200-299"
                result.notes.note(expect.statement, .kept)
            } else {
                result.notes.note(expect.statement, .leftOut, "expect is a list of status codes, or a text in the body")
            }
        }
        upstream.healthCheck = check
        result.notes.note(line.statement, .kept)
    }

    /// "200", "200-299", "200,204".
    private static func isStatusList(_ text: String) -> Bool {
        text.split(separator: ",", omittingEmptySubsequences: false).allSatisfy { part in
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map {
                NginxValue.integer(String($0), in: 200...599)
            }
            guard ends.count <= 2, let first = ends.first, let low = first, let last = ends.last, let high = last else {
                return false
            }
            return low <= high
        }
    }
}
