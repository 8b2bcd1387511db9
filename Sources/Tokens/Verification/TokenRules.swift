/// What a token must say to be accepted.
package struct TokenRules: Sendable, Equatable {
    /// The value of `iss`, compared as it stands (RFC 8414 section 2).
    package var issuer: String
    /// One of these must be in `aud` (RFC 7519 section 4.1.3).
    package var audiences: [String]
    /// Seconds that clocks may differ.
    package var leeway: Int64
    /// Scopes that every token must have.
    package var requiredScopes: [String]
    /// Claims that are kept of an accepted token.
    package var keptClaims: [String]

    package init(
        issuer: String, audiences: [String], leeway: Int64 = 30, requiredScopes: [String] = [],
        keptClaims: [String] = []
    ) {
        self.issuer = issuer
        self.audiences = audiences
        self.leeway = leeway
        self.requiredScopes = requiredScopes
        self.keptClaims = keptClaims
    }

    /// Bytes of the longest token that is looked at.
    package static let maximumTokenBytes = 16_384

    /// What the claims of a token with a good signature come to.
    func judge(_ claims: TokenClaims, at now: Int64) -> TokenVerdict {
        guard claims.issuer == issuer else { return .refused(.wrongIssuer) }
        guard claims.audiences.contains(where: audiences.contains) else { return .refused(.wrongAudience) }
        guard let expiry = claims.expiry else { return .refused(.noExpiry) }
        let (end, overflow) = expiry.addingReportingOverflow(leeway)
        guard !overflow, now < end else { return .refused(overflow ? .malformed : .expired) }
        if let start = claims.notBefore, start > now + leeway { return .refused(.notYetValid) }
        if let issued = claims.issuedAt, issued > now + leeway { return .refused(.issuedInFuture) }
        guard let subject = claims.subject, !subject.isEmpty else { return .refused(.noSubject) }
        guard requiredScopes.allSatisfy(claims.scopes.contains) else { return .refused(.insufficientScope) }
        return .accepted(
            VerifiedToken(
                issuer: issuer, subject: subject, scopes: claims.scopes, claims: claims.texts(of: keptClaims),
                expiry: end))
    }
}
