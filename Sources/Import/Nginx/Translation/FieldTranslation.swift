extension NginxTranslation {
    /// Names of fields that are of one connection, or that say how a body is read: nobody can set them.
    private static let fixedFields: Set<String> = [
        "connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade", "http2-settings",
        "proxy-authenticate",
        "proxy-authorization", "transfer-encoding", "content-length", "content-type", "content-encoding",
        "content-range",
        "date", "mcp-session-id",
    ]

    /// Adds what `add_header` and its like change in responses.
    mutating func addFields(_ route: inout ImportedRoute, _ scope: NginxScope) {
        for directive in scope.inherited("add_header") { add(directive, to: &route) }
        for directive in scope.inherited("more_set_headers") {
            let words = directive.words
            for word in words {
                let parts = word.split(separator: ":", maxSplits: 1).map(String.init)
                guard parts.count == 2 else { continue }
                let value = parts[1].drop { $0 == " " }
                set(parts[0], String(value), directive, &route)
            }
        }
        for directive in scope.inherited("proxy_hide_header") + scope.inherited("more_clear_headers") {
            for name in directive.words { remove(name, directive, &route) }
        }
        // "set" replaces what a server sends, so that nothing need be removed before.
        route.removedFields.removeAll { name in
            route.setFields.contains { $0.name.lowercased() == name.lowercased() }
        }
        if route.setFields.reduce(0, { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }) > 8_192 {
            route.setFields = []
            for directive in scope.inherited("add_header") {
                result.notes.note(directive.statement, .leftOut, "all fields of a response together have at most 8 KiB")
            }
        }
    }

    private mutating func add(_ directive: NginxDirective, to route: inout ImportedRoute) {
        var words = directive.words
        if words.last == "always" { words.removeLast() }
        guard words.count == 2 else {
            result.notes.note(directive.statement, .leftOut, "a field has a name and a value")
            return
        }
        set(words[0], words[1], directive, &route)
    }

    private mutating func set(
        _ name: String, _ value: String, _ directive: NginxDirective, _ route: inout ImportedRoute
    ) {
        let lowered = name.lowercased()
        if Self.fixedFields.contains(lowered) {
            let isType = lowered == "content-type"
            result.notes.note(
                directive.statement, .byDefault,
                isType ? "bodies say what they are themselves" : "\(name) is written by who sends the body")
            return
        }
        guard !value.isEmpty else {
            result.notes.note(directive.statement, .byDefault, "nginx sends no empty field")
            return
        }
        let isReflected = value.hasPrefix("$http_origin") || value.hasPrefix("$cors")
        guard VariableUse.names(in: value).isEmpty else {
            result.notes.note(
                directive.statement, .leftOut,
                isReflected
                    ? "a field that depends on the origin is the servers' to write; a fixed origin, or *, can stand here"
                    : "a field that is set has a fixed value")
            return
        }
        guard Self.isFieldName(name), Self.isFieldValue(value) else {
            result.notes.note(directive.statement, .leftOut, "this is no field of HTTP")
            return
        }
        guard route.setFields.count < 32 || route.setFields.contains(where: { $0.name.lowercased() == lowered }) else {
            result.notes.note(directive.statement, .leftOut, "a route sets at most 32 fields")
            return
        }
        // Of a field that stands twice both values are sent by nginx; a list says the same.
        if let index = route.setFields.firstIndex(where: { $0.name.lowercased() == lowered }) {
            if route.setFields[index].value != value { route.setFields[index].value += ", \(value)" }
        } else {
            route.setFields.append(ImportedRoute.Field(name: name, value: value))
        }
        result.notes.note(directive.statement, .kept)
    }

    private mutating func remove(_ name: String, _ directive: NginxDirective, _ route: inout ImportedRoute) {
        guard Self.isFieldName(name), !Self.fixedFields.contains(name.lowercased()) else {
            result.notes.note(directive.statement, .byDefault, "\(name) is written by who sends the body")
            return
        }
        result.notes.note(directive.statement, .kept)
        let isKnown = route.removedFields.contains { $0.lowercased() == name.lowercased() }
        if !isKnown, route.removedFields.count < 32 { route.removedFields.append(name) }
    }

    static func isFieldName(_ text: String) -> Bool {
        let others = "!#$%&'*+-.^_`|~"
        return (1...64).contains(text.utf8.count)
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || others.contains($0)) }
    }

    static func isFieldValue(_ text: String) -> Bool {
        RouteHost.isPlain(text) && text.utf8.allSatisfy { (0x20...0x7e).contains($0) } && text.utf8.count <= 4_096
            && text.first != " "
            && text.last != " "
    }

    // MARK: - Access

    /// Who may come to a location. What no block has is allowed.
    mutating func access(_ scope: NginxScope) -> AccessList {
        let directives = scope.inherited(["allow", "deny"])
        guard let first = directives.first?.statement.id else { return AccessList() }
        if let known = accessLists[first] { return known }
        var rules: [AccessList.Rule] = []
        for directive in directives {
            let isAllowed = directive.name == "allow"
            if directive.first == "all" {
                rules += AddressBlock.everything.map { AccessList.Rule(block: $0, isAllowed: isAllowed) }
            } else if let block = directive.first.flatMap({ AddressBlock($0) }) {
                rules.append(AccessList.Rule(block: block, isAllowed: isAllowed))
            } else if directive.first == "unix:" {
                result.notes.note(directive.statement, .byDefault, "there are no listeners at Unix sockets")
                continue
            } else {
                result.notes.note(directive.statement, .leftOut, "addresses are IP addresses and blocks of them")
                continue
            }
            result.notes.note(directive.statement, .kept)
        }
        let list = AccessList(rules: Array(rules.prefix(AccessList.maximumRules)))
        // "allow all" alone says nothing.
        accessLists[first] = list.denied.isEmpty ? AccessList() : list
        return accessLists[first] ?? AccessList()
    }
}
