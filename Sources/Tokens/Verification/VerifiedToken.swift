import Crypto

/// What a token says that was verified.
package struct VerifiedToken: Sendable, Equatable {
    /// Who issued it.
    package let issuer: String
    /// Whom it is about.
    package let subject: String
    /// What its bearer may do.
    package let scopes: Set<String>
    /// Those of its claims that were asked for, as text.
    package let claims: [String: String]
    /// When it expires, in seconds since 1970, leeway included. `Int64.max`: never.
    package let expiry: Int64

    package init(
        issuer: String, subject: String, scopes: Set<String>, claims: [String: String] = [:], expiry: Int64 = .max
    ) {
        self.issuer = issuer
        self.subject = subject
        self.scopes = scopes
        self.claims = claims
        self.expiry = expiry
    }

    /// Stands for issuer and subject, and so for the same caller with a new token: the first 16 bytes of the SHA-256 of the issuer's
    /// length, the issuer and the subject, as two big-endian words.
    package var subjectDigest: (UInt64, UInt64) {
        var hash = SHA256()
        let bytes = Array(issuer.utf8)
        hash.update(data: Array("\(bytes.count):".utf8))
        hash.update(data: bytes)
        hash.update(data: Array(subject.utf8))
        let digest = Array(hash.finalize())
        func word(_ start: Int) -> UInt64 { digest[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) } }
        return (word(0), word(8))
    }
}
