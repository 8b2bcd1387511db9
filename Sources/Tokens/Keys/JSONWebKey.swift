import ASCII

/// A public key as issuers publish it (RFC 7517 section 4).
struct JSONWebKey {
    /// What makes the key, in base64url.
    enum Material {
        case rsa(modulus: String, exponent: String)
        case elliptic(curve: String, x: String, y: String)
        case edwards(x: String)
    }

    let keyID: String?
    let material: Material
    /// The algorithms that it is good for: that of its `alg`, or all of its type.
    let algorithms: [TokenAlgorithm]

    /// Nil for a key that verifies no signatures, is too short or too long, or lacks a part.
    init?(_ text: [UInt8]) {
        guard let object = JSONObject(text), let type = object.string("kty"), Self.verifies(object) else { return nil }
        keyID = object.string("kid")
        let curve = object.string("crv")
        let fitting = TokenAlgorithm.fitting(keyType: type, curve: curve)
        algorithms = object["alg"] == nil ? fitting : fitting.filter { $0.rawValue == object.string("alg") }
        guard !algorithms.isEmpty else { return nil }
        switch type {
        case "RSA":
            guard let modulus = object.string("n"), let exponent = object.string("e"),
                Self.isModulus(modulus), (1...8).contains(Base64URL.decode(Array(exponent.utf8).span)?.count ?? 0)
            else { return nil }
            material = .rsa(modulus: modulus, exponent: exponent)
        case "EC":
            guard let curve, let x = object.string("x"), let y = object.string("y") else { return nil }
            material = .elliptic(curve: curve, x: x, y: y)
        default:
            guard let x = object.string("x"), Base64URL.decode(Array(x.utf8).span)?.count == 32 else { return nil }
            material = .edwards(x: x)
        }
    }

    private static func verifies(_ object: JSONObject) -> Bool {
        if let use = object["use"] {
            guard case .string("sig") = use else { return false }
        }
        guard let operations = object["key_ops"] else { return true }
        guard case .strings(let names) = operations else { return false }
        return names.contains("verify")
    }

    /// 2,048 to 8,192 bits (RFC 7518 section 3.3): longer ones take a verifier's time.
    private static func isModulus(_ text: String) -> Bool {
        guard let bytes = Base64URL.decode(Array(text.utf8).span) else { return false }
        return (256...1_024).contains(bytes.drop { $0 == 0 }.count)
    }
}
