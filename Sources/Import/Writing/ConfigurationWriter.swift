import Configuration

/// Writes what was imported as a configuration file: tables in the usual order, each below the lines that it comes from.
struct ConfigurationWriter {
    private let configuration: ImportedConfiguration
    private let notes: NoteWriter

    init(_ configuration: ImportedConfiguration) {
        self.configuration = configuration
        notes = NoteWriter(notes: configuration.notes)
    }

    /// The whole file. `head`: the comment that it begins with.
    func text(head: String) -> String {
        var parts = [head]
        parts.append(comments(configuration.blocks) + (globalTable.isEmpty ? "" : globalTable.text))
        parts += configuration.listeners.map { comments($0.blocks) + listenTable($0) }
        let omitsRoutes = needsNoRoutes
        parts += configuration.routes.map { route in
            let comment = route.comment.wrapped(to: 110).map { "# \($0)\n" }.joined()
            let hasTable = !omitsRoutes && route.action != .nothing
            return comments(route.blocks) + (hasTable ? comment + RouteText(route).text : "")
        }
        parts += configuration.upstreams.map { comments($0.blocks) + UpstreamText($0).text }
        return parts.filter { !$0.isEmpty }.joined(separator: "\n")
    }

    /// Whether there is one route, that says no more than the file would without it.
    private var needsNoRoutes: Bool {
        let routes = configuration.routes.filter { $0.action != .nothing }
        guard routes.count == 1, configuration.upstreams.count == 1 else { return false }
        let route = routes[0]
        let isPlain = route.host == nil && route.path == .any && route.setFields.isEmpty && route.removedFields.isEmpty
        return isPlain && route.action == .upstream(configuration.upstreams[0].name, stripping: nil)
    }

    private func comments(_ blocks: [SourceBlock]) -> String { blocks.map(notes.text).joined() }

    private var globalTable: TableText {
        var table = TableText("[global]")
        table.add("workers", configuration.workers)
        if configuration.hasAccessLog {
            table.add("access_log", table: [("path", "\"stdout\""), ("format", "\"text\"")])
        }
        return table
    }

    private func listenTable(_ listener: ImportedListener) -> String {
        var table = TableText(configuration.listeners.count == 1 ? "[listen]" : "[[listen]]")
        table.add("https", listener.https)
        table.add("http", listener.http)
        if let first = listener.certificates.first {
            table.add("cert", first.certificate)
            table.add("key", first.key)
        }
        if listener.requiresTLS13 { table.add("tls", table: [("min", "\"1.3\"")]) }
        if let client = listener.clientAuthentication {
            let mode = client.isOptional ? "\"optional\"" : "\"required\""
            table.add("client_auth", table: [("mode", mode), ("ca", TOMLText.quoted(client.authorities))])
        }
        table.add("redirect", listener.redirect)
        table.add("trusted_proxies", list: listener.trustedProxies)
        table.add("trusted_header", listener.trustedHeader)
        table.add("proxy_protocol", listener.hasProxyProtocol)
        if listener.forwardsHTTPS { table.add("forwarded_proto", "https") }
        table.add("allow", list: listener.access.writtenAllowed)
        table.add("deny", list: listener.access.writtenDenied)
        table.add("max_connections", listener.maximumConnections)
        table.add(
            "timeouts",
            table: [
                ("header", listener.timeouts.header.map(TableText.value)),
                ("body", listener.timeouts.body.map(TableText.value)),
                ("idle", listener.timeouts.idle.map(TableText.value)),
            ])
        table.add(
            "limits",
            table: [
                ("request_body", listener.requestBody.map { TOMLText.quoted(ByteSizeText.text($0)) }),
                ("h2_streams", listener.streams.map(TOMLText.integer)),
            ])
        let more = listener.certificates.dropFirst().map { pair in
            var table = TableText("[[listen.certificate]]")
            table.add("cert", pair.certificate)
            table.add("key", pair.key)
            return "\n" + table.text
        }
        return table.text + more.joined()
    }
}

/// A `[[route]]` table.
private struct RouteText {
    let text: String

    init(_ route: ImportedRoute) {
        var table = TableText("[[route]]")
        table.add("host", route.host)
        table.add("path", route.path.text)
        switch route.action {
        case .upstream(let name, let prefix):
            table.add("strip_prefix", prefix)
            table.add("upstream", name)
        case .respond(let status, nil, nil): table.add("respond", status)
        case .respond(let status, let body, let type):
            table.add(
                "respond",
                table: [
                    ("status", TOMLText.integer(status)), ("body", body.map(TOMLText.quoted)),
                    ("content_type", type.map(TOMLText.quoted)),
                ])
        case .redirect(let url): table.add("redirect", url)
        case .files(let folder): table.add("files", folder)
        case .nothing: break
        }
        table.add("allow", list: route.access.writtenAllowed)
        table.add("deny", list: route.access.writtenDenied)
        let fields = route.setFields.map { "\(TOMLText.key($0.name)) = \(TOMLText.quoted($0.value))" }
        let removed = route.removedFields.map(TOMLText.quoted)
        if fields.reduce(0, { $0 + $1.count + 2 }) + removed.reduce(0, { $0 + $1.count + 2 }) > 80 {
            text = table.text + Self.fieldTables(route, removed)
            return
        }
        table.add(
            "response_headers",
            table: [
                ("set", fields.isEmpty ? nil : "{ \(fields.joined(separator: ", ")) }"),
                ("remove", removed.isEmpty ? nil : "[\(removed.joined(separator: ", "))]"),
            ])
        text = table.text
    }

    /// Fields that have no space on one line, as tables of their own.
    private static func fieldTables(_ route: ImportedRoute, _ removed: [String]) -> String {
        var outer = TableText("[route.response_headers]")
        if !removed.isEmpty { outer.add("remove", raw: TableText.list(removed)) }
        var inner = TableText("[route.response_headers.set]")
        for field in route.setFields { inner.add(TOMLText.key(field.name), field.value) }
        return (removed.isEmpty ? "" : "\n" + outer.text) + (route.setFields.isEmpty ? "" : "\n" + inner.text)
    }
}

extension AccessList {
    /// What `allow` says: with it, who is in no block is denied.
    fileprivate var writtenAllowed: [String] {
        if allowed.isEmpty { return [] }
        let denies = denied.filter { $0.bits == 0 }
        let open = AddressBlock.everything.filter { block in
            !denies.contains(block) && !allowed.contains(block)
        }
        return (allowed + open).map(\.text)
    }

    /// What `deny` says; without `allow`, who is in no block is allowed.
    fileprivate var writtenDenied: [String] {
        denied.filter { allowed.isEmpty || $0.bits > 0 }.map(\.text)
    }
}
