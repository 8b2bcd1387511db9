extension TableReader {
    /// `servers` of an upstream; invalid ones are reported and left out. `areOptional`: others are found elsewhere.
    mutating func servers(areOptional: Bool = false) -> [ServerConfiguration] {
        guard has("servers") else {
            if areOptional { _ = take("servers") } else { reportMissingServers() }
            return []
        }
        guard let (values, entry) = list("servers") else { return [] }
        guard !values.isEmpty else {
            findings.report(
                entry.value.range, "servers is empty", because: "an upstream without servers can answer nothing")
            return []
        }
        var servers: [ServerConfiguration] = []
        var seen: [ServerAddress: Range<Int>] = [:]
        for (index, value) in values.enumerated() {
            guard let server = server(value, index) else { continue }
            if let first = seen[server.address] {
                findings.report(
                    addressRange(of: value), "\(server.address) stands twice in servers",
                    because:
                        "it stands on line \(findings.source.line(of: first.lowerBound)) already; it would get a double "
                        + "share, and a session could not tell the two apart",
                    help: "for a larger share give it a weight: { address = \"\(server.address)\", weight = 2 }")
                continue
            }
            seen[server.address] = value.range
            servers.append(server)
        }
        if servers.count == values.count, !areOptional { checkNewSessionsServed(servers, entry) }
        return servers
    }

    private mutating func reportMissingServers() {
        _ = take("servers")
        guard let range else { return }
        findings.report(
            range, "\(path.shown) has no servers", because: "an upstream without servers can answer nothing",
            help: "servers = [\"mcp-1:3001\", \"mcp-2:3001\"], or discover = { dns = \"mcp.internal\", port = 3001 }")
    }

    private func addressRange(of value: LocatedValue) -> Range<Int> {
        if case .table(let table) = value.content, let entry = table["address"] { return entry.value.range }
        return value.range
    }

    private func server(_ value: LocatedValue, _ index: Int) -> ServerConfiguration? {
        let serverPath = path.key("servers").element(index)
        switch value.content {
        case .table(let table):
            return server(
                from: TableReader(table, at: value.range, path: serverPath, findings: findings))
        case .string:
            let address = serverAddress(value, quoted: findings.source.text(value.range))
            return address.map(ServerConfiguration.init)
        default:
            findings.report(
                value.range, "this entry of servers is \(value.kind)",
                because: "a server is \"host:port\" or { address = \"host:port\", weight = 2 }")
            return nil
        }
    }

    private func server(from reader: consuming TableReader) -> ServerConfiguration? {
        reader.note("address", .text)
        let address = reader.take("address")
        let weight = reader.weight()
        let isBackup = reader.flag("backup", default: false)
        let isDraining = reader.flag("drain", default: false)
        reader.rejectUnavailable("slow_start", "tls")
        reader.finish()
        guard let address else {
            findings.report(
                reader.range, "this server has no address",
                because: "a table in servers says at least where the server is",
                help: "{ address = \"mcp-1:3001\" }")
            return nil
        }
        guard let parsed = serverAddress(address.value, quoted: reader.quote(address)) else { return nil }
        var server = ServerConfiguration(address: parsed)
        server.weight = weight
        server.isBackup = isBackup
        server.isDraining = isDraining
        return server
    }

    private mutating func weight() -> Int {
        let range = 1...1_000
        note("weight", .integer(range))
        guard let entry = take("weight") else { return 1 }
        if case .integer(0) = entry.value.content {
            findings.report(
                entry.value.range, "weight = 0 is not a share",
                because: "weight is a share of new work beside other servers, 1 to 1_000",
                help: "drain = true keeps a server's sessions and gives it no new ones")
            return 1
        }
        return integer(entry, in: range, ": it is a share of new work beside the other servers") ?? 1
    }

    private func checkNewSessionsServed(_ servers: [ServerConfiguration], _ entry: LocatedTable.Entry) {
        guard !servers.contains(where: { !$0.isBackup && !$0.isDraining }) else { return }
        let what =
            servers.allSatisfy(\.isBackup)
            ? "is a backup" : servers.allSatisfy(\.isDraining) ? "is draining" : "is a backup or draining"
        findings.report(
            entry.key, "every server \(what)", because: "no server would take new sessions in normal times",
            help: "leave at least one server without backup and drain")
    }
}
