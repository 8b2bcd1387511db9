extension GlobalConfiguration {
    init(from reader: consuming TableReader) {
        self.init()
        workers = reader.integer("workers", in: 0...1024, default: workers, "; 0 is one per core")
        if let (address, entry) = reader.admin() {
            admin = address
            reader.warnOfOpenAdmin(address, entry)
        }
        drainDelay = reader.duration("drain_delay", in: .zero ... .seconds(3_600), default: drainDelay)
        drainTimeout = reader.duration(
            "drain_timeout", in: .zero ... .seconds(7 * 86_400), default: drainTimeout,
            cannotBeOff: "a process that waits without a limit for its last stream never stops")
        secret = reader.secret()
        reader.rejectUnavailable("admin_token", "access_log", "state_dir")
        reader.finish()
    }
}

extension TableReader {
    /// The address of the admin pages; nil for "off", the default.
    fileprivate mutating func admin() -> (address: ListenAddress, entry: LocatedTable.Entry)? {
        var probe = self
        if let entry = probe.take("admin"), case .string("off") = entry.value.content {
            self = probe
            return nil
        }
        return listenAddress("admin")
    }

    /// Warns of admin pages that others can reach: they have no token, and name every server.
    fileprivate func warnOfOpenAdmin(_ address: ListenAddress, _ entry: LocatedTable.Entry) {
        let isLoopback = address.host == "::1" || address.host.hasPrefix("127.")
        guard !isLoopback else { return }
        findings.warn(
            entry.value.range, "\(quote(entry)) is not a loopback address",
            because:
                "the admin pages are plain HTTP without a token: whoever reaches this port reads the names and figures "
                + "of all servers, so let only your probes and monitoring reach it")
    }

    fileprivate mutating func secret() -> SecretSource? {
        guard let entry = take("secret") else { return nil }
        guard case .string(let written) = entry.value.content, !written.isEmpty else {
            reportHidden(entry, "secret is \(entry.value.kind), not the name of a secret", Self.secretForms)
            return nil
        }
        guard let text = expanded(written, entry) else { return nil }
        if text.hasPrefix("file:") { return secretFile(String(text.dropFirst(5)), entry) }
        guard written.contains("${") else {
            // Neither the message nor an excerpt may contain the key, since errors are logged.
            let help = written.hasPrefix("/") ? "if a path is meant, put \"file:\" before it" : nil
            reportHidden(entry, "secret stands in the file itself", Self.secretForms, help: help)
            return nil
        }
        guard let key = Base64Text.decode(text.trimmingBlanks()), key.count == 32 else {
            findings.report(
                entry.value.range, "\(quote(entry)) does not hold a key",
                because: "a session key is 32 random bytes in base64",
                help: "openssl rand -base64 32 makes one")
            return nil
        }
        return .key(key)
    }

    private static var secretForms: String {
        "a secret is \"file:/path\" or \"${VARIABLE}\", so that the configuration itself can be shown to anyone"
    }

    private func reportHidden(_ entry: LocatedTable.Entry, _ message: String, _ reason: String, help: String? = nil) {
        findings.report(entry.key.lowerBound..<entry.key.lowerBound, message, because: reason, help: help)
    }

    /// The text with each `${NAME}` replaced by the variable of the environment; nil, and reported, if one is not set.
    private func expanded(_ text: String, _ entry: LocatedTable.Entry) -> String? {
        var result = ""
        var rest = Substring(text)
        while let start = rest.firstRange(of: "${") {
            result += rest[..<start.lowerBound]
            let after = rest[start.upperBound...]
            guard let end = after.firstIndex(of: "}") else {
                findings.report(
                    entry.value.range, "\(quote(entry)) lacks a closing brace",
                    because: "a variable of the environment is written \"${NAME}\"")
                return nil
            }
            let name = String(after[..<end])
            guard let value = findings.checks.environment(name), !value.isEmpty else {
                findings.report(
                    entry.value.range, "the environment has no \(name)",
                    because: "\(entry.name) comes from that variable, and it is unset or empty in this process")
                return nil
            }
            result += value
            rest = after[after.index(after: end)...]
        }
        return result + rest
    }

    private func secretFile(_ written: String, _ entry: LocatedTable.Entry) -> SecretSource? {
        guard !written.isEmpty else {
            findings.report(entry.value.range, "\(quote(entry)) names no file", because: Self.secretForms)
            return nil
        }
        let path = FilePath.resolve(written, besides: findings.source.file)
        guard findings.checks.files else { return .file(path) }
        if FilePath.exists(path) {
            if let problem = FilePath.problem(reading: path) {
                findings.report(
                    entry.value.range, "\(path) cannot be read",
                    because: "\(problem): without its keys no session handed out before can be found again")
            } else if let problem = findings.checks.keyFileProblem(path) {
                findings.report(
                    entry.value.range, "the keys in \(path) cannot be used", because: problem)
            }
        } else if !FilePath.canWrite(in: FilePath.folder(of: path)) {
            findings.report(
                entry.value.range, "\(path) can neither be read nor made",
                because: "there is no such file, and this process cannot write to \(FilePath.folder(of: path))",
                help: "make the folder and give it to the user that runs Berth")
        }
        return .file(path)
    }
}

extension Substring {
    /// The first occurrence of `needle`.
    fileprivate func firstRange(of needle: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(needle) { return start..<index(start, offsetBy: needle.count) }
            start = index(after: start)
        }
        return nil
    }
}
