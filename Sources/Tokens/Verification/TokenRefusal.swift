/// Why a token is not accepted.
package enum TokenRefusal: String, Sendable, CaseIterable {
    case tooLong, malformed
    case unsupportedAlgorithm, unknownKey, keyMismatch, badSignature, criticalExtension, unexpectedType
    case wrongIssuer, wrongAudience, noExpiry, expired, notYetValid, issuedInFuture, noSubject
    case insufficientScope
    /// No key of the issuer is known yet.
    case noKeys
    /// It is no API key, and no token either.
    case unknownAPIKey

    /// What clients are told: `error_description` (RFC 6750 section 3), of characters that need no escape.
    package var text: String {
        switch self {
        case .tooLong: "the token is too long"
        case .malformed: "this is not a signed JSON Web Token"
        case .unsupportedAlgorithm: "the algorithm of the token is not accepted"
        case .unknownKey: "the token is signed with a key that the issuer does not publish"
        case .keyMismatch: "the algorithm of the token is not that of its key"
        case .badSignature: "the signature of the token is wrong"
        case .criticalExtension: "the token has an extension that must be understood and is not"
        case .unexpectedType: "the token is of another type"
        case .wrongIssuer: "the token is of another issuer"
        case .wrongAudience: "the token is for another audience"
        case .noExpiry: "the token does not say when it expires"
        case .expired: "the token has expired"
        case .notYetValid: "the token is not valid yet"
        case .issuedInFuture: "the token was issued in the future"
        case .noSubject: "the token has no subject"
        case .insufficientScope: "the token lacks a scope"
        case .noKeys: "the keys of the issuer are not known"
        case .unknownAPIKey: "the key is not known"
        }
    }

    /// It may be otherwise as soon as the issuer's keys have been fetched anew.
    package var mayChangeWithKeys: Bool {
        switch self {
        case .unknownKey, .noKeys: true
        default: false
        }
    }
}

/// What was found out about a token.
package enum TokenVerdict: Sendable {
    case accepted(VerifiedToken)
    case refused(TokenRefusal)
}
