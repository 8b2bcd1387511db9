extension AuthConfiguration {
    /// Who may send a route's requests; nil without the table, or if it says not whose tokens or keys are good.
    static func read(from reader: consuming TableReader) -> AuthConfiguration? {
        var configuration = AuthConfiguration()
        configuration.issuer = reader.issuer()
        configuration.audiences = reader.audiences()
        configuration.leeway = reader.leeway(default: configuration.leeway)
        configuration.requiredScopes = reader.scopes("required_scopes")
        configuration.claims = reader.claimFields()
        configuration.tools = reader.toolRules()
        configuration.apiKeys = reader.apiKeyFile()
        configuration.certificate = reader.certificateIdentity()
        configuration.certificateScopes = reader.certificateScopes()
        configuration.forwardsToken = reader.flag("forward_token", default: false)
        reader.checkParties(configuration)
        let isPresent = reader.range != nil
        reader.finish()
        return isPresent ? configuration : nil
    }

    /// Whether a text is a scope (RFC 6749 section 3.3).
    static func isScope(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
            }
    }

    /// Names, in lower case, of request fields that say something already.
    static let fixedNames: Set<String> = [
        "authorization", "connection", "content-length", "content-type", "cookie", "host", "keep-alive",
        "last-event-id", "mcp-method", "mcp-name", "mcp-protocol-version", "mcp-session-id", "te", "trailer",
        "transfer-encoding", "upgrade", "accept", "origin", "expect", "proxy-connection", "forwarded",
        "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip",
    ]
}

extension TableReader {
    fileprivate mutating func issuer() -> AuthConfiguration.Issuer? {
        let name = text("issuer")
        let source = keySource()
        guard let (name, entry) = name else {
            if let source, let keys = self.entry("jwks") {
                _ = source
                findings.report(
                    keys.key, "jwks without an issuer", because: "a token must say who issued it, and be believed",
                    help: "issuer = \"https://login.example.com\", as its metadata spell it")
            }
            return nil
        }
        guard KeyURL(name)?.isSecure == true || KeyURL(name) != nil else {
            findings.report(
                entry.value.range, "\(quote(entry)) is not an issuer",
                because: "an issuer is a URL (RFC 8414 section 2), compared with the tokens byte for byte")
            return nil
        }
        guard let source else {
            if !has("jwks") {
                findings.report(
                    entry.key, "issuer without jwks", because: "without its keys no token can be verified",
                    help: "jwks = \"https://login.example.com/keys\", the jwks_uri of its metadata, or a file")
            }
            return nil
        }
        return AuthConfiguration.Issuer(name: name, keys: source)
    }

    private mutating func keySource() -> AuthConfiguration.KeySource? {
        guard let (text, entry) = text("jwks") else { return nil }
        if text.contains("://") {
            if let url = KeyURL(text) { return .url(url) }
            findings.report(
                entry.value.range, "\(quote(entry)) is not where keys are",
                because: "it is a URL of https or http without a user and without a fragment, or a file")
            return nil
        }
        let path = FilePath.resolve(text, besides: findings.source.file)
        if findings.checks.files, let problem = FilePath.problem(reading: path) {
            findings.warn(
                entry.value.range, "this file cannot be read",
                because: "\(path): \(problem); Berth starts all the same, and accepts no token until it can")
        }
        return .file(path)
    }

    /// A text, or a list of them.
    fileprivate mutating func audiences() -> [String] {
        note("audience", .text, .list)
        guard let entry = take("audience") else { return [] }
        guard case .array(let values) = entry.value.content else {
            return plainText(entry.value, quoted: quote(entry)).map { [$0] } ?? []
        }
        if values.isEmpty {
            findings.report(entry.value.range, "audience is empty", because: "no token would be accepted")
        }
        return values.compactMap { plainText($0, quoted: "an entry of audience") }
    }

    fileprivate mutating func leeway(default fallback: Duration) -> Duration {
        duration(
            "leeway", in: .zero...AuthConfiguration.maximumLeeway, default: fallback,
            cannotBeOff: "write \"0s\" for none")
    }

    fileprivate mutating func scopes(_ key: String) -> [String] {
        guard let (values, _) = list(key) else { return [] }
        return values.compactMap { value in
            guard let text = plainText(value, quoted: "an entry of \(key)") else { return nil }
            return isScope(text, value.range) ? text : nil
        }
    }

    private func isScope(_ text: String, _ range: Range<Int>) -> Bool {
        if AuthConfiguration.isScope(text) { return true }
        findings.report(
            range, "\(TOMLText.quoted(text)) is not a scope",
            because: "a scope is of visible ASCII without blanks, quotes and backslashes (RFC 6749 section 3.3)")
        return false
    }

    fileprivate mutating func claimFields() -> [AuthConfiguration.ClaimField] {
        note("claims", .texts)
        guard let entry = take("claims") else { return [] }
        guard case .table(let table) = entry.value.content else {
            wrongType(
                entry, "a table", "it has the name of a claim for each header field",
                help: "claims = { \"X-Mcp-Subject\" = \"sub\" }")
            return []
        }
        var fields: [AuthConfiguration.ClaimField] = []
        for line in table.entries {
            guard let claim = plainText(line.value, quoted: quote(line)),
                isClaimField(line.name, line.key, others: fields.map(\.field))
            else { continue }
            fields.append(AuthConfiguration.ClaimField(field: line.name, claim: claim))
        }
        if fields.count > AuthConfiguration.maximumClaims {
            findings.report(
                entry.value.range, "claims has \(fields.count) fields",
                because: "they go out with every request: at most \(AuthConfiguration.maximumClaims)")
        }
        return fields
    }

    private func isClaimField(_ name: String, _ range: Range<Int>, others: [String]) -> Bool {
        let reason: String
        if !ResponseFieldsConfiguration.isName(name) || name.contains("_") {
            reason = "the name of a field is of letters, digits and hyphens, at most 64 (RFC 9110 section 5.1)"
        } else if AuthConfiguration.fixedNames.contains(name.lowercased()) {
            reason = "it says something else already"
        } else if others.contains(where: { $0.lowercased() == name.lowercased() }) {
            reason = "it stands here already, and case does not count"
        } else {
            return true
        }
        findings.report(range, "\(TOMLText.quoted(name)) cannot carry a claim", because: reason)
        return false
    }

    fileprivate mutating func toolRules() -> [AuthConfiguration.ToolRule] {
        let range = entry("tools")?.value.range
        let rules = tables("tools").compactMap { AuthConfiguration.ToolRule.read(from: $0) }
        if rules.count > AuthConfiguration.maximumRules, let range {
            findings.report(
                range, "tools has \(rules.count) rules",
                because: "every call is compared with each of them: at most \(AuthConfiguration.maximumRules)")
        }
        return rules
    }

    fileprivate mutating func toolPatterns(_ key: String) -> [String] {
        guard let (values, _) = list(key) else { return [] }
        return values.compactMap { value in
            guard let text = plainText(value, quoted: "an entry of \(key)") else { return nil }
            guard !text.dropLast().contains("*") else {
                findings.report(
                    value.range, "\(TOMLText.quoted(text)) cannot be matched",
                    because: "\"*\" stands only at the end, for whatever follows")
                return nil
            }
            return text
        }
    }

    fileprivate func checkedScope(_ text: String, _ range: Range<Int>) -> String? {
        isScope(text, range) ? text : nil
    }

    fileprivate mutating func apiKeyFile() -> String? {
        guard let (text, entry) = text("api_keys") else { return nil }
        let path = FilePath.resolve(text, besides: findings.source.file)
        if findings.checks.files, let problem = FilePath.problem(reading: path) {
            findings.warn(
                entry.value.range, "this file cannot be read",
                because: "\(path): \(problem); Berth starts all the same, and accepts no key until it can")
        }
        return path
    }

    fileprivate mutating func certificateIdentity() -> AuthConfiguration.CertificateIdentity? {
        let isThere = has("certificate")
        let identity = choice(
            "certificate", default: AuthConfiguration.CertificateIdentity.subject,
            aliases: ["spiffe": .uri, "san": .dns, "common_name": .commonName, "name": .commonName, "dn": .subject])
        return isThere ? identity : nil
    }

    fileprivate mutating func certificateScopes() -> [String] {
        if let entry = entry("certificate_scopes"), !has("certificate") {
            findings.report(
                entry.key, "certificate_scopes without certificate",
                because: "they are the scopes of callers who show a certificate and no token",
                help: "certificate = \"subject\", \"cn\", \"uri\" or \"dns\"")
        }
        return scopes("certificate_scopes")
    }

    /// Reports a table by which nobody could send anything, or that leaves open for whom tokens must be.
    fileprivate func checkParties(_ configuration: AuthConfiguration) {
        guard let range else { return }
        if !has("issuer"), !has("jwks"), !has("api_keys"), !has("certificate") {
            findings.report(
                range, "auth says not whose tokens are good", because: "every request would be refused",
                help: "auth = { issuer = \"https://login.example.com\", jwks = \"https://login.example.com/keys\", "
                    + "audience = \"https://mcp.example.com/mcp\" }")
        }
        if let entry = entry("issuer"), !has("audience") {
            findings.report(
                entry.key, "issuer without an audience",
                because: "tokens for other services of the same issuer would be accepted, which MCP forbids",
                help: "audience = \"https://mcp.example.com/mcp\", the URL that clients dial")
        }
    }
}

extension AuthConfiguration.ToolRule {
    fileprivate static func read(from reader: consuming TableReader) -> AuthConfiguration.ToolRule? {
        let scope = reader.text("scope")
        let allowed = reader.toolPatterns("allow")
        let denied = reader.toolPatterns("deny")
        let range = reader.range
        if scope == nil, !reader.has("scope"), let range {
            reader.report(
                range, "a rule for tools has no scope", because: "it says what the tokens of one scope may call",
                help: "{ scope = \"weather\", allow = [\"get-*\"] }")
        } else if !reader.has("allow"), let range {
            reader.report(
                range, "a rule for tools allows nothing",
                because: "what no rule allows is forbidden; deny only takes away from allow of the same rule",
                help: "allow = [\"*\"]")
        }
        let checked = scope.flatMap { reader.checkedScope($0.value, $0.entry.value.range) }
        reader.finish()
        return checked.map { AuthConfiguration.ToolRule(scope: $0, allowed: allowed, denied: denied) }
    }
}
