extension NginxTranslation {
    // MARK: - Routes

    /// Puts the routes of all servers into one list. nginx first looks for the server with the name; what no server has as a
    /// name goes to the default one of the address.
    mutating func orderRoutes() {
        separateAddresses()
        let serving = sites.filter(\.isServing)
        var named: [ImportedRoute] = []
        var unnamed: [ImportedRoute] = []
        for site in sites {
            guard site.isServing else {
                unnamed.append(contentsOf: site.routes)
                let isSilent = result.listeners.contains { listener in
                    listener.redirect == nil
                        && !site.addresses.isDisjoint(with: [listener.https, listener.http].compactMap { $0 })
                }
                if isSilent { note(site, .byDefault, "every host that no other server has") }
                continue
            }
            place(site, isAlone: serving.count == 1, &named, &unnamed)
        }
        // Files of ACME clients are for all hosts, and come before what would take all.
        let files = unnamed.filter(\.action.isFiles)
        result.finishRoutes(named + files + unnamed.filter { !$0.action.isFiles })
    }

    /// Leaves out what is reached at other addresses only: Berth's routes are reached at all of them, and what was meant for
    /// one network would be open to another.
    private mutating func separateAddresses() {
        guard let main = sites.first(where: { site in site.routes.contains { $0.action.upstream != nil } }) else {
            return
        }
        for index in sites.indices where sites[index].isServing && sites[index].addresses != main.addresses {
            let site = sites[index]
            let leadsToServers = site.routes.contains { $0.action.upstream != nil }
            if !leadsToServers, !names(of: site.level).plain.isEmpty { continue }
            guard site.addresses.isDisjoint(with: main.addresses) else {
                result.notes.add(to: site.level.head, .kept, "its routes are reached at all addresses of this file")
                continue
            }
            let isSame = site.routes.allSatisfy { route in
                route.action == .nothing || route.action.isFiles
                    || main.routes.contains {
                        $0.covers(route) && $0.action == route.action && $0.access == route.access
                    }
            }
            guard !isSame else { continue }
            result.notes.note(
                site.level.head, .leftOut,
                "Berth has one list of routes for all its addresses, and what is reached here would be reached at those of the "
                    + "other servers: import this server from a file of its own, and run a second Berth with it")
            for place in sites[index].routes.indices { sites[index].routes[place].action = .nothing }
            let others = sites.indices.filter { $0 != index && sites[$0].isServing }.flatMap { sites[$0].addresses }
            droppedAddresses.formUnion(site.addresses.subtracting(others))
        }
        closePlainAddresses()
    }

    /// Has clients at addresses in clear, at which nginx led to no servers, go to HTTPS: the routes of all servers would be
    /// reached there.
    private mutating func closePlainAddresses() {
        guard result.listeners.contains(where: { $0.https != nil }) else { return }
        let open = sites.filter { site in site.routes.contains { $0.action.upstream != nil } }.flatMap(\.addresses)
        for index in result.listeners.indices where result.listeners[index].redirect == nil {
            guard let address = result.listeners[index].http, !open.contains(address) else { continue }
            result.listeners[index].redirect = "https"
        }
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
        for route in site.routes where named.count <= ImportedConfiguration.maximumRoutes {
            for (index, name) in names.plain.enumerated() {
                var copy = route
                copy.host = name
                if index > 0 { copy.blocks = [] }
                if !copy.action.isFiles { named.append(copy) }
            }
            if names.plain.isEmpty || route.action.isFiles {
                unnamed.append(route.action.isFiles ? route : silenced(route))
            }
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

    /// Leaves out listeners at whose addresses nothing is served any more; their lines stay.
    mutating func dropListeners() {
        for listener in result.listeners where droppedAddresses.contains(listener.https ?? listener.http ?? "") {
            result.blocks += listener.blocks
        }
        result.listeners.removeAll { droppedAddresses.contains($0.https ?? $0.http ?? "") }
        let used = Set(result.routes.compactMap(\.action.upstream)).union(guardedUpstreams)
        for upstream in result.upstreams where !used.contains(upstream.name) { result.blocks += upstream.blocks }
        result.upstreams.removeAll { !used.contains($0.name) }
    }
}
