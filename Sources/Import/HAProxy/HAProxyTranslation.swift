import Configuration

/// Translates a configuration of HAProxy into Berth's terms.
struct HAProxyTranslation {
    var result = ImportedConfiguration()
    /// Each with the `defaults` that it inherits from.
    let proxies: [Proxy]
    var frontends: [Frontend] = []
    /// The names of upstreams by backend.
    var upstreamNames: [String: String] = [:]
    /// What a backend says of its routes.
    var backendRules: [String: RouteRules] = [:]
    var forwardsHTTPS = false
    private let others: [HAProxySection]

    /// A `frontend`, `backend` or `listen` with what it inherits.
    struct Proxy {
        var section: HAProxySection
        var defaults: HAProxySection?

        /// Its own lines that begin with these words, or those of its defaults if it has none.
        func inherited(_ words: String...) -> [HAProxyLine] {
            let own = section.lines.filter { $0.words.starts(with: words) }
            return own.isEmpty ? (defaults?.lines.filter { $0.words.starts(with: words) } ?? []) : own
        }

        var name: String { section.name }
    }

    /// A frontend with the routes that it makes.
    struct Frontend {
        var head: Statement
        var addresses: Set<String>
        var routes: [ImportedRoute]
    }

    static func run(_ bytes: [UInt8], file: String) throws(ConfigurationErrors) -> ImportedConfiguration {
        var translation = HAProxyTranslation(try HAProxyParser.parse(bytes, file: file))
        return try translation.run(file: file)
    }

    private init(_ sections: [HAProxySection]) {
        var proxies: [Proxy] = []
        var others: [HAProxySection] = []
        var defaults: HAProxySection?
        var named: [String: HAProxySection] = [:]
        for section in sections {
            switch section.kind {
            case "defaults":
                defaults = section
                if !section.name.isEmpty { named[section.name] = section }
                others.append(section)
            case "frontend", "backend", "listen":
                let from = section.head.value("from").flatMap { named[$0] }
                proxies.append(Proxy(section: section, defaults: from ?? defaults))
            default: others.append(section)
            }
        }
        self.proxies = proxies
        self.others = others
    }

    private mutating func run(file: String) throws(ConfigurationErrors) -> ImportedConfiguration {
        for section in others + proxies.map(\.section) { presume(section) }
        noteGlobal()
        for proxy in proxies where proxy.section.kind != "frontend" { translateBackend(proxy) }
        for proxy in proxies where proxy.section.kind != "backend" {
            if isStatistics(proxy) { noteStatistics(proxy.section) } else { translateFrontend(proxy) }
        }
        separateFrontends()
        result.finishRoutes(frontends.flatMap(\.routes))
        dropUnused()
        result.finishListeners(forwardsHTTPS: forwardsHTTPS)
        result.blocks = others.filter { !$0.lines.isEmpty }.map(\.sourceBlock) + result.blocks
        try result.check(file: file)
        return result
    }

    /// A section that only shows statistics.
    private func isStatistics(_ proxy: Proxy) -> Bool {
        let section = proxy.section
        let isEmpty =
            section.all("server").isEmpty && section.all("server-template").isEmpty
            && section.all("default_backend").isEmpty && section.all("use_backend").isEmpty
        let shows = !section.all("stats").isEmpty || !section.all("http-request", "use-service").isEmpty
        return isEmpty && shows
    }

    private mutating func noteStatistics(_ section: HAProxySection) {
        for line in section.lines {
            result.notes.note(line.statement, .byDefault, "the admin address has /metrics, /stats and a dashboard")
        }
        result.blocks.append(section.sourceBlock)
    }

    // MARK: - Every line

    private mutating func presume(_ section: HAProxySection) {
        for line in section.lines {
            let statement = line.statement
            if ["peers", "resolvers", "mailers", "ring", "program", "userlist", "cache", "log-forward", "traces"]
                .contains(section.kind)
            {
                let isLost = section.kind == "userlist" || section.kind == "cache" || section.kind == "program"
                result.notes.presume(
                    statement, .byDefault, isLost ? "not in use" : "nothing is shared or looked up by it")
            } else if line.keyword.hasPrefix(".") {
                result.notes.presume(
                    statement, .leftOut, "there are no conditions in a configuration: both sides were read")
            } else if line.keyword.hasPrefix("tune.") {
                result.notes.presume(statement, .byDefault, "sockets and buffers are Berth's own")
            } else if line.keyword == "stick-table", line.has("store") {
                result.notes.presume(statement, .leftOut, HAProxyKnown.rates)
            } else if line.keyword == "retry-on" {
                let isSafe = line.words(from: 1).allSatisfy { ["none", "conn-failure", "empty-response"].contains($0) }
                result.notes.presume(
                    statement, isSafe ? .byDefault : .repaired,
                    isSafe
                        ? "what a server has not executed is sent to another"
                        : "a call that a server may have executed would be executed again; Berth repeats only what cannot have "
                            + "been executed, or is declared safe")
            } else if let reason = HAProxyKnown.defaultReason(line) {
                result.notes.presume(statement, .byDefault, reason)
            } else if Self.isTranslated(line) {
                result.notes.presume(statement, .byDefault, "not in use")
            } else {
                result.notes.presume(statement, .leftOut, HAProxyKnown.lossReason(line))
            }
        }
    }

    private static func isTranslated(_ line: HAProxyLine) -> Bool {
        switch line.keyword {
        case "bind", "acl", "use_backend", "default_backend", "balance", "server", "server-template", "default-server",
            "cookie",
            "stick", "mode", "maxconn", "redirect", "monitor-uri", "compression":
            true
        case "timeout": ["connect", "server", "queue", "check", "http-request", "http-keep-alive"].contains(line[1])
        case "option": ["httpchk", "httplog"].contains(line[1])
        case "http-check": ["send", "expect"].contains(line[1])
        default: false
        }
    }

    private mutating func noteGlobal() {
        for section in others where section.kind == "global" {
            for line in section.all("maxconn") {
                result.notes.note(line.statement, .byDefault, "max_connections of a listener")
            }
        }
        for section in others where section.kind == "defaults" {
            for line in section.all("mode") where line[1] == "tcp" { noteTCP(line) }
            for line in section.all("option", "httplog") {
                result.hasAccessLog = true
                result.notes.note(line.statement, .kept, "access_log: to standard output, which the journal keeps")
            }
        }
    }

    mutating func noteTCP(_ line: HAProxyLine) {
        result.notes.note(
            line.statement, .repaired,
            "in mode tcp sessions cannot be told: a connection is balanced, and its requests are not")
    }

    // MARK: - Addresses and backends that are not used

    /// Leaves out what is reached at other addresses only, as for nginx.
    private mutating func separateFrontends() {
        guard let main = frontends.first(where: { $0.routes.contains { $0.action.upstream != nil } }) else { return }
        for index in frontends.indices {
            let frontend = frontends[index]
            let isServing = frontend.routes.contains { $0.action != .nothing }
            guard isServing, frontend.addresses.isDisjoint(with: main.addresses) else { continue }
            let isSame = frontend.routes.allSatisfy { route in
                route.action == .nothing
                    || main.routes.contains {
                        $0.covers(route) && $0.action == route.action && $0.access == route.access
                    }
            }
            guard !isSame else { continue }
            result.notes.note(
                frontend.head, .leftOut,
                "Berth has one list of routes for all its addresses, and what is reached here would be reached at those of the "
                    + "other frontends: import this one from a file of its own, and run a second Berth with it")
            for place in frontends[index].routes.indices { frontends[index].routes[place].action = .nothing }
            for listener in result.listeners where frontend.addresses.contains(listener.https ?? listener.http ?? "") {
                result.blocks += listener.blocks
            }
            result.listeners.removeAll { frontend.addresses.contains($0.https ?? $0.http ?? "") }
        }
    }

    /// Upstreams to which only routes lead that serve nobody until somebody has decided.
    var guardedUpstreams: Set<String> = []

    private mutating func dropUnused() {
        let used = Set(result.routes.compactMap(\.action.upstream)).union(guardedUpstreams)
        for upstream in result.upstreams where !used.contains(upstream.name) {
            for block in upstream.blocks {
                result.notes.note(block.heading, .byDefault, "no frontend that is imported leads to it")
            }
            result.blocks += upstream.blocks
        }
        result.upstreams.removeAll { !used.contains($0.name) }
        // A `listen` section is a listener and an upstream; its lines stand with the listener.
        let shown = Set(result.listeners.flatMap(\.blocks).map(\.heading.id))
        for index in result.upstreams.indices {
            result.upstreams[index].blocks.removeAll { shown.contains($0.heading.id) }
        }
    }
}

/// What a section says of all routes that it has a part in.
struct RouteRules {
    var setFields: [ImportedRoute.Field] = []
    var removedFields: [String] = []
    /// What is taken off paths, with the line that says so.
    var prefix: (text: String, line: HAProxyLine)?
}
