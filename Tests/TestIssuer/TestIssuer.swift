package import Crypto
package import CryptoExtras
import Foundation

/// An authorization server as tests need one: it has keys of all kinds, publishes them, and signs what it is asked to.
package struct TestIssuer: Sendable {
    /// A key with its id.
    package enum Key: Sendable {
        case rsa(_RSA.Signing.PrivateKey)
        case p256(P256.Signing.PrivateKey)
        case p384(P384.Signing.PrivateKey)
        case p521(P521.Signing.PrivateKey)
        case ed25519(Curve25519.Signing.PrivateKey)
    }

    package static let name = "https://login.example.com"
    package static let audience = "https://mcp.example.com/mcp"

    package static let rsa = makeRSA()
    package static let otherRSA = makeRSA()
    package static let p256 = Key.p256(P256.Signing.PrivateKey())
    package static let otherP256 = Key.p256(P256.Signing.PrivateKey())
    package static let p384 = Key.p384(P384.Signing.PrivateKey())
    package static let p521 = Key.p521(P521.Signing.PrivateKey())
    package static let ed25519 = Key.ed25519(Curve25519.Signing.PrivateKey())

    private static func makeRSA() -> Key {
        do { return .rsa(try _RSA.Signing.PrivateKey(keySize: .bits2048)) } catch { fatalError("no key: \(error)") }
    }

    /// The document that it publishes: each key by its id, with members added or replaced.
    package static func document(_ keys: [(id: String?, key: Key, extra: [String: String])]) -> [UInt8] {
        let texts = keys.map { entry in
            var members = publicMembers(entry.key)
            if let id = entry.id { members["kid"] = "\"\(id)\"" }
            for (name, value) in entry.extra { members[name] = value }
            return "{" + members.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",")
                + "}"
        }
        return Array("{\"keys\":[\(texts.joined(separator: ","))]}".utf8)
    }

    /// The document of all keys, by the names of their kinds.
    package static var allKeys: [UInt8] {
        document([
            ("rsa", rsa, [:]), ("p256", p256, ["alg": "\"ES256\""]), ("p384", p384, [:]), ("p521", p521, [:]),
            ("ed", ed25519, ["use": "\"sig\""]),
        ])
    }

    private static func publicMembers(_ key: Key) -> [String: String] {
        func quoted(_ bytes: some Sequence<UInt8>) -> String { "\"\(base64URL(Array(bytes)))\"" }
        func point(_ raw: Data, _ curve: String) -> [String: String] {
            [
                "kty": "\"EC\"", "crv": "\"\(curve)\"", "x": quoted(raw.prefix(raw.count / 2)),
                "y": quoted(raw.suffix(raw.count / 2)),
            ]
        }
        switch key {
        case .rsa(let key):
            guard let parts = try? key.publicKey.getKeyPrimitives() else { return [:] }
            return ["kty": "\"RSA\"", "n": quoted(parts.modulus), "e": quoted(parts.publicExponent)]
        case .p256(let key): return point(key.publicKey.rawRepresentation, "P-256")
        case .p384(let key): return point(key.publicKey.rawRepresentation, "P-384")
        case .p521(let key): return point(key.publicKey.rawRepresentation, "P-521")
        case .ed25519(let key):
            return ["kty": "\"OKP\"", "crv": "\"Ed25519\"", "x": quoted(key.publicKey.rawRepresentation)]
        }
    }

    // MARK: - Tokens

    /// Claims of a good token at a time, as JSON values; nil takes one away.
    package static func claims(at now: Int64, _ changes: [String: String?] = [:]) -> String {
        var members: [String: String] = [
            "iss": "\"\(name)\"", "aud": "\"\(audience)\"", "sub": "\"alice\"", "exp": "\(now + 300)",
            "iat": "\(now - 1)", "scope": "\"weather mail:read\"",
        ]
        for (name, value) in changes { members[name] = value }
        return "{" + members.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
    }

    /// A token with this header and these claims, signed with a key as `algorithm` says.
    package static func token(
        _ claims: String, key: Key, algorithm: String, header: String
    ) -> String {
        let signed = base64URL(Array(header.utf8)) + "." + base64URL(Array(claims.utf8))
        return signed + "." + base64URL(signature(Array(signed.utf8), key, algorithm))
    }

    /// The same with the usual header.
    package static func token(_ claims: String, key: Key, algorithm: String, id: String?) -> String {
        let kid = id.map { ",\"kid\":\"\($0)\"" } ?? ""
        return token(
            claims, key: key, algorithm: algorithm, header: "{\"alg\":\"\(algorithm)\"\(kid),\"typ\":\"at+jwt\"}")
    }

    private static func signature(_ text: [UInt8], _ key: Key, _ algorithm: String) -> [UInt8] {
        do {
            switch key {
            case .rsa(let key):
                let padding: _RSA.Signing.Padding = algorithm.hasPrefix("PS") ? .PSS : .insecurePKCS1v1_5
                switch algorithm.suffix(3) {
                case "384":
                    return try Array(key.signature(for: SHA384.hash(data: text), padding: padding).rawRepresentation)
                case "512":
                    return try Array(key.signature(for: SHA512.hash(data: text), padding: padding).rawRepresentation)
                default:
                    return try Array(key.signature(for: SHA256.hash(data: text), padding: padding).rawRepresentation)
                }
            case .p256(let key): return try Array(key.signature(for: text).rawRepresentation)
            case .p384(let key): return try Array(key.signature(for: text).rawRepresentation)
            case .p521(let key): return try Array(key.signature(for: text).rawRepresentation)
            case .ed25519(let key): return try Array(key.signature(for: text))
            }
        } catch {
            fatalError("cannot sign: \(error)")
        }
    }

    /// What somebody makes who takes the text of a public key for a shared secret.
    package static func confusedToken(_ claims: String, secret: [UInt8], id: String) -> String {
        let signed =
            base64URL(Array("{\"alg\":\"HS256\",\"kid\":\"\(id)\",\"typ\":\"JWT\"}".utf8)) + "."
            + base64URL(Array(claims.utf8))
        let tag = HMAC<SHA256>.authenticationCode(for: Array(signed.utf8), using: SymmetricKey(data: secret))
        return signed + "." + base64URL(Array(tag))
    }

    /// The public key of the RSA key as PEM has it.
    package static var publicPEM: String {
        if case .rsa(let key) = rsa { key.publicKey.pemRepresentation } else { "" }
    }

    /// base64url without padding.
    package static func base64URL(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacingOccurrences(of: "+", with: "-")
            .replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
    }

    /// The SHA-256 of a text in hexadecimal, as a file of API keys has it.
    package static func hash(_ text: String) -> String {
        SHA256.hash(data: Array(text.utf8)).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
