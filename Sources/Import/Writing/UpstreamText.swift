import Configuration

/// An `[upstream.<name>]` table with its inner tables.
struct UpstreamText {
    let text: String

    init(_ upstream: ImportedUpstream) {
        var table = TableText("[upstream.\(TOMLText.key(upstream.name))]")
        if !upstream.servers.isEmpty {
            table.add("servers", raw: TableText.list(upstream.servers.map(Self.server)))
        }
        if let discover = upstream.discover {
            table.add(
                "discover", table: [("dns", TOMLText.quoted(discover.name)), ("port", String(discover.port))])
        }
        if upstream.balance != .roundRobin { table.add("balance", upstream.balance.rawValue) }
        switch upstream.host {
        case .keep: break
        case .upstream: table.add("host", "upstream")
        case .fixed(let name): table.add("host", name)
        }
        let tls = upstream.tls.map(Self.tls) ?? []
        let tlsLine = "{ \(tls.map { "\($0.key) = \($0.value)" }.joined(separator: ", ")) }"
        let hasTLSTable = tlsLine.count > 100
        if upstream.tls != nil, !hasTLSTable { table.add("tls", raw: tls.isEmpty ? "{}" : tlsLine) }
        table.add(
            "pool",
            table: [
                ("max", upstream.maximumConnections.map(TOMLText.integer)),
                ("idle_timeout", upstream.idleTimeout.map(TableText.value)),
                ("connect_timeout", upstream.connectTimeout.map(TableText.value)),
                ("max_uses", upstream.maximumUses.map(TOMLText.integer)),
                ("max_age", upstream.maximumAge.map(TableText.value)),
            ])
        table.add("queue", table: [("timeout", upstream.queueTimeout.map(TableText.value))])
        table.add("timeouts", table: [("first_byte", upstream.firstByte.map(TableText.value))])
        if let check = upstream.healthCheck { table.add("health_check", table: Self.check(check)) }
        if let outliers = upstream.outliers {
            table.add(
                "outlier_detection",
                table: [
                    ("consecutive_failures", TOMLText.integer(outliers.failures)),
                    ("base_ejection", TableText.value(outliers.ejection)),
                ])
        }
        var inner = TableText("[upstream.\(TOMLText.key(upstream.name)).tls]")
        for field in tls { inner.add(field.key, raw: field.value) }
        text = (upstream.hint ?? "") + table.text + (hasTLSTable ? "\n" + inner.text : "")
    }

    private static func server(_ server: ImportedUpstream.Server) -> String {
        let address = TOMLText.quoted(server.address)
        guard server.weight != 1 || server.isBackup || server.isDraining else { return address }
        var fields = ["address = \(address)"]
        if server.weight != 1 { fields.append("weight = \(TOMLText.integer(server.weight))") }
        if server.isBackup { fields.append("backup = true") }
        if server.isDraining { fields.append("drain = true") }
        return "{ \(fields.joined(separator: ", ")) }"
    }

    private static func tls(_ tls: ImportedUpstream.TLS) -> [(key: String, value: String)] {
        var fields: [(key: String, value: String)] = []
        if let file = tls.authorities { fields.append(("ca", TOMLText.quoted(file))) }
        if let certificate = tls.certificate, let key = tls.key {
            fields += [("cert", TOMLText.quoted(certificate)), ("key", TOMLText.quoted(key))]
        }
        if let name = tls.serverName { fields.append(("server_name", TOMLText.quoted(name))) }
        if !tls.verifies { fields.append(("verify", "false")) }
        return fields
    }

    private static func check(_ check: ImportedUpstream.HealthCheck) -> [(key: String, value: String?)] {
        [
            ("type", check.path == nil ? nil : "\"http\""), ("path", check.path.map(TOMLText.quoted)),
            ("host", check.host.map(TOMLText.quoted)), ("interval", check.interval.map(TableText.value)),
            ("timeout", check.timeout.map(TableText.value)), ("rise", check.rise.map(TOMLText.integer)),
            ("fall", check.fall.map(TOMLText.integer)),
            ("expect", check.status.map { "{ status = \(TOMLText.quoted($0)) }" }),
            ("slow_start", check.slowStart.map(TableText.value)),
        ]
    }
}
