import Configuration

/// Translates an nginx configuration into Berth's terms.
struct NginxTranslation {
    var result = ImportedConfiguration()
    /// The directives of `http`, or of a file that is a part of it.
    let http: NginxLevel
    /// Upstreams by name.
    let upstreams: [String: NginxLevel]
    /// Maps by the name of the variable that they set, without its dollar.
    let maps: [String: NginxDirective]
    /// The names of all variables that something uses, without their dollars.
    let usedVariables: Set<String>
    /// Upstreams of the result by what `proxy_pass` names; the index.
    var upstreamIndices: [String: Int] = [:]
    /// What locations say of the upstreams of the result, by index.
    var upstreamWishes: [Int: UpstreamWishes] = [:]
    /// Listeners in clear, by index, that serve requests.
    var plainListeners: Set<Int> = []
    /// Whether servers are told that clients use HTTPS, whatever the connection is.
    var forwardsHTTPS = false
    /// Who may come, by the number of the first line that says so.
    var accessLists: [Int: AccessList] = [:]
    /// Upstreams to which only routes lead that serve nobody until somebody has decided.
    var guardedUpstreams: Set<String> = []
    /// Addresses at which nothing is served any more.
    var droppedAddresses: Set<String> = []
    /// Directives that send clients to HTTPS, by the numbers of their statements.
    var secureStatements: Set<Int> = []
    /// The routes of each server that serves, with its names.
    var sites: [Site] = []
    private let main: NginxLevel

    /// One `server` that answers requests.
    struct Site {
        var level: NginxLevel
        /// The addresses at which it answers, without those that redirect.
        var addresses: Set<String>
        var routes: [ImportedRoute]
    }

    /// Translates the directives of a whole file. Throws if nothing in it is proxied.
    static func run(_ directives: [NginxDirective], file: String) throws(ConfigurationErrors) -> ImportedConfiguration {
        var translation = NginxTranslation(directives, file: file)
        return try translation.run(file: file)
    }

    private init(_ directives: [NginxDirective], file: String) {
        let head = Statement(id: Self.freshID, file: file, line: 1, text: "outside of blocks")
        let main = NginxLevel(head, directives)
        let blocks = main["http"].filter { $0.block != nil }
        if let first = blocks.first {
            http = NginxLevel(first.statement, blocks.flatMap { $0.block ?? [] })
        } else {
            http = main
        }
        self.main = main
        var upstreams: [String: NginxLevel] = [:]
        for directive in http["upstream"] {
            guard let name = directive.first, let block = directive.block, upstreams[name] == nil else { continue }
            upstreams[name] = NginxLevel(directive.statement, block)
        }
        self.upstreams = upstreams
        var maps: [String: NginxDirective] = [:]
        for directive in http["map"] {
            guard directive.words.count == 2, directive.block != nil else { continue }
            maps[String(directive.words[1].dropFirst())] = directive
        }
        self.maps = maps
        usedVariables = VariableUse.names(in: directives)
    }

    /// Numbers of statements that are made for what has no line of its own.
    static let freshID = -1
    static let impliedServerID = -2

    private mutating func run(file: String) throws(ConfigurationErrors) -> ImportedConfiguration {
        noteAll(main.directives)
        noteProcess()
        for server in servers(file: file) { translate(server) }
        finishUpstreams()
        orderRoutes()
        dropListeners()
        result.finishListeners(forwardsHTTPS: forwardsHTTPS)
        addProcessBlocks()
        try result.check(file: file)
        return result
    }

    private func servers(file: String) -> [NginxLevel] {
        let servers = http["server"].compactMap { directive in
            directive.block.map { NginxLevel(directive.statement, $0) }
        }
        guard servers.isEmpty, !http["location"].isEmpty else { return servers }
        // A part of a server, as people publish them.
        let head = Statement(id: Self.impliedServerID, file: file, line: 1, text: "no server block")
        return [NginxLevel(head, http.directives.filter { $0.name == "location" })]
    }

    var scope: NginxScope { NginxScope(http) }

    // MARK: - Process

    private mutating func noteProcess() {
        if let directive = main["worker_processes"].last {
            if let number = NginxValue.integer(directive.first, in: 1...1_024) {
                result.workers = number
                result.notes.note(directive.statement, .kept)
            } else {
                result.notes.note(directive.statement, .byDefault, "one worker per core")
            }
        }
    }

    private mutating func addProcessBlocks() {
        var levels: [NginxLevel] = []
        if !main.statements.isEmpty { levels.append(main) }
        for name in ["events", "http"] {
            levels += main[name].compactMap { directive in
                directive.block.map { NginxLevel(directive.statement, $0) }
            }
        }
        result.blocks = levels.filter { !$0.statements.isEmpty }.map(\.sourceBlock) + result.blocks
    }

    // MARK: - Every line

    /// Notes what is known of each directive by its name alone; translating it may say more.
    private mutating func noteAll(_ directives: [NginxDirective]) {
        for directive in directives {
            noteKnown(directive)
            switch directive.name {
            case "http", "events", "server", "location":
                if let block = directive.block { noteAll(block) }
            default: break
            }
        }
    }

    private mutating func noteKnown(_ directive: NginxDirective) {
        let name = directive.name
        if name == "include" {
            noteInclusion(directive)
        } else if name == "map", directive.block != nil {
            noteMap(directive)
        } else if name == "access_log", directive.first == "off" {
            result.notes.presume(directive.statement, .byDefault)
        } else if let reason = KnownDirectives.defaultReason(name) {
            result.notes.presume(directive.statement, .byDefault, reason)
        } else if Self.translated.contains(name) {
            let isBlock = directive.block != nil && ["http", "events", "server", "location", "upstream"].contains(name)
            if !isBlock { result.notes.presume(directive.statement, .byDefault, "not in use") }
        } else if Self.offIsDefault.contains(name), directive.first == "off" {
            result.notes.presume(directive.statement, .byDefault)
        } else {
            result.notes.presume(directive.statement, .leftOut, KnownDirectives.lossReason(name))
        }
    }

    /// Directives that have a translation, which notes what it uses.
    private static let translated: Set<String> = [
        "http", "events", "server", "location", "upstream", "listen", "server_name", "proxy_pass", "return", "rewrite",
        "set", "if", "root", "index", "alias", "try_files", "add_header", "proxy_hide_header", "proxy_set_header",
        "proxy_http_version", "proxy_buffering", "proxy_cache", "proxy_read_timeout", "proxy_connect_timeout",
        "proxy_next_upstream", "proxy_ssl_verify", "proxy_ssl_trusted_certificate", "proxy_ssl_name",
        "proxy_ssl_server_name", "proxy_ssl_certificate", "proxy_ssl_certificate_key", "ssl", "ssl_certificate",
        "ssl_certificate_key", "ssl_protocols", "ssl_client_certificate", "ssl_verify_client", "allow", "deny",
        "set_real_ip_from", "real_ip_header", "client_max_body_size", "client_header_timeout", "client_body_timeout",
        "keepalive_timeout", "http2_max_concurrent_streams", "worker_processes", "access_log", "error_page", "internal",
        "more_set_headers", "more_clear_headers", "gzip_types", "limit_except", "sub_filter", "auth_basic_user_file",
    ]
    private static let offIsDefault: Set<String> = ["auth_basic", "auth_request", "limit_rate", "satisfy", "expires"]

    private mutating func noteInclusion(_ directive: NginxDirective) {
        let name = directive.first ?? ""
        switch directive.inclusion {
        case .files(let count)?:
            result.notes.note(directive.statement, .byDefault, count == 1 ? "read" : "\(count) files read")
        case .missing?, nil:
            let known = [
                "mime.types", "fastcgi_params", "fastcgi.conf", "uwsgi_params", "scgi_params", "ssl-dhparams.pem",
                "options-ssl-nginx.conf", "proxy_params", "ssl-params.conf", "ssl_params",
            ]
            if known.contains(where: name.hasSuffix) {
                result.notes.note(
                    directive.statement, .byDefault, "not found; Berth needs nothing of what is usually in it")
            } else {
                result.notes.note(
                    directive.statement, .leftOut, "this file was not found, and what it says is missing here")
            }
        }
    }

    private mutating func noteMap(_ directive: NginxDirective) {
        guard directive.words.count == 2 else {
            result.notes.presume(directive.statement, .leftOut, "a map has a source and a variable")
            return
        }
        if directive.words[0].lowercased() == "$http_upgrade" {
            result.notes.presume(
                directive.statement, .byDefault, "MCP uses no WebSockets, and event streams need no upgrade")
        } else if usedVariables.contains(String(directive.words[1].dropFirst())) {
            result.notes.presume(
                directive.statement, .leftOut,
                "values that depend on the request are not made: requests go by host and path")
        } else {
            result.notes.presume(directive.statement, .byDefault, "nothing uses it")
        }
    }
}

/// Where variables are used.
enum VariableUse {
    /// The names of the variables in the words of directives, without their dollars; those that `map` and `set` define are
    /// not used by that.
    static func names(in directives: [NginxDirective]) -> Set<String> {
        var names: Set<String> = []
        var pending = directives
        while let directive = pending.popLast() {
            pending += directive.block ?? []
            let words =
                ["map", "set", "geo"].contains(directive.name)
                ? directive.words.filter { !$0.hasPrefix("$") } : directive.words
            // The logs are Berth's own.
            guard !["log_format", "access_log"].contains(directive.name) else { continue }
            for word in words where word.contains("$") { names.formUnion(self.names(in: word)) }
            if directive.name.contains("$") { names.formUnion(self.names(in: directive.name)) }
        }
        return names
    }

    /// The names in a text: "$name" and "${name}".
    static func names(in text: String) -> [String] {
        parts(of: text).compactMap { if case .variable(let name) = $0 { name } else { nil } }
    }

    enum Part: Equatable {
        case text(String)
        case variable(String)
    }

    /// A text as words and variables in turn.
    static func parts(of text: String) -> [Part] {
        var parts: [Part] = []
        var plain = ""
        var rest = Substring(text)
        while let next = rest.first {
            rest = rest.dropFirst()
            guard next == "$" else {
                plain.append(next)
                continue
            }
            var name: Substring
            if rest.first == "{", let close = rest.firstIndex(of: "}") {
                name = rest[rest.index(after: rest.startIndex)..<close]
                rest = rest[rest.index(after: close)...]
            } else {
                name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
                if let first = name.first, first.isNumber { name = name.prefix(1) }
                rest = rest.dropFirst(name.count)
            }
            guard !name.isEmpty else {
                plain.append("$")
                continue
            }
            if !plain.isEmpty { parts.append(.text(plain)) }
            plain = ""
            parts.append(.variable(String(name)))
        }
        if !plain.isEmpty { parts.append(.text(plain)) }
        return parts
    }
}
