package import Kernel
import Redis
import TLS

/// How Berths share how the sessions of an upstream were opened, so that one recovers what another has seen begin.
///
/// It serves `on_lost = "always"` alone. A record cannot say that a session holds no state: a Berth that could not tell the store
/// of a call would leave a record behind that says so and is wrong.
package struct RecordSharing: Sendable {
    /// Where.
    package let store: SharedStore
    /// How long a recovery waits for the store before the session is given up.
    package let wait: Interval
    /// The upstream's name, and what ends it: sessions of two upstreams are not the same.
    private let scope: [UInt8]

    /// Shares the records of the upstream of this name.
    package init(_ store: SharedStore, wait: Interval, upstream: String) {
        self.store = store
        self.wait = wait
        scope = Array(upstream.utf8) + [0]
    }

    /// The same in another store.
    init(_ other: RecordSharing, in store: SharedStore) {
        self.store = store
        (wait, scope) = (other.wait, other.scope)
    }

    /// Not a secret: every Berth has to find the same name for a session. It keeps ids out of the store.
    private static let digest = MessageAuthenticator(key: Array("berth: names of records of sessions".utf8))

    /// The name of the record of a session, by what all Berths have for that.
    func name(of common: SessionKey) -> [UInt8] {
        let session = SharedOwner.hexadecimal(common.high) + SharedOwner.hexadecimal(common.low)
        let tag = Self.digest.tag(scope.span, session.span)
        return SharedOwner.hexadecimal(tag.0) + SharedOwner.hexadecimal(tag.1)
    }

    /// The key of the record of this name.
    static func key(ofName name: [UInt8]) -> [UInt8] { HashTag.key("record", of: name) }
}
