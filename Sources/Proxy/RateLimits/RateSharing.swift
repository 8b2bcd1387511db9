import RateLimiting
import TLS

/// How the rate of a rule is shared with other Berths: where, and by what names its keys are known there.
struct RateSharing: Sendable {
    let store: SharedStore
    /// Two hashers with the rule's identity in them, which are the same in every Berth: the name of a key is what both make of what
    /// it follows from.
    let hashers: (KeyHasher, KeyHasher)

    /// Shares the rate of the rule that this text identifies.
    init(_ store: SharedStore, rule: String) {
        self.store = store
        hashers = (Self.hasher("one", rule), Self.hasher("other", rule))
    }

    /// Not secret: every Berth has to find the same name for a key. It keeps what clients are told apart by out of the store.
    private static func hasher(_ label: String, _ rule: String) -> KeyHasher {
        let authenticator = MessageAuthenticator(key: Array("berth: names of shared rates, \(label)".utf8))
        let tag = authenticator.tag(Array(rule.utf8).span, [UInt8]().span)
        return KeyHasher(seed: tag)
    }
}
