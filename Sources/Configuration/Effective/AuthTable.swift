// Writes who may send a route's requests.

extension EffectiveText {
    /// Writes `auth`; nothing if everybody may.
    mutating func write(_ auth: AuthConfiguration?) {
        guard let auth else { return }
        var parts: [String] = []
        if let issuer = auth.issuer {
            parts.append("issuer = \(TOMLText.quoted(issuer.name))")
            switch issuer.keys {
            case .url(let url): parts.append("jwks = \(TOMLText.quoted(url.text))")
            case .file(let path): parts.append("jwks = \(TOMLText.quoted(path))")
            }
        }
        if !auth.audiences.isEmpty { parts.append("audience = \(list(auth.audiences))") }
        if auth.issuer != nil { parts.append("leeway = \"\(DurationText.text(auth.leeway))\"") }
        if !auth.requiredScopes.isEmpty { parts.append("required_scopes = \(list(auth.requiredScopes))") }
        if !auth.claims.isEmpty {
            let lines = auth.claims.map { "\(TOMLText.quoted($0.field)) = \(TOMLText.quoted($0.claim))" }
            parts.append("claims = { \(lines.joined(separator: ", ")) }")
        }
        if !auth.tools.isEmpty {
            let rules = auth.tools.map { rule in
                let deny = rule.denied.isEmpty ? "" : ", deny = \(list(rule.denied))"
                return "{ scope = \(TOMLText.quoted(rule.scope)), allow = \(list(rule.allowed))\(deny) }"
            }
            parts.append("tools = [\(rules.joined(separator: ", "))]")
        }
        if let path = auth.apiKeys { parts.append("api_keys = \(TOMLText.quoted(path))") }
        if let identity = auth.certificate {
            parts.append("certificate = \(TOMLText.quoted(identity.rawValue))")
            if !auth.certificateScopes.isEmpty { parts.append("certificate_scopes = \(list(auth.certificateScopes))") }
        }
        parts.append("forward_token = \(auth.forwardsToken)")
        value("auth", "{ \(parts.joined(separator: ", ")) }")
    }

    private func list(_ texts: [String]) -> String {
        "[\(texts.map(TOMLText.quoted).joined(separator: ", "))]"
    }
}
