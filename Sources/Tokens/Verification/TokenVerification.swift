import ASCII
internal import JWTKit

/// Verifies signed tokens (RFC 7515, RFC 7519) as RFC 8725 asks for: the key decides what the header may say, and nothing in the
/// header can bring a key of its own.
package enum TokenVerification {
    /// The verdict on a token, with the keys and the time in seconds since 1970. It takes tens of microseconds to a few hundred.
    package static func verdict(
        on token: [UInt8], keys: KeySet, rules: TokenRules, at now: Int64
    ) -> TokenVerdict {
        guard token.count <= TokenRules.maximumTokenBytes else { return .refused(.tooLong) }
        guard let parts = SignedParts(token), let header = JSONObject(parts.header) else {
            return .refused(.malformed)
        }
        guard let name = header.string("alg") else { return .refused(.malformed) }
        guard let algorithm = TokenAlgorithm(rawValue: name) else { return .refused(.unsupportedAlgorithm) }
        if header["crit"] != nil { return .refused(.criticalExtension) }
        if let type = header["typ"], !Self.isToken(type) { return .refused(.unexpectedType) }
        if header["kid"] != nil, header.string("kid") == nil { return .refused(.malformed) }
        guard keys.count > 0 else { return .refused(.noKeys) }
        switch keys.match(keyID: header.string("kid"), algorithm: algorithm) {
        case .unknownKey: return .refused(.unknownKey)
        case .otherAlgorithm: return .refused(.keyMismatch)
        case .candidates(let candidates):
            let isSigned = candidates.contains { (try? $0.verify(parts.signature, signs: parts.signed)) == true }
            // Without an id it may be of a key that is new.
            guard isSigned else { return .refused(header["kid"] == nil ? .unknownKey : .badSignature) }
        }
        guard let claims = TokenClaims(parts.payload) else { return .refused(.malformed) }
        return rules.judge(claims, at: now)
    }

    /// A JWT, or an access token that says so (RFC 9068 section 2.1); tokens for other purposes name another type.
    private static func isToken(_ type: JSONObject.Value) -> Bool {
        guard case .string(let text) = type else { return false }
        return ["jwt", "at+jwt", "application/at+jwt", "application/jwt"].contains(text.lowercased())
    }
}

/// The parts of a token in compact form (RFC 7515 section 7.1).
private struct SignedParts {
    let header: [UInt8]
    let payload: [UInt8]
    let signature: [UInt8]
    /// What the signature is over.
    let signed: [UInt8]

    init?(_ token: [UInt8]) {
        let dots = token.indices.filter { token[$0] == UInt8(ascii: ".") }
        guard dots.count == 2 else { return nil }
        let span = token.span
        guard let header = Base64URL.decode(span.extracting(0..<dots[0])),
            let payload = Base64URL.decode(span.extracting(dots[0] + 1..<dots[1])),
            let signature = Base64URL.decode(span.extracting(dots[1] + 1..<token.count)),
            !header.isEmpty, !payload.isEmpty, !signature.isEmpty
        else { return nil }
        self.header = header
        self.payload = payload
        self.signature = signature
        signed = Array(token[..<dots[1]])
    }
}
