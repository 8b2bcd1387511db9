import Discovery
import Kernel
import Proxy

/// What finds an upstream's servers, in `/servers`, `/stats` and on the dashboard.
struct DiscoveryDocument: Encodable {
    var upstream: String
    /// As in "dns mcp-headless.prod.svc, port 3001".
    var source: String
    /// Servers that were found and are in use.
    var servers: Int
    /// When the source last named servers, in seconds since 1970; missing if it never did.
    var lastSuccess: UInt32?
    /// Why the last question brought none, in words; missing if it did.
    var failure: String?
    /// Questions that brought none, since the start, by reason.
    var failures: [String: Int]
    /// Servers that appeared, vanished, and came back soon after, since the start.
    var appeared: Int
    var vanished: Int
    var flaps: Int
    /// Changes that wait because there were too many at a time.
    var waiting: Int
    /// Servers of the last answer that are not used because there are too many.
    var omitted: Int

    init(_ status: DiscoveryStatus) {
        let counts = status.counts
        upstream = status.upstream
        source = status.source.description
        servers = status.servers
        lastSuccess = counts.answeredAt.map { answeredAt in
            let age = (Instant.now() - answeredAt).nanoseconds
            return UInt32(
                truncatingIfNeeded: (WallClock.nanoseconds() - min(WallClock.nanoseconds(), age)) / 1_000_000_000)
        }
        failure = counts.failure?.text
        failures = Dictionary(
            counts.failures.map { ($0.key.rawValue, $0.value) }, uniquingKeysWith: { first, _ in first })
        appeared = counts.appeared
        vanished = counts.vanished
        flaps = counts.flaps
        waiting = counts.waiting
        omitted = counts.omitted
    }

    /// Those of all upstreams that have one.
    static func all(_ proxy: ProxyServer) -> [DiscoveryDocument] {
        (proxy.discovery?.statuses ?? []).map { DiscoveryDocument($0) }
    }
}
