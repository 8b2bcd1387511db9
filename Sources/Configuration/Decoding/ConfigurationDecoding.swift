/// Decodes the whole file: first each table by itself, then checks across tables.
struct ConfigurationDecoding {
    let findings: Findings
    private var root: TableReader
    var listeners: [DecodedListener] = []

    init(_ root: TableReader) {
        findings = root.findings
        self.root = root
    }

    /// The configuration. It is valid only if no error was reported.
    mutating func run() -> Configuration {
        let globalEntry = root.entry("global")
        let global = GlobalConfiguration(from: root.table("global"))
        let alerts = AlertsConfiguration(from: root.table("alerts"))
        let metrics = MetricsConfiguration(from: root.table("metrics"))
        listeners = decodeListeners()
        resolveRedirects()
        let upstreams = decodeUpstreams()
        let routes = decodeRoutes(upstreams)
        root.finish()
        checkAddresses(admin: global.admin, globalEntry)
        var configuration = Configuration(
            global: global, listeners: listeners.map(\.configuration), routes: routes, upstreams: upstreams.map(\.value)
        )
        configuration.alerts = alerts
        configuration.metrics = metrics
        return configuration
    }
}

// MARK: - Listeners

extension ConfigurationDecoding {
    private mutating func decodeListeners() -> [DecodedListener] {
        root.note("listen", .table, .tables)
        guard let entry = root.take("listen") else {
            findings.report(
                nil, "there is no [listen] table", because: "Berth would have no address at which clients reach it",
                help: "add [listen] with https = \":443\", cert and key, or with http = \":8080\"")
            return []
        }
        let path = TablePath.root.key("listen")
        switch entry.value.content {
        case .table(let table):
            return TableReader.listeners(
                from: TableReader(table, at: entry.value.range, path: path.element(0), findings: findings))
        case .array(let values):
            return values.enumerated().flatMap { index, value -> [DecodedListener] in
                guard case .table(let table) = value.content else {
                    findings.report(
                        value.range, "this listener is \(value.kind)", because: "a listener is a table [[listen]]")
                    return []
                }
                return TableReader.listeners(
                    from: TableReader(table, at: value.range, path: path.element(index), findings: findings))
            }
        default:
            root.wrongType(
                entry, "a table", "listen has keys of its own", help: "[listen] and below it http = \":8080\"")
            return []
        }
    }

    /// Reports listeners with the same address.
    private func checkAddresses(admin: ListenAddress?, _ global: LocatedTable.Entry?) {
        var taken: [(address: ListenAddress, entry: LocatedTable.Entry)] = []
        if let admin, case .table(let table)? = global?.value.content, let entry = table["admin"] {
            taken.append((admin, entry))
        }
        for listener in listeners {
            let address = listener.configuration.address
            if let other = taken.first(where: { $0.address.collides(with: address) }) {
                let both = [other.entry, listener.entry].sorted { $0.key.lowerBound < $1.key.lowerBound }
                let line = findings.source.line(of: both[0].key.lowerBound)
                findings.report(
                    both[1].value.range, "\(root.quote(both[1])) is taken",
                    because:
                        "\(both[0].name) on line \(line) has that address already, and a socket answers in one way only"
                )
                continue
            }
            taken.append((address, listener.entry))
        }
    }
}

extension ListenAddress {
    /// Whether both addresses are the same. Port 0 never is: the kernel chooses a different port for each.
    fileprivate func collides(with other: ListenAddress) -> Bool {
        let wildcards = ["", "0.0.0.0", "::"]
        let isSameHost = host == other.host || (wildcards.contains(host) && wildcards.contains(other.host))
        return port == other.port && port != 0 && isSameHost
    }
}

// MARK: - Upstreams

extension ConfigurationDecoding {
    /// An upstream with the bytes of its table's header.
    private typealias Positioned = (value: UpstreamConfiguration, range: Range<Int>)

    private mutating func decodeUpstreams() -> [(value: UpstreamConfiguration, range: Range<Int>)] {
        let defaults = decodeDefaults()
        root.note("upstream", .table)
        guard let entry = root.take("upstream") else {
            findings.report(
                nil, "there is no [upstream.<name>] table", because: "Berth would have no server to send requests to",
                help: "add [upstream.mcp] with servers = [\"mcp-1:3001\", \"mcp-2:3001\"]")
            return []
        }
        guard case .table(let table) = entry.value.content else {
            root.wrongType(
                entry, "a table", "upstreams are tables, each under a name of its own",
                help: "[upstream.mcp] and below it servers = [...]")
            return []
        }
        let path = TablePath.root.key("upstream")
        var reader = TableReader(table, at: entry.value.range, path: path, findings: findings)
        var upstreams: [Positioned] = []
        for named in reader.takeAll() {
            guard case .table(let inner) = named.value.content else {
                findings.report(
                    named.key, "\(TOMLText.quoted(named.name)) stands in an upstream without a name",
                    because: "each upstream has a name, which routes and statistics use", help: "[upstream.mcp]")
                continue
            }
            let settings = TableReader(
                inner, at: named.value.range, path: path.named(named.name), findings: findings, inherited: defaults)
            upstreams.append((UpstreamConfiguration(name: named.name, from: settings), named.value.range))
        }
        checkServerCount(upstreams)
        if table.entries.isEmpty {
            findings.report(
                entry.value.range, "there is no upstream", because: "Berth would have no server to send requests to",
                help: "[upstream.mcp] and below it servers = [\"mcp-1:3001\"]")
        }
        return upstreams
    }

    /// Servers of all upstreams together, at most: the table of a running process has twice as many places, so that a
    /// reload finds places for new ones beside those that are still in use.
    private static var maximumServers: Int { 32_767 }

    private func checkServerCount(_ upstreams: [Positioned]) {
        var count = 0
        for (upstream, range) in upstreams {
            let before = count
            count += upstream.servers.count
            guard before <= Self.maximumServers, count > Self.maximumServers else { continue }
            findings.report(
                range, "too many servers",
                because: "with this upstream the file has \(count), and one Berth takes at most \(Self.maximumServers)")
        }
    }

    private mutating func decodeDefaults() -> LocatedTable? {
        root.note("defaults", .table)
        guard let entry = root.take("defaults") else { return nil }
        guard case .table(let table) = entry.value.content else {
            root.wrongType(entry, "a table", "defaults holds what upstreams share")
            return nil
        }
        UpstreamConfiguration.checkDefaults(
            TableReader(
                table, at: entry.value.range, path: TablePath.root.key("defaults"), findings: findings))
        return table
    }
}

// MARK: - Routes

extension ConfigurationDecoding {
    private mutating func decodeRoutes(
        _ upstreams: [(value: UpstreamConfiguration, range: Range<Int>)]
    ) -> [RouteConfiguration] {
        guard let routes = locatedRoutes() else {
            if upstreams.count > 1 {
                findings.report(
                    upstreams[1].range, "several upstreams and no route",
                    because: "without [[route]] everything goes to the only upstream, and here are \(upstreams.count)",
                    help: "add a [[route]] with path = \"...\" or host = \"...\" and upstream = "
                        + "\(TOMLText.quoted(upstreams[0].value.name))")
            }
            return [RouteConfiguration(host: nil, path: .any, upstream: 0)]
        }
        checkReach(routes)
        let names = upstreams.map(\.value.name)
        let used = Set(routes.compactMap { $0.upstream?.name })
        for (upstream, range) in upstreams where !used.contains(upstream.name) {
            findings.warn(
                range, "no route leads to upstream \(TOMLText.quoted(upstream.name))",
                because: "its servers are checked and never get a request; with routes, only they say what goes where")
        }
        return routes.map { route in
            let index = index(of: route, in: names)
            checkCertificates(route)
            checkSessionLimits(route, index.map { upstreams[$0].value.session.affinity })
            return route.configuration(upstream: index ?? 0)
        }
    }

    /// The routes of the file; nil if it has none.
    private mutating func locatedRoutes() -> [DecodedRoute]? {
        root.note("route", .tables)
        guard let entry = root.take("route") else { return nil }
        guard case .array(let values) = entry.value.content, !values.isEmpty else {
            let help = "[[route]]: routes are a list, tried in order"
            root.wrongType(entry, "a list of tables", "each route is a table in double brackets", help: help)
            return []
        }
        let path = TablePath.root.key("route")
        return values.enumerated().compactMap { index, value in
            guard case .table(let table) = value.content else {
                findings.report(value.range, "this route is \(value.kind)", because: "a route is a table [[route]]")
                return nil
            }
            return DecodedRoute(
                from: TableReader(table, at: value.range, path: path.element(index), findings: findings))
        }
    }

    private func index(of route: DecodedRoute, in names: [String]) -> Int? {
        guard let (name, range) = route.upstream else { return nil }
        if let index = names.firstIndex(of: name) { return index }
        let meant = Suggestion.nearest(to: name, among: names)
        let known = names.map(TOMLText.quoted).joined(separator: ", ")
        findings.report(
            range, "there is no upstream \(TOMLText.quoted(name))",
            because: names.isEmpty ? "the file has none" : "the upstreams of this file: \(known)",
            help: meant.map { "did you mean \(TOMLText.quoted($0))?" })
        return nil
    }

    private func checkReach(_ routes: [DecodedRoute]) {
        for (index, route) in routes.enumerated() where route.isValid {
            guard let earlier = routes[..<index].first(where: { $0.isValid && $0.covers(route) }) else { continue }
            findings.report(
                route.range, "this route is never reached",
                because:
                    "the first match wins, and the route on line \(findings.source.line(of: earlier.range.lowerBound)) "
                    + "matches all that this one does", help: "put the narrower route first")
        }
    }
}
