extension NginxTranslation {
    // MARK: - Routes

    /// Puts the routes of all servers into one list. nginx first looks for the server with the name; what no server has as a
    /// name goes to the default one of the address.
    mutating func orderRoutes() {
        let serving = sites.filter { site in site.routes.contains { $0.action != .nothing && !$0.action.isFiles } }
        var named: [ImportedRoute] = []
        var unnamed: [ImportedRoute] = []
        for site in sites {
            let isServing = serving.contains { $0.level.head.id == site.level.head.id }
            guard isServing else {
                unnamed.append(contentsOf: site.routes)
                continue
            }
            place(site, isAlone: serving.count == 1, &named, &unnamed)
        }
        // Files of ACME clients are for all hosts, and come before what would take all.
        let files = unnamed.filter(\.action.isFiles)
        result.routes = dropCovered(named + files + unnamed.filter { !$0.action.isFiles })
        hoistAccess()
    }

    private mutating func place(
        _ site: Site, isAlone: Bool, _ named: inout [ImportedRoute], _ unnamed: inout [ImportedRoute]
    ) {
        let names = names(of: site.level)
        let isDefault = site.level["listen"].contains { directive in
            directive.words.contains("default_server") || directive.words.contains("default")
        }
        if isAlone {
            if !names.plain.isEmpty || names.hasPatterns {
                note(
                    site, .byDefault,
                    names.plain.first.map { "the only server takes every host; to refuse others: host = \"\($0)\"" }
                        ?? "the only server takes every host")
            } else {
                note(site, .byDefault, "every host")
            }
            unnamed += site.routes
            return
        }
        if names.plain.isEmpty, !names.hasPatterns {
            unnamed += site.routes
            note(site, .byDefault, "every host that no other server has")
            return
        }
        if names.hasPatterns {
            note(site, .leftOut, "a route's host is a whole name: write one route for each name that is used")
        }
        if isDefault {
            unnamed += site.routes
            note(site, .byDefault, "the default server takes all hosts that no other has")
        } else {
            note(site, .kept, "")
        }
        guard !isDefault else { return }
        let last = named.count
        for route in site.routes {
            for (index, name) in names.plain.enumerated() {
                var copy = route
                copy.host = name
                if index > 0 { copy.blocks = [] }
                if !copy.action.isFiles { named.append(copy) }
            }
            if names.plain.isEmpty || route.action.isFiles { unnamed.append(route.action.isFiles ? route : silenced(route)) }
        }
        closeHosts(names.plain, from: last, &named)
    }

    /// A route of a server whose names cannot be said.
    private func silenced(_ route: ImportedRoute) -> ImportedRoute {
        var route = route
        route.action = .nothing
        return route
    }

    /// Paths of a host that its server does not have are not found, also where another server takes all hosts.
    private func closeHosts(_ names: [String], from start: Int, _ named: inout [ImportedRoute]) {
        let hasDefault = sites.contains { site in
            let isDefault = site.level["listen"].contains { $0.words.contains("default_server") }
            let found = self.names(of: site.level)
            return (isDefault || (found.plain.isEmpty && !found.hasPatterns))
                && site.routes.contains { $0.action != .nothing && !$0.action.isFiles }
        }
        guard hasDefault else { return }
        for name in names
        where !named[start...].contains(where: { $0.host == name && $0.path == .any && $0.action != .nothing }) {
            named.append(
                ImportedRoute(
                    host: name, action: .respond(status: 404, body: nil, type: nil),
                    comment: "Other paths of this host are not those of the default server."))
        }
    }

    private mutating func note(_ site: Site, _ verdict: Verdict, _ reason: String) {
        for directive in site.level["server_name"] { result.notes.note(directive.statement, verdict, reason) }
    }

    /// Leaves routes out that an earlier one covers: Berth refuses files in which a route is never reached.
    private mutating func dropCovered(_ routes: [ImportedRoute]) -> [ImportedRoute] {
        var kept: [ImportedRoute] = []
        // Routes that cover others, by host; a file with thousands of routes is not compared pair by pair.
        var taken: [String?: [ImportedPath: Int]] = [:]
        for route in routes.prefix(ImportedConfiguration.maximumRoutes) {
            guard route.action != .nothing, let first = Self.cover(of: route, in: taken) else {
                if route.action != .nothing { taken[route.host, default: [:]][route.path] = kept.count }
                kept.append(route)
                continue
            }
            noteCovered(route, by: kept[first])
            var silent = route
            silent.action = .nothing
            kept.append(silent)
        }
        return trimmed(kept)
    }

    /// The index of an earlier route that takes all that a route matches.
    private static func cover(of route: ImportedRoute, in taken: [String?: [ImportedPath: Int]]) -> Int? {
        var candidates: [ImportedPath] = [.any, route.path]
        switch route.path {
        case .any: break
        case .exact(let path), .prefix(let path):
            var stem = path
            candidates.append(.prefix(stem))
            while let slash = stem.lastIndex(of: "/"), slash != stem.startIndex {
                stem = String(stem[..<slash])
                candidates.append(.prefix(stem))
            }
        }
        let hosts: [String?] = route.host == nil ? [nil] : [nil, route.host]
        let found = hosts.flatMap { host in
            candidates.filter { $0.covers(route.path) }.compactMap { taken[host]?[$0] }
        }
        return found.min()
    }

    private mutating func noteCovered(_ route: ImportedRoute, by earlier: ImportedRoute) {
        guard let block = route.blocks.first else { return }
        if earlier.action == route.action {
            result.notes.note(block.heading, .byDefault, "an earlier route takes its paths as well")
        } else if case .redirect = route.action {
            result.notes.note(block.heading, .byDefault, "an earlier route takes the path with and without a slash")
        } else {
            result.notes.note(
                block.heading, .leftOut, "an earlier route takes its paths: Berth has one list of routes for all its listeners")
        }
    }

    /// Without answers at the end that say what is so without them: what no route matches is not found.
    private mutating func trimmed(_ routes: [ImportedRoute]) -> [ImportedRoute] {
        var routes = routes
        for index in routes.indices.reversed() where routes[index].action != .nothing {
            let isLast404 = routes[index].action == .respond(status: 404, body: nil, type: nil)
            let later = routes[(index + 1)...].contains { other in
                other.action != .nothing && (other.host == nil || other.host == routes[index].host)
            }
            guard isLast404, !later, routes[index].setFields.isEmpty else { continue }
            routes[index].action = .nothing
            for statement in routes[index].blocks.flatMap(\.statements) where result.notes.entry(of: statement).verdict == .kept {
                result.notes.replace(statement, .byDefault, "what no route matches gets 404")
            }
        }
        return routes
    }

    /// Moves what all routes say of clients' addresses to the listeners, if there is no listener that serves others.
    private mutating func hoistAccess() {
        let tables = result.routes.filter { $0.action != .nothing }
        guard let access = tables.first?.access, !access.isEmpty, tables.allSatisfy({ $0.access == access }),
            result.listeners.allSatisfy({ $0.redirect == nil })
        else { return }
        for index in result.listeners.indices { result.listeners[index].access = access }
        for index in result.routes.indices { result.routes[index].access = AccessList() }
    }

    // MARK: - Listeners

    /// Brings the listeners into the form of the file: one table for an address in clear and one with TLS.
    mutating func finishListeners() {
        for index in result.listeners.indices {
            if result.listeners[index].https != nil { result.listeners[index].redirect = nil }
            if result.listeners[index].https != nil, result.listeners[index].certificates.isEmpty {
                result.listeners[index].certificates = [
                    ImportedListener.CertificatePair(
                        certificate: "/etc/berth/mcp.pem", key: "/etc/berth/mcp.key", isAssumed: true)
                ]
            }
            if result.listeners[index].requestBody == 8 << 20 { result.listeners[index].requestBody = nil }
            let isPlain = result.listeners[index].http != nil && result.listeners[index].redirect == nil
            result.listeners[index].forwardsHTTPS = isPlain && forwardsHTTPS
        }
        if result.listeners.isEmpty {
            var listener = ImportedListener()
            listener.http = ":8080"
            result.listeners = [listener]
            result.blocks.first.map { block in
                result.notes.add(to: block.heading, .repaired, "no address is left to listen on: :8080 is taken")
            }
        }
        mergePair()
        let isServed = result.listeners.contains { $0.https != nil }
        for index in result.listeners.indices where result.listeners[index].redirect == "https" && !isServed {
            // What listens there is not in this file.
            result.listeners[index].redirect = "https:443"
        }
    }

    private mutating func mergePair() {
        guard result.listeners.count == 2 else { return }
        let secure = result.listeners.firstIndex { $0.https != nil }
        let plain = result.listeners.firstIndex { $0.http != nil }
        guard let secure, let plain, secure != plain else { return }
        var merged = result.listeners[secure]
        let other = result.listeners[plain]
        // A listener that redirects needs no settings of its own.
        var comparable = other
        (comparable.https, comparable.certificates, comparable.requiresTLS13) = (
            merged.https, merged.certificates, merged.requiresTLS13
        )
        (comparable.http, comparable.clientAuthentication, comparable.blocks) = (nil, merged.clientAuthentication, merged.blocks)
        guard other.redirect != nil || comparable == merged else { return }
        merged.http = other.http
        merged.redirect = other.redirect
        merged.blocks = plain < secure ? other.blocks + merged.blocks : merged.blocks + other.blocks
        result.listeners = [merged]
    }
}
