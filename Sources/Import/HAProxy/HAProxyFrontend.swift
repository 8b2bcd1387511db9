extension HAProxyTranslation {
    /// Makes the listeners and routes of a `frontend` or `listen`.
    mutating func translateFrontend(_ proxy: Proxy) {
        let section = proxy.section
        let acls = acls(section)
        let (addresses, listeners) = listen(proxy)
        guard !addresses.isEmpty else {
            result.blocks.append(section.sourceBlock)
            return
        }
        if let first = listeners.first { result.listeners[first].blocks.append(section.sourceBlock) }
        var scratch = ImportedUpstream(name: "")
        var rules = RouteRules()
        readRules(section, &rules, upstream: &scratch)
        var routes = fixedRoutes(section, acls, listeners)
        let before = routes.count
        routes += backendRoutes(proxy, acls)
        if case .fixed = scratch.host {
            let names = Set(routes.compactMap(\.action.upstream))
            for index in result.upstreams.indices where names.contains(result.upstreams[index].name) {
                result.upstreams[index].host = scratch.host
            }
        }
        restrict(&routes, section, acls)
        let access = access(section, acls)
        let isGuarded = guards(section, acls)
        for index in routes.indices {
            routes[index].access = access
            apply(rules, to: &routes[index])
            guard index >= before, isGuarded, let name = routes[index].action.upstream else { continue }
            guardedUpstreams.insert(name)
            routes[index].action = .respond(status: 403, body: nil, type: nil)
            routes[index].comment =
                "LEFT OUT: HAProxy let in only some of these requests, by something that Berth cannot check. "
                + "To serve them all, write upstream = \"\(name)\" in the place of respond."
        }
        frontends.append(
            Frontend(head: section.head.statement, addresses: addresses, routes: routes))
    }

    private func acls(_ section: HAProxySection) -> [String: [HAProxyTest]] {
        var acls: [String: [HAProxyTest]] = [:]
        for line in section.all("acl") { acls[line[1], default: []].append(HAProxyTest(line.words(from: 2))) }
        return acls
    }

    // MARK: - Routes

    private mutating func backendRoutes(_ proxy: Proxy, _ acls: [String: [HAProxyTest]]) -> [ImportedRoute] {
        let section = proxy.section
        var routes: [ImportedRoute] = []
        for line in section.all("use_backend") {
            let condition = HAProxyCondition(line.words, acls: acls)
            guard let matches = matches(condition), let backend = upstreamNames[line[1]] else {
                let isKnown = upstreamNames[line[1]] != nil
                result.notes.note(
                    line.statement, .leftOut,
                    isKnown
                        ? "requests go by host and path, not by what this asks"
                        : "this backend has no servers that are known")
                continue
            }
            result.notes.note(line.statement, .kept)
            noteUse(section, line)
            routes += matches.map { route(to: backend, of: line[1], host: $0.host, path: $0.path) }
            guard routes.count < ImportedConfiguration.maximumRoutes else { break }
        }
        let fallback = proxy.inherited("default_backend").last
        let own = section.kind == "listen" ? section.name : nil
        if let name = fallback?[1] ?? own, let backend = upstreamNames[name] {
            if let fallback { result.notes.note(fallback.statement, .kept) }
            routes.append(route(to: backend, of: name, host: nil, path: .any))
        } else if let fallback {
            result.notes.note(fallback.statement, .leftOut, "this backend has no servers that are known")
        }
        return routes
    }

    private mutating func route(to upstream: String, of backend: String, host: String?, path: ImportedPath)
        -> ImportedRoute
    {
        var route = ImportedRoute(host: host, path: path, action: .upstream(upstream, stripping: nil))
        guard let rules = backendRules[backend] else { return route }
        apply(rules, to: &route)
        if let prefix = rules.prefix {
            let goes: Bool
            switch path {
            case .any: goes = false
            case .exact(let text), .prefix(let text): goes = text == prefix.text || text.hasPrefix(prefix.text + "/")
            }
            if goes {
                route.action = .upstream(upstream, stripping: prefix.text)
            } else {
                result.notes.note(
                    prefix.line.statement, .leftOut,
                    "not every path that leads here begins with \(prefix.text): write a route for it")
            }
        }
        return route
    }

    private func apply(_ rules: RouteRules, to route: inout ImportedRoute) {
        for field in rules.setFields
        where !route.setFields.contains(where: { $0.name.lowercased() == field.name.lowercased() }) {
            if route.setFields.count < 32 { route.setFields.append(field) }
        }
        for name in rules.removedFields {
            let isKnown = route.removedFields.contains { $0.lowercased() == name.lowercased() }
            let isSet = route.setFields.contains { $0.name.lowercased() == name.lowercased() }
            if !isKnown, !isSet, route.removedFields.count < 32 { route.removedFields.append(name) }
        }
        if route.setFields.reduce(0, { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }) > 8_192 {
            route.setFields = []
        }
    }

    /// The hosts and paths for which a condition holds; nil if it asks for anything else.
    private func matches(_ condition: HAProxyCondition) -> [(host: String?, path: ImportedPath)]? {
        var found: [(host: String?, path: ImportedPath)] = []
        for terms in condition.alternatives {
            var hosts: [String?] = [nil]
            var paths: [ImportedPath] = [.any]
            for term in terms {
                switch (term.test, term.isNegated) {
                case (.hosts(let names), false):
                    hosts = hosts == [nil] ? names : hosts.filter { $0.map(names.contains) ?? false }
                case (.paths(let list), false):
                    paths = paths == [.any] ? list : paths.filter { path in list.contains { $0.covers(path) } }
                case (.secure, false): break
                default: return nil
                }
            }
            guard hosts.count * paths.count <= 256 else { return nil }
            for host in hosts { found += paths.map { (host, $0) } }
        }
        return found
    }

    /// Notes the `acl` lines that a line uses.
    private mutating func noteUse(_ section: HAProxySection, _ line: HAProxyLine) {
        let names = Set(line.words.map { $0.hasPrefix("!") ? String($0.dropFirst()) : $0 })
        for acl in section.all("acl") where names.contains(acl[1]) { result.notes.note(acl.statement, .kept) }
    }

    // MARK: - Answers

    /// Routes that Berth answers itself, and redirects of listeners.
    private mutating func fixedRoutes(
        _ section: HAProxySection, _ acls: [String: [HAProxyTest]], _ listeners: [Int]
    ) -> [ImportedRoute] {
        var routes: [ImportedRoute] = []
        for line in section.all("monitor-uri") {
            guard let path = ImportedPath.exact(written: line[1]) else { continue }
            routes.append(ImportedRoute(path: path, action: .respond(status: 200, body: nil, type: nil)))
            result.notes.note(line.statement, .kept)
        }
        for line in section.lines {
            let words = line.keyword == "redirect" ? ["http-request"] + line.words : line.words
            guard words.count > 1, words[0] == "http-request" else { continue }
            switch words[1] {
            case "redirect": redirect(section, line, Array(words.dropFirst(2)), acls, listeners, &routes)
            case "return": answer(section, line, acls, &routes)
            case "deny", "reject", "silent-drop": deny(section, line, acls, &routes)
            default: break
            }
        }
        return routes
    }

    private mutating func redirect(
        _ section: HAProxySection, _ line: HAProxyLine, _ words: [String], _ acls: [String: [HAProxyTest]],
        _ listeners: [Int],
        _ routes: inout [ImportedRoute]
    ) {
        let condition = HAProxyCondition(line.words, acls: acls)
        let kind = words.first ?? ""
        let target = words.count > 1 ? words[1] : ""
        if kind == "scheme", target == "https" {
            let always = condition.alternatives == [[]]
            let ifPlain = condition.alternatives == [[HAProxyCondition.Term(test: .secure, isNegated: true)]]
            if always || ifPlain {
                for index in listeners where result.listeners[index].http != nil {
                    result.listeners[index].redirect = "https"
                }
                result.notes.note(line.statement, .kept, "redirect: with 308, so that a POST stays one")
                noteUse(section, line)
                return
            }
        }
        if kind == "location" || kind == "prefix", let matches = matches(condition), let url = FixedURL(target) {
            routes += matches.map { ImportedRoute(host: $0.host, path: $0.path, action: .redirect(to: url.text)) }
            result.notes.note(line.statement, .kept, "with 308, so that a POST stays one")
            noteUse(section, line)
            return
        }
        result.notes.note(
            line.statement, .leftOut,
            "a redirect leads to HTTPS, to a URL that is fixed, or to the same path at another host")
    }

    private mutating func answer(
        _ section: HAProxySection, _ line: HAProxyLine, _ acls: [String: [HAProxyTest]], _ routes: inout [ImportedRoute]
    ) {
        let condition = HAProxyCondition(line.words, acls: acls)
        let status = line.value("status").map { NginxValue.integer($0, in: 200...599) } ?? 200
        let body = line.value("string") ?? line.value("lf-string")
        let isFixed =
            RouteHost.isPlain(body ?? "") && !(body ?? "").contains("%[") && !line.has("file") && !line.has("lf-file")
        guard let matches = matches(condition), let status, ![206, 301, 302, 303, 304, 307, 308, 401].contains(status),
            isFixed,
            (body ?? "").utf8.count <= 65_536
        else {
            result.notes.note(
                line.statement, .leftOut, "an answer is a status with a fixed text, for a host and a path")
            return
        }
        let type = line.value("content-type").flatMap { RouteHost.isMediaType($0) ? $0 : nil }
        let text = [204, 205].contains(status) || (body ?? "").isEmpty ? nil : body
        routes += matches.map {
            ImportedRoute(
                host: $0.host, path: $0.path,
                action: .respond(status: status, body: text, type: text == nil ? nil : type))
        }
        result.notes.note(line.statement, .kept)
        noteUse(section, line)
    }

    // MARK: - Access

    private mutating func deny(
        _ section: HAProxySection, _ line: HAProxyLine, _ acls: [String: [HAProxyTest]], _ routes: inout [ImportedRoute]
    ) {
        let condition = HAProxyCondition(line.words, acls: acls)
        let terms = condition.alternatives.flatMap { $0 }
        if terms.contains(where: { $0.test == .rate }) {
            result.notes.note(line.statement, .leftOut, HAProxyKnown.rates)
        } else if isBySource(condition) {
            result.notes.note(line.statement, .kept)
            noteUse(section, line)
        } else if let matches = matches(condition), !terms.isEmpty {
            let written = line.value("deny_status").flatMap { NginxValue.integer($0, in: 400...599) }
            let status = written == 401 ? 403 : written ?? 403
            routes += matches.map {
                ImportedRoute(host: $0.host, path: $0.path, action: .respond(status: status, body: nil, type: nil))
            }
            result.notes.note(line.statement, .kept)
            noteUse(section, line)
        } else if Self.allowedPaths(condition) != nil {
            result.notes.note(line.statement, .byDefault, "what no route matches gets 404")
            noteUse(section, line)
        } else {
            result.notes.note(
                line.statement, .leftOut, "conditions on a request are not made: requests go by host and path")
        }
    }

    /// The paths that a `deny` lets through, where it asks whether a path is none of them.
    private static func allowedPaths(_ condition: HAProxyCondition) -> [ImportedPath]? {
        guard condition.alternatives.count == 1, let terms = condition.alternatives.first, !terms.isEmpty else {
            return nil
        }
        var paths: [ImportedPath] = []
        for term in terms {
            guard term.isNegated, case .paths(let list) = term.test else { return nil }
            paths += list
        }
        return paths
    }

    /// Narrows routes to the paths that every `deny` lets through.
    private mutating func restrict(
        _ routes: inout [ImportedRoute], _ section: HAProxySection, _ acls: [String: [HAProxyTest]]
    ) {
        for line in section.all("http-request", "deny") {
            guard let allowed = Self.allowedPaths(HAProxyCondition(line.words, acls: acls)), allowed.count <= 64 else {
                continue
            }
            routes = routes.flatMap { route -> [ImportedRoute] in
                guard route.action.upstream != nil, !allowed.contains(where: { $0.covers(route.path) }) else {
                    return [route]
                }
                return allowed.filter { route.path.covers($0) }.map { path in
                    var narrow = route
                    narrow.path = path
                    return narrow
                }
            }
            guard routes.count <= ImportedConfiguration.maximumRoutes else { return }
        }
    }

    /// Whether a condition asks for the client's address alone.
    private func isBySource(_ condition: HAProxyCondition) -> Bool {
        condition.alternatives.allSatisfy { terms in
            guard terms.count == 1, case .source = terms[0].test else { return false }
            return true
        }
    }

    /// Who may come: from `deny` by address.
    private func access(_ section: HAProxySection, _ acls: [String: [HAProxyTest]]) -> AccessList {
        var rules: [AccessList.Rule] = []
        for line in section.all("http-request", "deny") {
            let condition = HAProxyCondition(line.words, acls: acls)
            guard isBySource(condition) else { continue }
            for terms in condition.alternatives {
                guard case .source(let blocks) = terms[0].test else { continue }
                rules += blocks.map { AccessList.Rule(block: $0, isAllowed: terms[0].isNegated) }
                if terms[0].isNegated {
                    rules += AddressBlock.everything.map { AccessList.Rule(block: $0, isAllowed: false) }
                }
            }
        }
        let list = AccessList(rules: Array(rules.prefix(AccessList.maximumRules)))
        return list.denied.isEmpty ? AccessList() : list
    }

    /// Whether a section keeps requests out by something that Berth does not look at.
    private mutating func guards(_ section: HAProxySection, _ acls: [String: [HAProxyTest]]) -> Bool {
        var isGuarded = false
        for line in section.all("http-request", "auth") {
            result.notes.note(
                line.statement, .leftOut, "Berth checks no credentials yet: servers do, as MCP's authorization says")
            isGuarded = true
        }
        for line in section.all("http-request", "deny") {
            let condition = HAProxyCondition(line.words, acls: acls)
            let terms = condition.alternatives.flatMap { $0 }
            let isMade =
                isBySource(condition) || Self.allowedPaths(condition) != nil
                || (matches(condition) != nil && !terms.isEmpty)
            let isOther = !isMade && !terms.contains { $0.test == .rate } && !terms.contains { $0.test == .method }
            if isOther { isGuarded = true }
        }
        return isGuarded
    }
}
