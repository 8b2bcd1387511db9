extension DiscoverConfiguration {
    /// Where an upstream's servers are found; nil without the table, or if it names no source, which is reported.
    static func read(from reader: consuming TableReader) -> DiscoverConfiguration? {
        let source = reader.source()
        var configuration = DiscoverConfiguration(source: source ?? .file(path: ""))
        configuration.readLimits(from: &reader)
        configuration.nameServer = reader.nameServer(for: source)
        reader.finish()
        return source == nil ? nil : configuration
    }

    private mutating func readLimits(from reader: inout TableReader) {
        let shortest = reader.entry("min_ttl")
        minimumTTL = reader.duration(
            "min_ttl", in: .milliseconds(100) ... .seconds(3_600), default: minimumTTL,
            cannotBeOff: "a source with a TTL of 0 would be asked without a pause")
        maximumTTL = reader.duration(
            "max_ttl", in: .milliseconds(100) ... .seconds(86_400), default: max(maximumTTL, minimumTTL),
            cannotBeOff: "a server that has come would not be found")
        if minimumTTL > maximumTTL, let shortest {
            reader.findings.report(
                shortest.value.range, "\(reader.quote(shortest)) is longer than max_ttl",
                because: "TTLs are raised to min_ttl and lowered to max_ttl, \(DurationText.text(maximumTTL)) here")
            maximumTTL = minimumTTL
        }
        maximumServers = reader.integer(
            "max_servers", in: 1...4_096, default: maximumServers, "; more are left out")
        maximumChanges = reader.integer(
            "max_changes", in: 1...10_000, default: maximumChanges,
            ": servers that may appear or vanish within ten seconds")
    }
}

extension TableReader {
    /// The one source that the table names; nil, and reported, if there is none or more than one.
    fileprivate mutating func source() -> DiscoverConfiguration.Source? {
        let dns = text("dns")
        note("port", .integer(1...65_535))
        let port = take("port")
        let srv = text("srv")
        let file = text("file")
        guard let range else { return nil }
        let named = [dns?.entry, srv?.entry, file?.entry].compactMap { $0 }
        guard let first = named.first else {
            if !["dns", "srv", "file"].contains(where: has) {
                findings.report(
                    range, "\(path.shown) says not where to look",
                    because: "servers are found by the addresses of a name, the records of a service, or in a file",
                    help: "discover = { dns = \"mcp-headless.prod.svc\", port = 3001 }, { srv = \"_mcp._tcp.…\" } or "
                        + "{ file = \"servers.json\" }")
            }
            return nil
        }
        if named.count > 1 {
            findings.report(
                named[1].key, "\(named[1].name) beside \(first.name)", because: "one upstream has one source",
                help: "give the other one an upstream of its own, or merge both into a file")
        }
        if let port, dns == nil {
            findings.report(
                port.key, "port beside \(first.name)", because: "\(first.name) gives every server a port of its own",
                help: "remove it")
        }
        if let (name, entry) = dns { return dnsSource(name, entry, port) }
        if let (name, entry) = srv { return srvSource(name, entry) }
        return file.map { (path, entry) in fileSource(path, entry) }
    }

    private func dnsSource(
        _ name: String, _ entry: LocatedTable.Entry, _ port: LocatedTable.Entry?
    ) -> DiscoverConfiguration.Source? {
        guard IPAddressText(name) == nil, HostAndPort.isHostName(name) else {
            let parts = try? HostAndPort(name)
            let help = parts.map { "dns = \(TOMLText.quoted($0.host)), port = \($0.port)" }
            findings.report(
                entry.value.range, "\(quote(entry)) is not a name",
                because: "dns is a host name without a port, whose addresses are the servers", help: help)
            return nil
        }
        guard let port else {
            findings.report(
                entry.value.range, "\(quote(entry)) has no port",
                because: "A and AAAA records have addresses only, and MCP servers have no usual port",
                help: "dns = \(TOMLText.quoted(name)), port = 3001")
            return nil
        }
        return integer(port, in: 1...65_535, ": the port of every server").map {
            .dns(name: name.lowercased(), port: UInt16(clamping: $0))
        }
    }

    private func srvSource(_ name: String, _ entry: LocatedTable.Entry) -> DiscoverConfiguration.Source? {
        let labels = name.split(separator: ".")
        guard HostAndPort.isHostName(name), labels.count > 2, labels[0].hasPrefix("_"), labels[1].hasPrefix("_") else {
            findings.report(
                entry.value.range, "\(quote(entry)) is not a service",
                because: "a service is named by itself, its protocol and a domain (RFC 2782)",
                help: "srv = \"_mcp._tcp.mcp-headless.prod.svc.cluster.local\"")
            return nil
        }
        return .srv(name: name.lowercased())
    }

    private func fileSource(_ text: String, _ entry: LocatedTable.Entry) -> DiscoverConfiguration.Source {
        let path = FilePath.resolve(text, besides: findings.source.file)
        if findings.checks.files, let problem = FilePath.problem(reading: path) {
            findings.warn(
                entry.value.range, "this file cannot be read",
                because: "\(path): \(problem); Berth starts all the same, and looks again and again")
        }
        return .file(path: path)
    }

    /// Reads an IP address, with or without a port.
    fileprivate mutating func nameServer(for source: DiscoverConfiguration.Source?) -> ServerAddress? {
        guard let (text, entry) = text("nameserver") else { return nil }
        if case .file = source {
            findings.report(
                entry.key, "nameserver beside file", because: "no name server is asked for what stands in a file",
                help: "remove it")
            return nil
        }
        if let address = IPAddressText(text) { return ServerAddress(host: address.text, port: 53) }
        if let parts = try? HostAndPort(text), parts.port > 0, let address = IPAddressText(parts.host) {
            return ServerAddress(host: address.text, port: parts.port)
        }
        findings.report(
            entry.value.range, "\(quote(entry)) is not the address of a name server",
            because: "it is an IP address, with a port if that is not 53: a name would need a name server itself",
            help: "nameserver = \"10.96.0.10\"")
        return nil
    }
}
