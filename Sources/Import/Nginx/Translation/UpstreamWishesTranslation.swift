extension NginxTranslation {
    /// Takes down what a location says of its upstream.
    mutating func wish(_ index: Int, _ scope: NginxScope) {
        var wishes = upstreamWishes[index] ?? UpstreamWishes()
        let field = scope.inherited("proxy_set_header").last { $0.first?.lowercased() == "host" }
        if let host = host(field) {
            wishes.hosts.append((host, field))
        } else if let field {
            result.notes.note(
                field.statement, .leftOut, "servers get the client's Host, their own address or a fixed name")
            wishes.hosts.append((.keep, nil))
        }
        if let directive = scope.value("proxy_read_timeout") {
            if let timeout = NginxValue.duration(directive.first) {
                wishes.readTimeouts.append((timeout, directive))
            } else {
                result.notes.note(directive.statement, .leftOut, "this is no time")
            }
        }
        if let directive = scope.value("proxy_connect_timeout"), let timeout = NginxValue.duration(directive.first) {
            wishes.connectTimeouts.append((timeout, directive))
        }
        upstreamWishes[index] = wishes
    }

    /// What servers get as Host: without `proxy_set_header` nginx sends what `proxy_pass` names.
    private func host(_ directive: NginxDirective?) -> ImportedUpstream.Host? {
        guard let directive else { return .upstream }
        let value = directive.words.dropFirst().joined(separator: " ")
        switch value {
        case "$host", "$http_host", "$server_name", "$host:$server_port", "$http_x_forwarded_host", "${host}":
            return .keep
        case "$proxy_host", "$proxy_host:$proxy_port", "$upstream_addr": return .upstream
        default: return RouteHost.isFixedHost(value) ? .fixed(value) : nil
        }
    }

    /// Gives the upstreams what their locations say of them.
    mutating func finishUpstreams() {
        for index in result.upstreams.indices {
            guard let wishes = upstreamWishes[index] else { continue }
            applyHost(index, wishes)
            applyReadTimeout(index, wishes)
            applyConnectTimeout(index, wishes)
        }
        result.upstreams.sort { ($0.place, $0.name) < ($1.place, $1.name) }
        for directive in http["upstream"] {
            guard let block = directive.block else { continue }
            let level = NginxLevel(directive.statement, block)
            guard !result.upstreams.contains(where: { $0.blocks.contains { $0.heading.id == level.head.id } }) else {
                continue
            }
            for statement in level.statements { result.notes.note(statement, .byDefault) }
            result.notes.note(level.head, .byDefault, "no location that is imported leads to it")
            result.blocks.append(level.sourceBlock)
        }
    }

    private mutating func applyHost(_ index: Int, _ wishes: UpstreamWishes) {
        // A location that says nothing, such as one for health checks, follows those that do.
        let said = wishes.hosts.filter { $0.directive != nil }
        let chosen = said.first?.host ?? wishes.hosts.first?.host ?? .upstream
        result.upstreams[index].host = chosen
        for wish in said {
            guard let directive = wish.directive else { continue }
            guard wish.host == chosen else {
                result.notes.note(directive.statement, .leftOut, "the servers of an upstream all get the same Host")
                continue
            }
            switch wish.host {
            case .keep: result.notes.note(directive.statement, .byDefault, "servers get the client's Host")
            case .upstream, .fixed: result.notes.note(directive.statement, .kept)
            }
        }
        guard said.isEmpty, chosen == .upstream, let first = result.upstreams[index].blocks.first else { return }
        result.notes.add(
            to: first.heading, .kept,
            "host: no location sets Host, and nginx then sends the name of the upstream in place of the client's")
    }

    /// What servers may take for the first byte of an answer; event streams have no limit.
    private mutating func applyReadTimeout(_ index: Int, _ wishes: UpstreamWishes) {
        guard let longest = wishes.readTimeouts.map(\.timeout).max() else { return }
        result.upstreams[index].firstByte = SilenceLimit(longest, of: "nginx").firstByte
        for (timeout, directive) in wishes.readTimeouts {
            let limit = SilenceLimit(timeout, of: "nginx")
            result.notes.note(directive.statement, limit.verdict, limit.reason)
        }
    }

    private mutating func applyConnectTimeout(_ index: Int, _ wishes: UpstreamWishes) {
        guard let longest = wishes.connectTimeouts.map(\.timeout).max() else { return }
        let timeout = longest.clamped(to: .milliseconds(1) ... .seconds(300))
        let isDefault = timeout == .seconds(5)
        if !isDefault { result.upstreams[index].connectTimeout = timeout }
        for (_, directive) in wishes.connectTimeouts {
            result.notes.note(directive.statement, isDefault ? .byDefault : .kept)
        }
    }

    // MARK: - TLS

    /// TLS to the servers of an upstream.
    mutating func applyTLS(_ index: Int, _ target: ProxyTarget, _ scope: NginxScope) {
        guard target.usesTLS, result.upstreams[index].tls == nil else { return }
        var tls = ImportedUpstream.TLS()
        func file(_ name: String) -> String? {
            guard let directive = scope.value(name), let path = directive.first, !path.contains("$"),
                RouteHost.isPlain(path), !path.isEmpty
            else {
                return nil
            }
            result.notes.note(directive.statement, .kept)
            return path
        }
        if let directive = scope.value("proxy_ssl_verify"), directive.first == "on" {
            tls.verifies = true
            result.notes.note(directive.statement, .byDefault)
        } else if let directive = scope.value("proxy_ssl_verify") {
            result.notes.note(directive.statement, .kept)
        }
        let certificate = file("proxy_ssl_certificate")
        let key = file("proxy_ssl_certificate_key")
        if certificate != nil, key != nil { (tls.certificate, tls.key) = (certificate, key) }
        if let directive = scope.value("proxy_ssl_server_name") {
            result.notes.note(directive.statement, .byDefault, "servers are told which name is meant (SNI)")
        }
        if tls.verifies {
            tls.authorities = file("proxy_ssl_trusted_certificate")
            if let directive = scope.value("proxy_ssl_name"), let name = directive.first, RouteHost.isName(name) {
                tls.serverName = name
                result.notes.note(directive.statement, .kept)
            }
        }
        result.upstreams[index].tls = tls
        guard !tls.verifies else { return }
        result.notes.add(
            to: scope.own.head, .kept,
            "verify = false: nginx verifies no server's certificate unless proxy_ssl_verify says so. Without these words Berth "
                + "verifies them with the system's authorities")
    }

    // MARK: - Fields of requests

    /// Fields that Berth sends by itself, in lower case, with what it says in them.
    private static let ownFields: [String: String] = [
        "x-real-ip": "servers get x-real-ip", "x-forwarded-for": "servers get x-forwarded-for",
        "x-forwarded-proto": "servers get x-forwarded-proto", "x-forwarded-host": "servers get x-forwarded-host",
        "x-forwarded-scheme": "servers get x-forwarded-proto", "x-scheme": "servers get x-forwarded-proto",
        "x-forwarded-port": "servers get x-forwarded-host, with its port",
        "x-forwarded-server": "servers get x-forwarded-host", "forwarded": "servers get x-forwarded-for and the like",
        "x-original-forwarded-for": "servers get x-forwarded-for",
        "connection": "connections to servers are kept", "upgrade": "MCP uses no WebSockets",
        "proxy": "no field of this name is forwarded to scripts", "te": "of one connection",
        "x-nginx-proxy": "nothing reads it", "early-data": "no early data is taken",
    ]

    /// Notes `proxy_set_header`.
    mutating func noteRequestFields(_ scope: NginxScope) {
        for directive in scope.inherited("proxy_set_header") {
            let name = directive.first?.lowercased() ?? ""
            let value = directive.words.dropFirst().joined(separator: " ")
            if name == "host" { continue }
            if let reason = Self.ownFields[name] {
                let isFixed = VariableUse.names(in: value).isEmpty && !value.isEmpty
                if name == "x-forwarded-proto", value == "https" {
                    result.notes.note(directive.statement, .kept)
                } else if isFixed, !["connection", "upgrade", "x-nginx-proxy", "proxy"].contains(name),
                    name != "x-forwarded-port"
                {
                    result.notes.note(
                        directive.statement, .leftOut, "\(name) says what is so, not what is written here")
                } else {
                    result.notes.note(directive.statement, .byDefault, reason)
                }
            } else if value.lowercased() == "$http_" + name.replacing("-", with: "_") {
                result.notes.note(directive.statement, .byDefault, "passed on as it comes")
            } else if name == "accept-encoding" {
                result.notes.note(directive.statement, .byDefault, "no coding is asked for where events come")
            } else if name == "x-request-id" {
                result.notes.note(
                    directive.statement, .leftOut, "requests get no number; with trace they get a traceparent")
            } else if value.isEmpty {
                result.notes.note(
                    directive.statement, .leftOut, "fields of requests are passed on, and none is removed")
            } else {
                result.notes.note(
                    directive.statement, .leftOut, "servers get the fields of clients, and none that is made up here")
            }
        }
    }

    /// Whether a location tells its servers that clients use HTTPS, whatever the connection is.
    func forwardsHTTPS(_ scope: NginxScope) -> Bool {
        scope.inherited("proxy_set_header").contains { directive in
            directive.first?.lowercased() == "x-forwarded-proto" && directive.words.dropFirst() == ["https"]
        }
    }
}
