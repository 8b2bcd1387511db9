/// Who may send requests: `auth` of a route.
package struct AuthConfiguration: Sendable, Equatable {
    /// Where an issuer's keys are.
    package enum KeySource: Sendable, Hashable {
        /// An absolute URL of http or https.
        case url(KeyURL)
        /// A file that is watched.
        case file(String)
    }

    /// One issuer of tokens.
    package struct Issuer: Sendable, Hashable {
        /// As its tokens name it.
        package var name: String
        /// Where its keys are.
        package var keys: KeySource
    }

    /// The tools of one scope.
    package struct ToolRule: Sendable, Equatable {
        /// What a token must have.
        package var scope: String
        /// Names, or the beginning of names with `*` behind it.
        package var allowed: [String]
        /// Taken away from what the rule allows.
        package var denied: [String]
    }

    /// A header field that servers get.
    package struct ClaimField: Sendable, Equatable {
        /// The name of the field, as the file has it.
        package var field: String
        /// The name of the claim.
        package var claim: String
    }

    /// Nil: no tokens are accepted.
    package var issuer: Issuer?
    /// What of a client's certificate says who the caller is, if it shows no token; nil: certificates say nothing.
    package var certificate: CertificateIdentity?
    /// What such callers may do.
    package var certificateScopes: [String] = []
    /// One of these must be in a token; not empty if there is an issuer.
    package var audiences: [String] = []
    /// How far clocks may differ.
    package var leeway = Duration.seconds(30)
    /// Scopes that every caller must have.
    package var requiredScopes: [String] = []
    /// What servers get of a token.
    package var claims: [ClaimField] = []
    /// Claims by which `rate_limit` of the same route counts, each once.
    package var countedClaims: [String] = []
    /// Empty: every tool is allowed.
    package var tools: [ToolRule] = []
    /// The file of static keys; nil: there are none.
    package var apiKeys: String?
    /// Servers get the Authorization field of the client.
    package var forwardsToken = false

    package init() {}

    /// A name in a certificate.
    package enum CertificateIdentity: String, Sendable, CaseIterable {
        /// All of its subject, in the form of RFC 4514.
        case subject
        /// The common name of its subject.
        case commonName = "cn"
        /// Its URI (RFC 5280 section 4.2.1.6), such as a SPIFFE ID.
        case uri
        /// The first of its DNS names.
        case dns
    }

    static let maximumLeeway = Duration.seconds(600)
    static let maximumRules = 64
    static let maximumClaims = 16
}

/// The URL of a document with keys, taken apart.
package struct KeyURL: Sendable, Hashable {
    /// Of https, and not of http.
    package var isSecure: Bool
    /// A name or an IP address, without brackets.
    package var host: String
    /// That of the URL, or the scheme's own.
    package var port: UInt16
    /// Path and query; begins with a slash.
    package var target: String

    /// Nil unless it is an absolute URL of http or https, of visible ASCII and without credentials or a fragment.
    package init?(_ text: String) {
        let scheme = ["https://", "http://"].first { text.hasPrefix($0) }
        guard let scheme, text.utf8.count <= 2_048, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
            !text.contains("#")
        else { return nil }
        isSecure = scheme == "https://"
        let rest = text.dropFirst(scheme.count)
        let authority = String(rest.prefix { $0 != "/" && $0 != "?" })
        let path = rest.dropFirst(authority.count)
        target = path.hasPrefix("/") ? String(path) : "/\(path)"
        let defaultPort: UInt16 = isSecure ? 443 : 80
        let hasPort = authority.last != "]" && authority.contains(":")
        guard !authority.contains("@"),
            let parts = try? HostAndPort(hasPort ? authority : "\(authority):\(defaultPort)"), parts.port > 0,
            IPAddressText(parts.host) != nil || HostAndPort.isHostName(parts.host)
        else { return nil }
        host = parts.host
        port = parts.port
    }

    /// The URL, with its port unless that is the scheme's own.
    package var text: String {
        let name = host.contains(":") ? "[\(host)]" : host
        let suffix = port == (isSecure ? 443 : 80) ? "" : ":\(port)"
        return "\(isSecure ? "https" : "http")://\(name)\(suffix)\(target)"
    }
}
