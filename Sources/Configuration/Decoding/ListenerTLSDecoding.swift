/// A certificate with the entries at which its problems are reported.
private struct LocatedCertificate {
    var files: CertificateFiles
    var certificate: LocatedTable.Entry
    var key: LocatedTable.Entry
    var ocsp: LocatedTable.Entry?
}

extension TableReader {
    /// Decodes `cert`, `key`, `ocsp`, `certificate`, `tls` and `client_auth`, which are valid only with `https`.
    mutating func listenerTLS(isServed: Bool) -> ListenerTLS {
        var located: [LocatedCertificate] = []
        if let own = certificateWithStaple() { located.append(own) }
        located += certificateList()
        var tls = ListenerTLS()
        tls.certificates = located.map(\.files)
        var reader = table("tls")
        tls.minimumVersion = reader.choice(
            "min", default: tls.minimumVersion,
            aliases: ["tls1.2": .tls12, "tlsv1.2": .tls12, "tls1.3": .tls13, "tlsv1.3": .tls13],
            explaining: TLSVersion.explanation)
        tls.tickets = reader.flag("tickets", default: tls.tickets)
        tls.records = reader.choice("records", default: tls.records)
        tls.ciphers = reader.ciphers()
        reader.finish()
        tls.clientAuthentication = clientAuthentication()
        checkPresence(isServed: isServed)
        checkFiles(located)
        return tls
    }

    private mutating func clientAuthentication() -> ClientAuthenticationConfiguration? {
        var reader = table("client_auth")
        let mode = reader.choice(
            "mode", default: ClientAuthenticationMode.required,
            aliases: ["on": .required, "require": .required, "request": .optional, "none": .optional])
        let authorities = reader.text("ca")
        if !reader.has("ca"), let range = reader.range {
            findings.report(
                range, "client_auth without ca", because: "client certificates are verified against these authorities",
                help: "ca = \"/path/of/the/authorities.pem\"")
        }
        reader.finish()
        guard let authorities else { return nil }
        let path = resolve(authorities.value)
        if findings.checks.files {
            let problem = FilePath.problem(reading: path) ?? findings.checks.authoritiesProblem(path)
            if let problem {
                findings.report(
                    authorities.entry.value.range, "these authorities cannot be used", because: "\(path): \(problem)")
            }
        }
        return ClientAuthenticationConfiguration(mode: mode, authorities: path)
    }

    private mutating func ciphers() -> String? {
        guard let (ciphers, entry) = text("ciphers") else { return nil }
        if let problem = findings.checks.cipherProblem(ciphers) {
            findings.report(
                entry.value.range, "these ciphers cannot be used", because: problem,
                help: "leave ciphers out: Berth's own choice is safe, and every client of the last ten years has it")
        }
        return ciphers
    }

    /// `cert` and `key` of a table; the files are checked.
    mutating func checkedCertificatePair() -> CertificateFiles? {
        guard let pair = certificatePair() else { return nil }
        checkFiles([pair])
        return pair.files
    }

    /// `cert` and `key` of a table; nil, and reported, if one is missing.
    private mutating func certificatePair() -> LocatedCertificate? {
        let certificate = text("cert")
        let key = text("key")
        if let lone = has("cert") ? (has("key") ? nil : certificate?.entry) : key?.entry {
            let missing = lone.name == "cert" ? "key" : "cert"
            findings.report(
                lone.key, "\(lone.name) without \(missing)",
                because: "a certificate is of use only with its private key, and the reverse",
                help: "\(missing) = \"/path/of/the.\(missing == "key" ? "key" : "pem")\"")
        }
        guard let certificate, let key else { return nil }
        var files = CertificateFiles(certificate: resolve(certificate.value), key: resolve(key.value))
        files.table = path.name
        return LocatedCertificate(files: files, certificate: certificate.entry, key: key.entry)
    }

    /// `cert`, `key` and `ocsp` of a table.
    private mutating func certificateWithStaple() -> LocatedCertificate? {
        var pair = certificatePair()
        guard let (ocsp, entry) = text("ocsp") else { return pair }
        if !has("cert"), !has("key") {
            findings.report(
                entry.key, "ocsp without cert", because: "an OCSP response is about one certificate, the one beside it")
        }
        pair?.files.ocsp = resolve(ocsp)
        pair?.ocsp = entry
        return pair
    }

    private mutating func certificateList() -> [LocatedCertificate] {
        guard let (values, _) = list("certificate", of: .tables) else { return [] }
        let path = path.key("certificate")
        return values.enumerated().compactMap { index, value in
            guard case .table(let table) = value.content else {
                findings.report(
                    value.range, "this certificate is \(value.kind)",
                    because: "a certificate is a table [[listen.certificate]] with cert and key")
                return nil
            }
            var reader = TableReader(table, at: value.range, path: path.element(index), findings: findings)
            let pair = reader.certificateWithStaple()
            if !reader.has("cert"), !reader.has("key"), !reader.has("ocsp") {
                findings.report(
                    value.range, "this certificate has no files", because: "it says neither cert nor key",
                    help: "cert = \"/path/of/the.pem\" and key = \"/path/of/the.key\"")
            }
            reader.finish()
            return pair
        }
    }

    private func resolve(_ path: String) -> String {
        FilePath.resolve(path, besides: findings.source.file)
    }

    private func checkPresence(isServed: Bool) {
        if has("https") {
            guard isServed, !has("cert"), !has("key"), !has("certificate"), let entry = entry("https") else { return }
            findings.report(
                entry.key, "https without a certificate", because: "TLS needs a certificate and its private key",
                help: "add cert = \"...\" and key = \"...\", or listen in plain text with http = ...")
        } else if let idle = entry("cert") ?? entry("key") ?? entry("ocsp") ?? entry("certificate") ?? entry("tls")
            ?? entry("client_auth")
        {
            findings.report(
                idle.key, "\(idle.name) without https",
                because: "no listener of this table speaks TLS, so it would do nothing",
                help: "add https = \":443\", or remove \(idle.name)")
        }
    }

    private func checkFiles(_ located: [LocatedCertificate]) {
        guard findings.checks.files else { return }
        var areReadable = true
        for one in located {
            var files = [(one.certificate, one.files.certificate), (one.key, one.files.key)]
            if let entry = one.ocsp, let path = one.files.ocsp { files.append((entry, path)) }
            for (entry, path) in files {
                guard let problem = FilePath.problem(reading: path) else { continue }
                areReadable = false
                findings.report(
                    entry.value.range, "\(path) cannot be read",
                    because: "\(problem): Berth needs it, as the user it runs as, before it can listen")
            }
        }
        guard areReadable else { return }
        let problems = findings.checks.certificateProblems(located.map(\.files))
        for (index, problem) in problems {
            findings.report(
                located[index].certificate.value.range, "this certificate cannot be served", because: problem)
        }
        for (index, one) in located.enumerated() where problems[index] == nil { checkStaple(one) }
    }

    private func checkStaple(_ one: LocatedCertificate) {
        guard let entry = one.ocsp else { return }
        switch findings.checks.stapleProblem(one.files) {
        case .error(let problem):
            findings.report(entry.value.range, "this OCSP response cannot be shown", because: problem)
        case .warning(let problem):
            findings.warn(entry.value.range, "this OCSP response is not shown", because: problem)
        case nil: break
        }
    }
}

extension TLSVersion {
    fileprivate static func explanation(of text: String) -> TableReader.Explanation? {
        let old = ["1.0", "1.1", "tlsv1", "tls1.0", "tls1.1", "tlsv1.0", "tlsv1.1", "ssl3", "sslv3"]
        guard old.contains(text.lowercased()) else { return nil }
        return TableReader.Explanation(
            verdict: "is too old", reason: "TLS before 1.2 is broken and switched off (RFC 8996)", help: "min = \"1.2\""
        )
    }
}
