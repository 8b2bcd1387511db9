extension NginxTranslation {
    /// A location with what surrounds it.
    struct Location {
        var match: LocationMatch
        var level: NginxLevel
        var scope: NginxScope
    }

    /// The routes of a server's locations, in the order in which nginx tries them.
    ///
    /// - Parameter isAnswered: Whether the server answers all requests before: then only challenges of ACME are served.
    mutating func locations(of server: NginxLevel, _ scope: NginxScope, isAnswered: Bool) -> [ImportedRoute] {
        var found: [Location] = []
        collect(server["location"], scope, into: &found)
        let stems = found.compactMap { location -> String? in
            if case .prefix(let path, true) = location.match { path } else { nil }
        }
        // Sorting keeps the order of what is equal, as expressions are.
        let ordered = found.enumerated().sorted {
            let (a, b) = ($0.element.match.order(finalStems: stems), $1.element.match.order(finalStems: stems))
            return (a.rank, a.length, $0.offset) < (b.rank, b.length, $1.offset)
        }.map(\.element)
        let pages = errorPages(scope, ordered)
        let translated = ordered.enumerated().map { rank, location in
            RankedRoutes(
                rank: rank, place: location.level.head.id,
                routes: routes(of: location, server: server, named: ordered, pages: pages, isAnswered: isAnswered))
        }
        return RankedRoutes.inOrderOfSource(translated).flatMap(\.routes)
    }

    private mutating func collect(_ directives: [NginxDirective], _ scope: NginxScope, into found: inout [Location]) {
        for directive in directives {
            guard let block = directive.block, found.count < ImportedConfiguration.maximumRoutes else { continue }
            let level = NginxLevel(directive.statement, block)
            let inner = scope.entering(level)
            if let match = LocationMatch(directive.words) {
                found.append(Location(match: match, level: level, scope: inner))
            } else {
                result.notes.note(directive.statement, .leftOut, "a location has a path or an expression")
                found.append(Location(match: .named("@"), level: level, scope: inner))
            }
            collect(level["location"], inner, into: &found)
        }
    }

    /// Paths of pages that nginx shows on errors.
    private mutating func errorPages(_ scope: NginxScope, _ locations: [Location]) -> Set<String> {
        var pages: Set<String> = []
        var seen: Set<Int> = []
        for directive in ([scope] + locations.map(\.scope)).flatMap({ $0.inherited("error_page") }) {
            guard seen.insert(directive.statement.id).inserted else { continue }
            guard let page = directive.words.last, page.hasPrefix("/") || page.hasPrefix("@") else { continue }
            let codes = directive.words.dropLast().filter { !$0.hasPrefix("=") }
            let isOfProxy = codes.allSatisfy { ["404", "500", "502", "503", "504"].contains($0) }
            if page.hasPrefix("/") || isOfProxy {
                pages.insert(page)
                result.notes.note(
                    directive.statement, .byDefault, "Berth's own errors are JSON-RPC, for MCP clients to read")
            } else {
                result.notes.note(directive.statement, .leftOut, KnownDirectives.lossReason("error_page"))
            }
        }
        return pages
    }

    private mutating func routes(
        of location: Location, server: NginxLevel, named: [Location], pages: Set<String>, isAnswered: Bool
    ) -> [ImportedRoute] {
        let level = location.level
        var block = level.sourceBlock
        if level.directives.isEmpty { block.statements = [] }
        let silent = [ImportedRoute(action: .nothing, blocks: [block])]
        if case .named(let name) = location.match {
            if !usesNamed(name, named) && !pages.contains(name) {
                noteUnused(level, "nothing leads to this location")
            } else if pages.contains(name) {
                noteUnused(level, "a page for errors")
            }
            return silent
        }
        if case .exact(let path) = location.match, pages.contains(path) {
            noteUnused(level, "a page for errors: Berth's own are JSON-RPC")
            return silent
        }
        if isAnswered {
            if let folder = challengeFolder(location), let path = location.match.paths?.first {
                return [ImportedRoute(path: path, action: .files(folder), blocks: [block])]
            }
            noteUnused(level, "the server answers before it comes here")
            return silent
        }
        if !level["internal"].isEmpty {
            noteUnused(level, "only nginx itself comes here")
            return silent
        }
        let inner = destination(of: location, named: named)
        guard var route = inner else { return silent }
        guard let paths = location.match.paths else {
            result.notes.note(
                level.head, .leftOut,
                "a route's path is a whole path or a prefix of whole segments, and this matches others: what it matches is "
                    + "left to the routes below")
            noteLost(level)
            return silent
        }
        addFields(&route, location.scope)
        route.access = access(location.scope)
        if route.access.deniesAll, route.action == .respond(status: 403, body: nil, type: nil) {
            route.access = AccessList()
        }
        route.blocks = [block]
        if case .expression(_, true) = location.match {
            result.notes.note(level.head, .kept, "paths are compared in the case in which they are written here")
        }
        return paths.enumerated().map { index, path in
            var copy = route
            copy.path = path
            if index > 0 { copy.blocks = [] }
            if case .upstream(let name, let prefix?) = copy.action, !Self.goes(prefix, with: path) {
                result.notes.note(level.head, .leftOut, "not every path that it matches begins with \(prefix)")
                copy.action = .upstream(name, stripping: nil)
            }
            return copy
        }
    }

    /// Whether every path that a pattern matches begins with a prefix.
    private static func goes(_ prefix: String, with path: ImportedPath) -> Bool {
        switch path {
        case .any: false
        case .exact(let path), .prefix(let path): path == prefix || path.hasPrefix(prefix + "/")
        }
    }

    private func usesNamed(_ name: String, _ locations: [Location]) -> Bool {
        locations.contains { $0.level["try_files"].contains { $0.words.last == name } }
    }

    private mutating func noteUnused(_ level: NginxLevel, _ reason: String) {
        for statement in level.statements { result.notes.note(statement, .byDefault, reason) }
        result.notes.note(level.head, .byDefault, reason)
    }

    private mutating func noteLost(_ level: NginxLevel) {
        for directive in level.directives where ["proxy_pass", "return", "rewrite"].contains(directive.name) {
            result.notes.note(directive.statement, .leftOut, "")
        }
    }

    // MARK: - Where a location leads

    /// The route of a location, without path, fields and access; nil if it serves nothing that anybody asks for.
    private mutating func destination(of location: Location, named: [Location]) -> ImportedRoute? {
        let level = location.level
        if let guarded = guardedRoute(location) { return guarded }
        if level.directives.contains(where: { secureStatements.contains($0.statement.id) }) { return nil }
        if let directive = level["return"].last {
            guard let action = answer(directive, types: level["default_type"] + typeFields(level), in: location.scope)
            else {
                return closed(403, "what nginx answers here cannot be said: nobody is served until you have decided")
            }
            return ImportedRoute(action: action)
        }
        if let rewrite = level["rewrite"].first(where: { Self.redirectTarget($0) != nil }) {
            guard let action = answer(rewrite, types: [], in: location.scope) else {
                return closed(403, "where this redirects to cannot be said: nobody is served until you have decided")
            }
            return ImportedRoute(action: action)
        }
        if let directive = level["proxy_pass"].last { return proxied(directive, location) }
        if let fallback = level["try_files"].last?.words.last, fallback.hasPrefix("@"),
            let target = named.first(where: { if case .named(fallback) = $0.match { true } else { false } }),
            let directive = target.level["proxy_pass"].last
        {
            if let own = level["try_files"].last {
                result.notes.note(own.statement, .kept, "no files are looked for: all goes to \(fallback)")
            }
            let match = location.match
            return proxied(directive, Location(match: match, level: target.level, scope: target.scope))
        }
        return unproxied(location)
    }

    private mutating func unproxied(_ location: Location) -> ImportedRoute? {
        let level = location.level
        if let folder = challengeFolder(location) {
            return ImportedRoute(action: .files(folder))
        }
        if access(location.scope).deniesAll, !level["deny"].isEmpty {
            return ImportedRoute(action: .respond(status: 403, body: nil, type: nil))
        }
        if let other = level.directives.first(where: { $0.name.hasSuffix("_pass") && $0.name != "proxy_pass" }) {
            result.notes.note(other.statement, .leftOut, KnownDirectives.lossReason(other.name))
            return closed(404, "what was here is no HTTP server")
        }
        for name in ["root", "alias", "try_files"] {
            for directive in level[name] {
                result.notes.note(directive.statement, .leftOut, KnownDirectives.lossReason(name))
            }
        }
        // Only around inner locations, or with nothing in it.
        if level["root"].isEmpty, level["alias"].isEmpty, level["try_files"].isEmpty { return nil }
        return closed(404, "files were served here")
    }

    /// A route in the place of one that cannot be made, so that no other takes its requests.
    private func closed(_ status: Int, _ comment: String) -> ImportedRoute {
        ImportedRoute(
            action: .respond(status: status, body: nil, type: nil),
            comment: NoteWriter.sentence("LEFT OUT: \(comment)"))
    }

    /// The folder in which an ACME client puts its challenges, if the location serves it.
    private mutating func challengeFolder(_ location: Location) -> String? {
        let challenges = "/.well-known/acme-challenge"
        guard let stem = location.match.stem, stem == challenges || stem == challenges + "/" else { return nil }
        let folder: String
        let directive: NginxDirective
        if let alias = location.level["alias"].last {
            directive = alias
            folder = alias.first ?? ""
        } else if let root = location.scope.value("root") {
            directive = root
            folder = (root.first ?? "") + challenges
        } else {
            return nil
        }
        guard folder.hasPrefix("/"), !folder.contains("$"), folder.utf8.count <= 1_024 else {
            result.notes.note(
                directive.statement, .leftOut, "the folder of challenges is a path that begins with a slash")
            return nil
        }
        result.notes.note(directive.statement, .kept, "files: of challenges of ACME only")
        for own in location.level["try_files"] { result.notes.note(own.statement, .byDefault) }
        return folder.hasSuffix("/") && folder.count > 1 ? String(folder.dropLast()) : folder
    }

    /// A route that serves nobody where nginx lets in only some by what Berth cannot check; nil where it does not.
    private mutating func guardedRoute(_ location: Location) -> ImportedRoute? {
        var isGuarded = false
        for name in ["auth_basic", "auth_request", "auth_jwt"] {
            guard let directive = location.scope.value(name), directive.first != "off" else { continue }
            result.notes.note(directive.statement, .leftOut, KnownDirectives.lossReason(name))
            isGuarded = true
        }
        for directive in location.scope.levels.dropFirst().flatMap({ $0["if"] }) {
            if note(condition: directive, location) { isGuarded = true }
        }
        guard isGuarded else { return nil }
        var route = closed(403, "nginx let in only some of these requests, by something that Berth cannot check")
        if let directive = location.level["proxy_pass"].last, let name = proxied(directive, location).action.upstream {
            guardedUpstreams.insert(name)
            route.comment += " To serve them all, write upstream = \"\(name)\" in the place of respond."
            result.notes.note(directive.statement, .leftOut, "see below")
        }
        return route
    }

    /// Notes an `if`; returns whether it kept requests out.
    private mutating func note(condition directive: NginxDirective, _ location: Location) -> Bool {
        let words = directive.condition
        let block = directive.block ?? []
        let variable = words.first ?? ""
        if result.notes.isNoted(directive.statement), result.notes.entry(of: directive.statement).verdict == .kept {
            return false
        }
        if variable.lowercased() == "$request_method",
            block.contains(where: { $0.name == "return" && $0.first == "204" })
        {
            result.notes.note(
                directive.statement, .leftOut,
                "a route goes by host and path, not by method: OPTIONS goes to the servers, which have to answer preflights "
                    + "themselves (CORSMiddleware of Starlette, cors() of Express)")
            return false
        }
        if variable.lowercased() == "$ssl_client_verify",
            location.scope.levels[1]["if"].contains(where: { $0.statement == directive.statement })
        {
            result.notes.note(directive.statement, .kept, "client_auth: required")
            return false
        }
        if variable.lowercased().contains("mcp_session_id") {
            result.notes.note(
                directive.statement, .repaired,
                "requests with a session go to its server, all others where balance says: there is nothing to choose")
            return false
        }
        let refuses = block.contains { directive in
            directive.name == "return" && ["400", "401", "403", "404", "405", "444"].contains(directive.first ?? "")
        }
        result.notes.note(
            directive.statement, .leftOut, "conditions on a request are not made: requests go by host and path")
        return refuses
    }

    private func typeFields(_ level: NginxLevel) -> [NginxDirective] {
        level["add_header"].filter { $0.first?.lowercased() == "content-type" }.compactMap { directive in
            var words = directive.words
            if words.last == "always" { words.removeLast() }
            return NginxDirective(statement: directive.statement, name: directive.name, words: words, block: nil)
        }
    }
}
