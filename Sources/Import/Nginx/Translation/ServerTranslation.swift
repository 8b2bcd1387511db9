extension NginxTranslation {
    /// Translates one `server`: its listeners, and its routes.
    mutating func translate(_ server: NginxLevel) {
        let scope = scope.entering(server)
        for directive in server["server_name"] { result.notes.presume(directive.statement, .kept) }
        let secure = secureRedirect(of: server)
        secureStatements.formUnion(secure?.directives.map(\.statement.id) ?? [])
        let addresses = listen(server, scope, redirect: secure)
        // What a server answers by itself comes before its locations.
        let whole = secure == nil ? wholeAnswer(of: server) : nil
        let isAnswered = whole != nil || secure?.isOfServer == true
        var routes = locations(of: server, scope, isAnswered: isAnswered)
        if let redirect = secure {
            for directive in redirect.directives {
                result.notes.note(directive.statement, .kept, "redirect: with 308, so that a POST stays one")
            }
            if let url = redirect.canonical { routes.append(ImportedRoute(action: .redirect(to: url))) }
            for directive in server["return"] + (redirect.canonical == nil ? server["server_name"] : []) {
                result.notes.note(directive.statement, .byDefault, "every host is redirected")
            }
        } else if let answer = whole, let route = answer {
            routes.append(route)
        }
        if server.head.id == NginxTranslation.impliedServerID {
            result.notes.add(
                to: server.head, .repaired, "this is a part of a server: it is taken for one that listens on port 80")
        }
        sites.append(Site(level: server, addresses: addresses, routes: routes))
    }

    /// Names of a server that requests can be told by, in lower case and each once, and whether it has others as well.
    func names(of server: NginxLevel) -> (plain: [String], hasPatterns: Bool) {
        var plain: [String] = []
        var hasPatterns = false
        for name in server["server_name"].flatMap(\.words) {
            let name = name.lowercased()
            if name == "_" || name.isEmpty || name == "localhost" || name.hasPrefix("$") { continue }
            if name.contains("*") || name.hasPrefix("~") || name.hasPrefix(".") {
                hasPatterns = true
                // ".example.com" is example.com and all below.
                if name.hasPrefix("."), RouteHost.isName(String(name.dropFirst())) {
                    plain.append(String(name.dropFirst()))
                }
            } else if RouteHost.isName(name) {
                if !plain.contains(name) { plain.append(name) }
            } else {
                hasPatterns = true
            }
        }
        return (plain, hasPatterns)
    }

    // MARK: - Redirects

    /// A server that sends its clients to HTTPS, with the directives that say so.
    struct SecureRedirect {
        var directives: [NginxDirective]
        /// The port in the URL, where one is written.
        var port: Int?
        /// Whether they stand in the server itself, and so come before all locations.
        var isOfServer = true
        /// The origin of another host, to which clients of this one are sent from HTTPS.
        var canonical: String?
    }

    private func secureRedirect(of server: NginxLevel) -> SecureRedirect? {
        guard !server["listen"].contains(where: { $0.words.contains("ssl") }), server["ssl"].isEmpty else { return nil }
        var found: [NginxDirective] = []
        var port: Int?
        var canonical: String?
        func look(_ directives: [NginxDirective]) -> Bool {
            for directive in directives {
                guard let target = Self.redirectTarget(directive),
                    let own = SecureURL(target, names: names(of: server).plain)
                else { continue }
                found.append(directive)
                (port, canonical) = (own.port, own.canonical)
                return true
            }
            return false
        }
        if look(server.directives) { return SecureRedirect(directives: found, port: port, canonical: canonical) }
        for directive in server["if"] where look(directive.block ?? []) {
            // As certbot writes it: for each name, and 404 for all others.
            found.append(directive)
        }
        if !found.isEmpty { return SecureRedirect(directives: found, port: port, canonical: canonical) }
        // In the location of all paths, if no other one serves anything.
        let root = server["location"].first { $0.words == ["/"] || $0.words == ["^~", "/"] }
        let others = server["location"].contains { other in
            let block = other.block ?? []
            return other.statement.id != root?.statement.id
                && block.contains { ["proxy_pass", "return", "rewrite", "location"].contains($0.name) }
        }
        guard let block = root?.block, !others, !block.contains(where: { $0.name == "proxy_pass" }), look(block) else {
            return nil
        }
        return SecureRedirect(directives: found, port: port, isOfServer: false, canonical: canonical)
    }

    /// Where a directive sends clients; nil if it does not.
    static func redirectTarget(_ directive: NginxDirective) -> String? {
        switch directive.name {
        case "return":
            guard let code = directive.first else { return nil }
            if directive.words.count == 1 { return code.contains("://") ? code : nil }
            return ["301", "302", "303", "307", "308"].contains(code) ? directive.words[1] : nil
        case "rewrite":
            guard directive.words.count >= 2 else { return nil }
            let target = directive.words[1]
            let isWhole = ["^", "^(.*)", "^(.*)$", "^/(.*)$", "^/(.*)", "^(/.*)$", "(.*)", "^.*$", ".*"].contains(
                directive.words[0])
            guard isWhole, target.contains("://") || ["permanent", "redirect"].contains(directive.words.last ?? "")
            else { return nil }
            // What was captured is the whole path.
            return target.replacing("/$1", with: "$request_uri").replacing("$1", with: "$request_uri")
        default: return nil
        }
    }

    /// What a server answers to everything by `return`: nil if it does not, and no route where Berth answers the same.
    private mutating func wholeAnswer(of server: NginxLevel) -> ImportedRoute?? {
        guard let directive = server["return"].last else { return nil }
        guard let action = answer(directive, types: [], in: scope.entering(server)) else { return .some(nil) }
        if case .respond(let status, nil, nil) = action, status == 404 {
            result.notes.note(directive.statement, .byDefault, "what no route matches gets 404")
            return .some(nil)
        }
        return ImportedRoute(action: action)
    }

    /// The route's action for `return`; nil, and noted, if there is none. `types`: directives that say the type of a body.
    mutating func answer(
        _ directive: NginxDirective, types: [NginxDirective], in scope: NginxScope
    ) -> ImportedRoute.Action? {
        let words = directive.words
        if var target = Self.redirectTarget(directive) {
            // The host is known where a server has one name.
            let names = scope.levels.count > 1 ? names(of: scope.levels[1]) : (plain: [], hasPatterns: true)
            if names.plain.count == 1, !names.hasPatterns {
                for own in ["$host", "$server_name", "$http_host"] {
                    target = target.replacing("://\(own)", with: "://\(names.plain[0])")
                }
            }
            guard let url = FixedURL(target) else {
                result.notes.note(
                    directive.statement, .leftOut,
                    "a redirect leads to a URL that is fixed, or to the same path at another host")
                return nil
            }
            result.notes.note(directive.statement, .kept, "with 308, so that a POST stays one")
            return .redirect(to: url.text)
        }
        guard let status = NginxValue.integer(words.first, in: 200...599) else {
            result.notes.note(directive.statement, .leftOut, "a response has a status from 200 to 599")
            return nil
        }
        if status == 444 {
            result.notes.note(directive.statement, .byDefault, "what no route matches gets 404")
            return .respond(status: 404, body: nil, type: nil)
        }
        guard ![206, 301, 302, 303, 304, 307, 308, 401].contains(status) else {
            let reason = "\(status) is no answer by itself: it needs fields that only a server can make"
            result.notes.note(directive.statement, .leftOut, reason)
            return nil
        }
        let body = words.dropFirst().joined(separator: " ")
        guard VariableUse.names(in: body).isEmpty, RouteHost.isPlain(body), body.utf8.count <= 65_536 else {
            result.notes.note(directive.statement, .leftOut, "a fixed response has no variables in it")
            return nil
        }
        result.notes.note(directive.statement, .kept)
        guard !body.isEmpty, ![204, 205].contains(status) else { return .respond(status: status, body: nil, type: nil) }
        let type = types.last?.words.last.flatMap { RouteHost.isMediaType($0) ? $0 : nil }
        for directive in types { result.notes.note(directive.statement, .kept, "respond: content_type") }
        return .respond(status: status, body: body, type: type)
    }
}

extension NginxTranslation.Site {
    /// Whether it answers anything but challenges of ACME.
    var isServing: Bool { routes.contains { $0.action != .nothing && !$0.action.isFiles } }
}

extension ImportedRoute.Action {
    var isFiles: Bool { if case .files = self { true } else { false } }
    /// The upstream that it leads to.
    var upstream: String? { if case .upstream(let name, _) = self { name } else { nil } }
}

/// The URL of a redirect to the same path over HTTPS.
struct SecureURL {
    var port: Int?
    /// The origin, if it is another host's.
    var canonical: String?

    /// Nil for any other URL. `names`: of the server that redirects.
    init?(_ target: String, names: [String]) {
        guard target.hasPrefix("https://") else { return nil }
        let rest = target.dropFirst(8)
        let end =
            rest.firstRange(of: "$request_uri")?.lowerBound ?? rest.firstRange(of: "$uri")?.lowerBound ?? rest.endIndex
        var host = rest[..<end]
        let path = rest[end...]
        let keepsPath = ["$request_uri", "$uri", "$uri$is_args$args", "$uri?$args"].contains(path)
        guard keepsPath else { return nil }
        if host.hasSuffix("/") { host = host.dropLast() }
        if let colon = host.lastIndex(of: ":"),
            let number = NginxValue.integer(String(host[host.index(after: colon)...]), in: 1...65_535)
        {
            port = number == 443 ? nil : number
            host = host[..<colon]
        }
        let own = ["$host", "$server_name", "$http_host", "${host}", "${server_name}"]
        guard !own.contains(String(host)), !names.contains(host.lowercased()), !names.isEmpty else { return }
        // Another host: first to HTTPS, then there.
        guard let url = FixedURL("https://\(host)\(port.map { ":\($0)" } ?? "")") else { return nil }
        canonical = url.text
    }
}

/// The URL of a redirect that is the same for all, or that leads to the same path at another host.
struct FixedURL {
    let text: String

    init?(_ target: String) {
        var text = target
        // An origin alone keeps path and query.
        for own in ["$request_uri", "$uri$is_args$args", "$uri?$args", "$uri"] where text.hasSuffix(own) {
            text = String(text.dropLast(own.count))
            if text.hasSuffix("/") { text = String(text.dropLast()) }
            guard text.split(separator: "/").count == 2 else { return nil }
            break
        }
        let scheme = ["https://", "http://"].first { text.lowercased().hasPrefix($0) }
        guard let scheme, !text.contains("$"), !text.contains("#"), text.utf8.count <= 2_048 else { return nil }
        let rest = text.dropFirst(scheme.count)
        let host = rest.prefix { $0 != "/" && $0 != "?" }
        guard RouteHost.isField(String(host)), text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else { return nil }
        self.text = scheme + rest
    }
}
