internal import JWTKit

/// An issuer's public keys (RFC 7517 section 5).
package struct KeySet: Sendable {
    /// One key with one of the algorithms that it is good for.
    private struct Entry: Sendable {
        let keyID: String?
        let algorithm: TokenAlgorithm
        let verifier: any JWTAlgorithm
    }

    /// What keeps a document from being a set of keys.
    package enum Failure: Error, Equatable {
        /// It is not a JSON object with a list `keys` of objects.
        case malformed
        /// It has none that can verify a token.
        case noUsableKey
    }

    private var entries: [Entry] = []
    /// Keys that can verify tokens.
    package private(set) var count = 0
    /// Keys that were left out: of another use, type or length, or malformed.
    package private(set) var skipped = 0

    /// Bytes of a document that are read, at most.
    package static let maximumBytes = 1 << 20
    /// Keys of a document that are taken, at most.
    static let maximumKeys = 64

    /// No keys.
    package init() {}

    /// The keys of a document. Those that cannot verify tokens are left out: sets have keys for encryption beside them.
    package init(document: [UInt8]) async throws(Failure) {
        guard let objects = JSONObject.objects(of: document, under: "keys") else { throw .malformed }
        for text in objects.prefix(Self.maximumKeys) {
            guard let key = JSONWebKey(text) else {
                skipped += 1
                continue
            }
            var isUsable = false
            for algorithm in key.algorithms {
                guard let verifier = await Self.verifier(key, algorithm) else { continue }
                entries.append(Entry(keyID: key.keyID, algorithm: algorithm, verifier: verifier))
                isUsable = true
            }
            if isUsable { count += 1 } else { skipped += 1 }
        }
        skipped += max(0, objects.count - Self.maximumKeys)
        guard count > 0 else { throw .noUsableKey }
    }

    /// Each algorithm of a key has a collection of its own, which so has one key and nothing to choose from.
    private static func verifier(_ key: JSONWebKey, _ algorithm: TokenAlgorithm) async -> (any JWTAlgorithm)? {
        let name: JWKIdentifier = "key"
        guard let named = JWK.Algorithm(rawValue: algorithm.rawValue) else { return nil }
        let jwk: JWK
        switch key.material {
        case .rsa(let modulus, let exponent):
            jwk = .rsa(named, identifier: name, modulus: modulus, exponent: exponent)
        case .elliptic(let curve, let x, let y):
            jwk = .ecdsa(named, identifier: name, x: x, y: y, curve: ECDSACurve(rawValue: curve))
        case .edwards(let x): jwk = .octetKeyPair(named, identifier: name, x: x, y: nil, curve: .ed25519)
        }
        let collection = JWTKeyCollection()
        guard (try? await collection.add(jwk: jwk)) != nil else { return nil }
        return try? await collection.getKey(for: name, alg: algorithm.rawValue)
    }

    /// What a set has for a token.
    enum Match {
        /// Keys of that id, or all if the token names none, that are good for its algorithm. One of them must verify it.
        case candidates([any JWTAlgorithm])
        /// No key has that id.
        case unknownKey
        /// The key of that id is for other algorithms.
        case otherAlgorithm
    }

    /// The keys that may verify a token with this header.
    func match(keyID: String?, algorithm: TokenAlgorithm) -> Match {
        let named = keyID == nil ? entries : entries.filter { $0.keyID == keyID || $0.keyID == nil }
        let fitting = named.filter { $0.algorithm == algorithm }
        if !fitting.isEmpty { return .candidates(fitting.prefix(8).map(\.verifier)) }
        return entries.contains { $0.keyID == keyID && keyID != nil } ? .otherAlgorithm : .unknownKey
    }
}
