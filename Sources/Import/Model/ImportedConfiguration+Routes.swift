extension ImportedConfiguration {
    /// Takes over the routes, in the order in which they are tried.
    mutating func finishRoutes(_ routes: [ImportedRoute]) {
        if routes.count > Self.maximumRoutes { isTooLarge = true }
        self.routes = dropCovered(routes)
        hoistAccess()
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
            notes.note(block.heading, .byDefault, "an earlier route takes its paths as well")
        } else if case .redirect = route.action {
            notes.note(block.heading, .byDefault, "an earlier route takes the path with and without a slash")
        } else {
            notes.note(
                block.heading, .leftOut,
                "an earlier route takes its paths: Berth has one list of routes for all its listeners")
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
            for statement in routes[index].blocks.flatMap(\.statements)
            where notes.entry(of: statement).verdict == .kept {
                notes.replace(statement, .byDefault, "what no route matches gets 404")
            }
        }
        return routes
    }

    /// Moves what all routes say of clients' addresses to the listeners, if there is no listener that serves others.
    private mutating func hoistAccess() {
        let tables = routes.filter { $0.action != .nothing }
        guard let access = tables.first?.access, !access.isEmpty, tables.allSatisfy({ $0.access == access }),
            listeners.allSatisfy({ $0.redirect == nil })
        else { return }
        for index in listeners.indices { listeners[index].access = access }
        for index in routes.indices { routes[index].access = AccessList() }
    }
}
