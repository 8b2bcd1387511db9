extension UpstreamTLSConfiguration {
    /// The TLS settings of an upstream; nil without the table. An empty table enables TLS.
    static func read(from reader: consuming TableReader) -> UpstreamTLSConfiguration? {
        var tls = UpstreamTLSConfiguration()
        tls.certificate = reader.checkedCertificatePair()
        let authorities = reader.text("ca")
        let name = reader.text("server_name")
        tls.serverName = name?.value
        tls.verifies = reader.flag("verify", default: true)
        tls.authorities = authorities.map { FilePath.resolve($0.value, besides: reader.findings.source.file) }
        if let (text, entry) = name, IPAddressText(text) == nil, !HostAndPort.isHostName(text) {
            reader.findings.report(
                entry.value.range, "\(reader.quote(entry)) is not a name",
                because: "server_name is the name or the IP address in the servers' certificates, without a port")
        }
        if !tls.verifies, let entry = authorities?.entry ?? name?.entry {
            reader.findings.report(
                entry.key, "\(entry.name) beside verify = false",
                because: "certificates that are not verified need neither authorities nor a name",
                help: "remove verify = false, or \(entry.name)")
        }
        if let entry = authorities?.entry, let path = tls.authorities, reader.findings.checks.files {
            let problem = FilePath.problem(reading: path) ?? reader.findings.checks.authoritiesProblem(path)
            if let problem {
                reader.findings.report(
                    entry.value.range, "these authorities cannot be used", because: "\(path): \(problem)")
            }
        }
        reader.finish()
        return reader.range == nil ? nil : tls
    }
}
