/// Secrets: they are named, and never stand in the file.
extension TableReader {
    mutating func secret() -> SecretSource? {
        note("secret", .text)
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

    /// The token that changes on the admin address need.
    mutating func adminToken() -> TokenSource? {
        note("admin_token", .text)
        guard let entry = take("admin_token") else { return nil }
        guard case .string(let written) = entry.value.content, !written.isEmpty else {
            reportHidden(entry, "admin_token is \(entry.value.kind), not the name of a secret", Self.secretForms)
            return nil
        }
        guard let text = expanded(written, entry) else { return nil }
        if text.hasPrefix("file:") { return tokenFile(String(text.dropFirst(5)), entry) }
        guard written.contains("${") else {
            let help = written.hasPrefix("/") ? "if a path is meant, put \"file:\" before it" : nil
            reportHidden(entry, "admin_token stands in the file itself", Self.secretForms, help: help)
            return nil
        }
        guard text.count >= TokenSource.minimumLength else {
            findings.report(
                entry.value.range,
                "\(quote(entry)) holds a token of fewer than \(TokenSource.minimumLength) characters",
                because: "whoever guesses it can drain every server", help: "openssl rand -hex 16 makes one")
            return nil
        }
        return .text(text)
    }

    private func tokenFile(_ written: String, _ entry: LocatedTable.Entry) -> TokenSource? {
        guard !written.isEmpty else {
            findings.report(entry.value.range, "\(quote(entry)) names no file", because: Self.secretForms)
            return nil
        }
        let path = FilePath.resolve(written, besides: findings.source.file)
        guard findings.checks.files else { return .file(path) }
        let problem = FilePath.problem(reading: path) ?? findings.checks.tokenFileProblem(path)
        if let problem {
            findings.report(entry.value.range, "the token in \(path) cannot be used", because: problem)
        }
        return .file(path)
    }

    private static var secretForms: String {
        "a secret is \"file:/path\" or \"${VARIABLE}\", so that the configuration itself can be shown to anyone"
    }

    /// Reports an error of an entry without an excerpt of it.
    func reportHidden(_ entry: LocatedTable.Entry, _ message: String, _ reason: String, help: String? = nil) {
        findings.report(entry.key.lowerBound..<entry.key.lowerBound, message, because: reason, help: help)
    }

    /// The text with each `${NAME}` replaced by the variable of the environment; nil, and reported, if one is not set.
    func expanded(_ text: String, _ entry: LocatedTable.Entry) -> String? {
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
