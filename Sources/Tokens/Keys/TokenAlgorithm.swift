/// How a token may be signed (RFC 7518 section 3.1, RFC 8037 section 3.1). `none` and the algorithms with a shared secret are not
/// among them: a secret that verifies also signs, and a public key taken for one would let anybody sign.
package enum TokenAlgorithm: String, Sendable, CaseIterable {
    case rs256 = "RS256"
    case rs384 = "RS384"
    case rs512 = "RS512"
    case ps256 = "PS256"
    case ps384 = "PS384"
    case ps512 = "PS512"
    case es256 = "ES256"
    case es384 = "ES384"
    case es512 = "ES512"
    case edDSA = "EdDSA"

    /// The algorithms that a key is good for: those of its type, and the curve's one.
    static func fitting(keyType: String, curve: String?) -> [TokenAlgorithm] {
        switch (keyType, curve) {
        case ("RSA", _): [.rs256, .rs384, .rs512, .ps256, .ps384, .ps512]
        case ("EC", "P-256"): [.es256]
        case ("EC", "P-384"): [.es384]
        case ("EC", "P-521"): [.es512]
        case ("OKP", "Ed25519"): [.edDSA]
        default: []
        }
    }
}
