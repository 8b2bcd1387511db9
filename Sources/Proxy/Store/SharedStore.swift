package import Configuration
package import Kernel
package import Redis
import Synchronization
package import TLS

/// A server of Redis or Valkey in which several Berths keep what they share: what all workers know of it.
package final class SharedStore: Sendable {
    /// `host:port`, for metrics and logs.
    package let name: String
    /// What it was made of; two of the same are one.
    package let configuration: StoreConfiguration
    /// How connections are made.
    package let plan: RedisConnectionPlan
    /// What TLS connections are made with; nil: it is spoken with in clear.
    let tls: TLSClientContext?
    let addresses: StoreAddresses
    /// How long a request waits for it. A reply that takes longer does not say that it works.
    let wait: Interval
    /// What its certificate must be for.
    var serverName: String { configuration.host }
    /// What becomes of it.
    package let counts = StoreCounts()
    /// In nanoseconds of the workers' clock.
    private let silence = Atomic<UInt64>(0)

    /// When a worker last waited for it in vain and it had said nothing meanwhile.
    var silentAt: Instant { Instant(nanoseconds: silence.load(ordering: .relaxed)) }

    func noteSilence(at now: Instant) { silence.store(now.nanoseconds, ordering: .relaxed) }

    /// `found`: the addresses of its host so far.
    package init(
        _ configuration: StoreConfiguration, found: [SocketAddress], names: NameLookup, tls: TLSClientContext? = nil
    ) {
        let host = configuration.host
        name = host.contains(":") ? "[\(host)]:\(configuration.port)" : "\(host):\(configuration.port)"
        self.configuration = configuration
        wait = Interval(configuration.wait)
        var plan = RedisConnectionPlan()
        plan.isSecure = configuration.isSecure
        plan.database = UInt32(clamping: configuration.database)
        plan.credentials = configuration.password.map {
            RedisCredentials(user: Array(configuration.user.utf8), password: Array($0.utf8))
        }
        self.plan = plan
        self.tls = tls
        addresses = StoreAddresses(host: host, port: configuration.port, found: found, names: names)
    }

    /// The store of a configuration, with the authorities that it names.
    package convenience init(
        of configuration: StoreConfiguration, found: [SocketAddress], names: NameLookup
    ) throws(TLSError) {
        var tls: TLSClientContext?
        if configuration.isSecure {
            let files = TLSClientFiles(pair: nil, authorities: configuration.authorities, otherwise: .system)
            tls = try ReloadingClientTLS(files).context
        }
        self.init(configuration, found: found, names: names, tls: tls)
    }
}

/// How the learned sessions of an upstream are shared.
package struct SessionSharing: Sendable {
    /// Where.
    package let store: SharedStore
    /// How long a request, or the response that opens a session, waits for the store.
    package let wait: Interval
    /// The upstream's name, and what ends it: ids of two upstreams are not the same.
    let scope: [UInt8]

    /// Shares the sessions of the upstream of this name.
    package init(_ store: SharedStore, wait: Interval, upstream: String) {
        self.store = store
        self.wait = wait
        scope = Array(upstream.utf8) + [0]
    }

    /// Not a secret: ids are random, and every Berth has to find the same name for one. It keeps the ids, by which a session can be
    /// used, out of the store.
    private static let digest = MessageAuthenticator(key: Array("berth: names of learned sessions".utf8))

    /// What all Berths have for a session whose id, which is learned, is this one.
    static func commonKey(ofLearned id: Span<UInt8>) -> SessionKey {
        let tag = digest.tag([UInt8]().span, id)
        return SessionKey(high: tag.0, low: tag.1)
    }

    /// The key of a session in the store.
    func key(of id: Span<UInt8>) -> [UInt8] {
        let tag = Self.digest.tag(scope.span, id)
        return HashTag.key("owner", of: SharedOwner.hexadecimal(tag.0) + SharedOwner.hexadecimal(tag.1))
    }
}

/// Who has a session, as it stands in the store: `1:` and the server's tag, which all Berths derive from its name alike.
enum SharedOwner {
    static func text(tag: UInt64) -> [UInt8] { Array("1:".utf8) + hexadecimal(tag) }

    /// The tag in a value of the store; nil if it is none, or of a version that this one does not know.
    static func tag(in value: [UInt8]) -> UInt64? {
        guard value.count == 18, value.starts(with: Array("1:".utf8)) else { return nil }
        return UInt64(String(decoding: value[2...], as: UTF8.self), radix: 16)
    }

    static func hexadecimal(_ number: UInt64) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        return (0..<16).map { digits[Int(number >> UInt64(60 - 4 * $0) & 15)] }
    }
}
