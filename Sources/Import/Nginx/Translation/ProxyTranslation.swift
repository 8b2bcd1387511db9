/// What locations say of an upstream, of which there is one for all of them.
struct UpstreamWishes {
    /// By location: what servers get as Host, with the directive that says so.
    var hosts: [(host: ImportedUpstream.Host, directive: NginxDirective?)] = []
    var readTimeouts: [(timeout: Duration, directive: NginxDirective)] = []
    var connectTimeouts: [(timeout: Duration, directive: NginxDirective)] = []
}

extension NginxTranslation {
    /// The route for `proxy_pass`, with its notes.
    mutating func proxied(_ directive: NginxDirective, _ location: Location) -> ImportedRoute {
        let scope = location.scope
        guard let written = directive.first, let resolved = resolve(written, scope, directive),
            let target = ProxyTarget(resolved), let index = upstream(for: target, directive)
        else {
            let isSocket = directive.first?.contains("unix:") ?? false
            let reason =
                isSocket
                ? "servers are reached by TCP, not at Unix sockets"
                : "where this leads is not known before a request comes: an upstream has servers with addresses"
            result.notes.note(directive.statement, .leftOut, reason)
            return ImportedRoute(
                action: .respond(status: 404, body: nil, type: nil),
                comment: "LEFT OUT: \(NoteWriter.sentence(reason))")
        }
        let prefix = strippedPrefix(target, directive, location)
        result.notes.note(directive.statement, .kept)
        noteStreams(location)
        wish(index, scope)
        if forwardsHTTPS(scope) { forwardsHTTPS = true }
        applyTLS(index, target, scope)
        return ImportedRoute(action: .upstream(result.upstreams[index].name, stripping: prefix))
    }

    // MARK: - Variables

    /// A URL with its variables replaced where `set` gives them a fixed value, or a map a set of servers.
    private mutating func resolve(_ url: String, _ scope: NginxScope, _ directive: NginxDirective) -> String? {
        guard url.contains("$") else { return url }
        let parts = VariableUse.parts(of: url)
        var text = ""
        for part in parts {
            switch part {
            case .text(let plain): text += plain
            case .variable(let name):
                if let value = fixedValue(of: name, scope) {
                    text += value
                } else if maps[name] != nil, let value = mapped(name) {
                    text += value
                } else {
                    text += "$\(name)"
                }
            }
            guard text.utf8.count <= 4_096 else { return nil }
        }
        let rest = text.firstRange(of: "://").map { text[$0.upperBound...] } ?? text[...]
        let host = rest.prefix { $0 != "/" && $0 != "?" }
        // "$backend$request_uri": the host ends where the request's own path begins.
        let own = ["$request_uri", "$uri", "$is_args", "$document_uri"]
        let end = own.compactMap { host.firstRange(of: $0)?.lowerBound }.min() ?? host.endIndex
        guard !host[..<end].contains("$") else { return nil }
        return text.contains("://") ? text : "http://" + text
    }

    private mutating func fixedValue(of name: String, _ scope: NginxScope) -> String? {
        for level in scope.levels.reversed() {
            guard let directive = level["set"].last(where: { $0.first == "$" + name }), directive.words.count == 2
            else {
                continue
            }
            let value = directive.words[1]
            guard !value.contains("$") else { return nil }
            result.notes.note(directive.statement, .kept)
            return value
        }
        return nil
    }

    /// The name of an upstream for the servers of a map: all that it names become one.
    private mutating func mapped(_ name: String) -> String? {
        guard let map = maps[name], let block = map.block, map.words.count == 2 else { return nil }
        let targets = block.compactMap { line -> String? in
            guard !["hostnames", "volatile", "include"].contains(line.name), let target = line.words.last else {
                return nil
            }
            return target.firstRange(of: "://").map { String(target[$0.upperBound...]) } ?? target
        }.filter { !$0.isEmpty && !$0.contains("$") }
        let isSession =
            map.words[0].lowercased().contains("mcp_session_id") || map.words[0].contains("arg_session")
            || map.words[0].contains("cookie")
        guard isSession else { return nil }
        result.notes.note(
            map.statement, .repaired,
            "the first request of a session has no id yet, so a map of ids cannot have chosen its server: all servers that it "
                + "names are one upstream, and each session keeps the one that it began with")
        let key = "map:\(name)"
        if upstreamIndices[key] == nil { addUpstream(key: key, name: name, targets: targets) }
        return key
    }

    // MARK: - Paths

    private mutating func strippedPrefix(
        _ target: ProxyTarget, _ directive: NginxDirective, _ location: Location
    ) -> String? {
        var rewrite = PathRewrite.none
        if let path = target.path {
            rewrite = PathRewrite(location: location.match, path: path)
            if rewrite == .other { noteLostPath(path, directive, location) }
        }
        for own in location.level["rewrite"] where own.words.count >= 2 {
            let found = PathRewrite(expression: own.words[0], replacement: own.words[1])
            switch found {
            case .none: result.notes.note(own.statement, .byDefault, "the path is the same behind it")
            case .strips(let prefix):
                result.notes.note(own.statement, .kept, "strip_prefix = \"\(prefix)\"")
                rewrite = found
            case .other:
                result.notes.note(
                    own.statement, .leftOut,
                    "a route can take a beginning off a path, and nothing else: the path goes as it comes")
            }
        }
        guard case .strips(let prefix) = rewrite else { return nil }
        noteStripping(directive, target, location, prefix)
        return prefix
    }

    private mutating func noteStripping(
        _ directive: NginxDirective, _ target: ProxyTarget, _ location: Location, _ prefix: String
    ) {
        for own in location.level["sub_filter"] {
            result.notes.note(own.statement, .byDefault, "strip_prefix mends the endpoint event of HTTP+SSE as well")
        }
        if location.level["rewrite"].isEmpty {
            result.notes.note(directive.statement, .kept, "strip_prefix: servers get the path without it")
        }
        guard target.path == "/", let stem = location.match.stem, !stem.hasSuffix("/"), stem == prefix,
            case .prefix = location.match
        else { return }
        result.notes.note(
            directive.statement, .repaired,
            "with \"location \(stem)\" nginx makes //x of \(stem)/x; here servers get /x")
    }

    private mutating func noteLostPath(_ path: String, _ directive: NginxDirective, _ location: Location) {
        let isSlash = location.match.stem.map { $0 + "/" == path } ?? false
        result.notes.note(
            directive.statement, .leftOut,
            isSlash
                ? "the path goes as it comes, without the slash that nginx puts behind it: give clients the URL with it, if "
                    + "your servers insist"
                : "a route can take a beginning off a path, and not put \(path) in its place: the path goes as it comes"
        )
    }

    // MARK: - Streams

    /// Notes what is said about buffering, timeouts and fields of requests.
    private mutating func noteStreams(_ location: Location) {
        let scope = location.scope
        let buffering = scope.value("proxy_buffering")
        if let buffering {
            if buffering.first == "off" {
                result.notes.note(buffering.statement, .byDefault, "events are forwarded at once")
            } else {
                result.notes.note(
                    buffering.statement, .repaired,
                    "buffered, an event reaches its client when the buffer is full; here it is forwarded at once")
            }
        }
        noteCache(scope)
        if let version = scope.value("proxy_http_version") {
            if version.first == "1.0" {
                result.notes.note(
                    version.statement, .repaired,
                    "HTTP/1.0 knows no streams without end; servers are spoken to in HTTP/1.1")
            } else {
                result.notes.note(version.statement, .byDefault, "HTTP/1.1, and connections are kept")
            }
        }
        if let next = scope.value("proxy_next_upstream") { noteRetries(next) }
        if let types = scope.value("gzip_types") {
            let isStream = types.words.contains("text/event-stream") || types.words.contains("*")
            if isStream {
                result.notes.note(
                    types.statement, .repaired,
                    "compressed, events wait for each other; streams are passed on as they are")
            } else {
                result.notes.note(types.statement, .byDefault, "answers are passed on as servers code them")
            }
        }
        noteRequestFields(scope)
        noteIdleStreams(location, isBuffered: buffering == nil)
    }

    private mutating func noteCache(_ scope: NginxScope) {
        guard let cache = scope.value("proxy_cache"), cache.first != "off" else {
            if let cache = scope.value("proxy_cache") {
                result.notes.note(cache.statement, .byDefault, "nothing is cached")
            }
            return
        }
        let methods = scope.value("proxy_cache_methods")
        if let methods, methods.words.contains("POST") {
            result.notes.note(
                methods.statement, .repaired,
                "answers to POST belong to one session, and nginx would give them to another")
        }
        result.notes.note(
            cache.statement, .repaired,
            "MCP's calls are POSTs, which nginx does not cache, and its streams must not be; [upstream.x.cache] keeps what "
                + "servers declare cacheable")
    }

    private mutating func noteRetries(_ directive: NginxDirective) {
        let words = Set(directive.words)
        if words.contains("non_idempotent") {
            result.notes.note(
                directive.statement, .repaired,
                "with non_idempotent a call that a server may have executed is executed again; Berth repeats only what cannot "
                    + "have been executed, or is declared safe")
        } else {
            result.notes.note(directive.statement, .byDefault, "what a server has not executed is sent to another")
        }
    }

    private mutating func noteIdleStreams(_ location: Location, isBuffered: Bool) {
        let isSilent = location.scope.inherited("proxy_read_timeout").isEmpty
        let path = location.match.stem ?? ""
        let isOther = ["/health", "/healthz", "/.well-known", "/metrics", "/ready", "/ping"].contains {
            path.hasPrefix($0)
        }
        guard isBuffered || isSilent, !isOther else { return }
        let what =
            isBuffered && isSilent
            ? "nothing is said of buffering and timeouts: nginx holds events back, and cuts streams that are silent for 60 s"
            : isBuffered
                ? "nothing is said of buffering: nginx holds events back"
                : "nothing is said of timeouts: nginx cuts streams that are silent for 60 s"
        result.notes.add(
            to: location.level.head, .repaired, "\(what); here neither happens")
    }
}
