import COpenSSL

/// The cipher contexts of one worker. A context that has a connection's key saves making it again for the next record; there are as
/// many as are worth the memory, and connections share them by their numbers. One thread uses them.
final class CipherContexts {
    private struct Place {
        var context: OpaquePointer?
        /// Whose key it has; 0: nobody's.
        var owner: UInt64 = 0
        var generation: UInt32 = 0
    }

    /// A power of two, for each suite and direction.
    private static let count = 64

    @exclusivity(unchecked) private var places: [Place]
    @exclusivity(unchecked) private var lastNumber: UInt64 = 0

    init() { places = Array(repeating: Place(), count: 2 * RecordSuite.allCases.count * Self.count) }

    deinit {
        for place in places { EVP_CIPHER_CTX_free(place.context) }
    }

    /// A number that no other connection has; not 0.
    func nextNumber() -> UInt64 {
        lastNumber &+= 1
        return lastNumber
    }

    /// The context for a connection's next record, ready with its key and nonce; nil if that cannot be had.
    func context(
        _ suite: RecordSuite, _ keys: inout TrafficKeys, of number: UInt64, encrypting: Bool
    ) -> OpaquePointer? {
        let index = Self.index(suite, number, encrypting: encrypting)
        if places[index].context == nil {
            guard let made = EVP_CIPHER_CTX_new() else { return nil }
            guard EVP_CipherInit_ex2(made, suite.cipher, nil, nil, encrypting ? 1 : 0, nil) == 1 else {
                EVP_CIPHER_CTX_free(made)
                return nil
            }
            places[index].context = made
        }
        let hasKey = places[index].owner == number && places[index].generation == keys.generation
        guard keys.prepare(places[index].context, hasKey: hasKey, encrypting: encrypting) else {
            places[index].owner = 0
            return nil
        }
        places[index].owner = number
        places[index].generation = keys.generation
        return places[index].context
    }

    /// Frees the contexts that have the connection's keys, which overwrites these.
    func forget(_ number: UInt64, _ suite: RecordSuite) {
        for encrypting in [false, true] {
            let index = Self.index(suite, number, encrypting: encrypting)
            guard places[index].owner == number else { continue }
            EVP_CIPHER_CTX_free(places[index].context)
            places[index] = Place()
        }
    }

    private static func index(_ suite: RecordSuite, _ number: UInt64, encrypting: Bool) -> Int {
        (Int(suite.rawValue) * 2 + (encrypting ? 1 : 0)) * count + Int(truncatingIfNeeded: number & UInt64(count - 1))
    }
}
