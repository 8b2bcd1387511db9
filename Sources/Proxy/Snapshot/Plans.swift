package import Balancing
package import Configuration
package import HTTP
package import Kernel
package import RateLimiting
package import TLS

/// One listening address with its rules, as workers use it.
package struct ListenerPlan: Sendable {
    /// What the listener is for.
    package enum Role: Sendable {
        /// Requests for upstreams. Every worker that carries traffic has a socket of its own for it.
        case traffic
        /// Health, readiness and figures; on the control thread only.
        case admin
    }

    /// Whose requests it takes, and with that, on which threads it is open.
    package var role = Role.traffic
    /// Given by the server table.
    package var id = ServerID.none
    /// Where it listens; with port 0, the kernel chooses one. Where `socketPath` is set it stands for that in tables and
    /// between processes, and nothing listens there.
    package var address: SocketAddress
    /// The Unix socket it listens at in place of an address, for this user and root.
    package var socketPath: String?
    /// Where to listen instead on a machine without IPv6; nil if `address` says what is meant.
    package var addressWithoutIPv6: SocketAddress?
    /// Nil for plain listeners.
    package var tls: TLSContext?
    /// What `tls` was made of, if its files are to be watched.
    package var reloadingTLS: ReloadingTLS? {
        didSet { tls = reloadingTLS?.context }
    }
    /// Clients are asked for certificates, and servers told what they showed.
    package var asksForCertificates = false
    /// Peers that may say whom they speak for, by forwarded fields or the PROXY protocol; empty: none.
    package var trusted: [AddressRange] = []
    /// The name, in lower case, of the field in which trusted peers say the client's address; empty: X-Forwarded-For has it.
    package var trustedHeader: [UInt8] = []
    /// Whose requests are served.
    package var access = AddressRules()
    /// Hosts that requests may be for; empty: all. Others are told that they came to the wrong place.
    var hosts: [HostPattern] = []
    /// Scheme, host and port by which clients reach it; empty: those of each request.
    package var publicOrigin: [UInt8] = []
    /// Requests that did not come over TLS are redirected to this port over https; nil: they are served.
    package var redirectPort: UInt16?
    /// Connections begin with a PROXY protocol header, and come from `trusted` only.
    package var expectsProxyHeader = false
    /// Servers are told that clients came over TLS, which they did to a balancer in front.
    package var forwardsAsHTTPS = false
    /// HTTP/2 is spoken in clear with clients that begin with it (RFC 9113 section 3.3).
    package var acceptsH2C = true
    /// Traffic connections of the whole process at which this listener resets new ones, at least 1. The largest of all
    /// listeners, 1,024 at least, is also the number of sockets that one worker has slots for.
    package var maximumConnections = 100_000
    /// Connections of one address, or of one network of IPv6, at which new ones of it are reset; `.max`: any number. Trusted
    /// proxies, which speak for many, have no such bound.
    package var maximumPerAddress = Int.max
    /// How fast one address, or one network of IPv6, may open connections; nil: as it likes.
    package var connectionOpens: RequestRate?
    /// Whether it matters which address a connection comes from.
    var boundsAddresses: Bool { maximumPerAddress < .max || connectionOpens != nil }
    /// From accepting a connection to the end of its TLS handshake.
    package var handshakeTimeout = Interval.seconds(10)
    /// From a head's first byte to its last.
    package var headTimeout = Interval.seconds(10)
    /// Between two reads of a request body.
    package var bodyTimeout = Interval.seconds(30)
    /// Between two requests on one connection.
    package var idleTimeout = Interval.seconds(75)
    /// Bounds of one HTTP/1.1 request head.
    package var limits = HeadLimits()
    /// Bounds of one HTTP/2 connection and of each head on it.
    package var http2 = HTTP2Limits()
    /// Bytes of a request's content, without the framing of chunks. More is 413 (RFC 9110 section 15.5.14).
    package var maximumRequestBody: UInt64 = 8 << 20
    /// How a client that vanished is noticed.
    package var tcp = TCPOptions()

    package init(address: SocketAddress) {
        self.address = address
    }

    /// Where it listens, for people.
    package var place: String { socketPath.map { "unix:\($0)" } ?? "\(address)" }
}

/// What `Host` a server is asked with.
package enum HostRule: Sendable {
    case keep
    /// The server's own `name:port`.
    case upstream
    case fixed([UInt8])
}

/// How a session is kept with its server.
package enum SessionAffinityMode: Sendable {
    case signed, learned, off
}

/// One server of an upstream.
package struct ServerPlan: Sendable {
    /// Where it is: one address, or those of its name, which are alternatives to each other (RFC 8305), best first. Empty as
    /// long as the name does not resolve: the server is down then.
    package var addresses: [SocketAddress]
    /// Looked up again while the proxy runs; nil for a server that is known by its IP address.
    package var host: String?
    /// The port of all its addresses.
    package var port: UInt16
    /// `host:port` as the operator wrote it: the Host of health checks, the name in metrics.
    package var name: String
    /// `name` as bytes: the Host field under `HostRule.upstream` (RFC 9110 section 7.2).
    package var authority: [UInt8]
    /// What its certificate must be for, where it speaks TLS.
    package var serverName = ""
    /// Its share of new work in relation to the other servers, 1...1000, by the configuration.
    package var configuredWeight: Int32 = 1
    /// What an operator has ordered in place of that.
    package var orderedWeight: Int32?
    /// Its share of new work in relation to the other servers, 1...1000. Assigning one sets that of the configuration.
    package var weight: Int32 {
        get { orderedWeight ?? configuredWeight }
        set { configuredWeight = newValue }
    }
    /// Whether it is used only if no other server is available.
    package var isBackup = false
    /// Whether the configuration says that it keeps its sessions and gets no other work.
    package var isDraining = false
    /// Whether an operator has said so since the start.
    package var isOrderedToDrain = false
    /// Whether an operator has ordered that it gets no work at all: its sessions are lost, as if it were gone.
    package var isDisabled = false
    /// Whether it stands in the configuration no more, or is found no more.
    package var isRemoved = false
    /// Whether it was found, and does not stand in the configuration.
    package var isDiscovered = false
    /// It gets no work but that of its sessions, if it gets that.
    package var drains: Bool { isDraining || isOrderedToDrain || isDisabled || isRemoved }
    /// Stable across processes: written into signed ids.
    package var tag: UInt64
    /// The index of its upstream in the snapshot.
    package var upstream: Int
    /// Given by the server table.
    package var id = ServerID.none

    /// What stands in slots that no server has.
    static let vacant = ServerPlan(address: .loopback(port: 0), name: "", upstream: 0)

    /// More addresses of one name than these are not tried.
    package static var maximumAddresses: Int { 15 }

    /// The first address; assigning one replaces all.
    package var address: SocketAddress? {
        get { addresses.first }
        set { addresses = newValue.map { [$0] } ?? [] }
    }

    package init(address: SocketAddress, name: String, upstream: Int) {
        addresses = [address]
        port = address.port
        self.name = name
        self.upstream = upstream
        authority = Array(name.utf8)
        tag = ServerTag.tag(of: name)
    }
}

/// A pool's bounds, per server.
package struct PoolPlan: Sendable {
    /// Connections for calls, all workers together.
    package var maximum: Int64 = 128
    /// Connections for event streams, all workers together.
    package var maximumStreams: Int64 = 10_000
    /// Connections kept open without being asked for, all workers together.
    package var minimum: Int64 = 0
    /// How long a connection may be parked. Those of the minimum stay longer.
    package var idleTimeout = Interval.seconds(30)
    /// From dialling to a connection that can carry a request, the TLS handshake included.
    package var connectTimeout = Interval.seconds(5)
    /// Exchanges on one connection, which is then closed; `.max`: no bound.
    package var maximumUses: UInt32 = 7_500
    /// Percentage of `maximum` that one agent may have while no other wants them, 50...100.
    package var maximumShare = 75
    /// Connections that whoever asks may have; agents share those beyond, of which one alone gets half.
    var unsharedConnections: Int64 {
        guard maximumShare < 100 else { return .max }
        return maximum * Int64(2 * max(50, maximumShare) - 100) / 100
    }
    /// Age from which a connection is closed when its exchange is over; `unlimited`: never.
    package var maximumAge = Interval.seconds(3_600)

    package init() {}
}

/// An active check of every server of an upstream.
package struct HealthCheckPlan: Sendable {
    /// What a server has to do to pass.
    package enum Kind: Sendable {
        /// A connection that opens is a pass.
        case tcp
        /// GET; a response that is as expected passes.
        case http
        /// An answer to `server/discover`, or to `ping` in a session that is kept for it.
        case mcp
    }

    /// What becomes of the calls and streams of a server that goes down.
    package enum OnDown: Sendable {
        /// They go on: the server may only be busy.
        case keep
        /// They end at once.
        case close
    }

    /// What a check waits for: a connection, or a response on it.
    package var kind = Kind.tcp
    /// The request target of an http or mcp check, in origin form (RFC 9112 section 3.2.1).
    package var path: [UInt8] = Array("/healthz".utf8)
    /// Host of an http or mcp check; empty: what requests would be sent with.
    package var host: [UInt8] = []
    /// Status codes with which an http check passes.
    package var expectedStatus: [ClosedRange<UInt16>] = [200...399]
    /// What the body of an http check must contain; empty: it is not read.
    package var expectedBody: [UInt8] = []
    /// From the start of one check to the start of the next. Up to a tenth is added at random, so that checks do
    /// not fall together.
    package var interval = Interval.seconds(2)
    /// From dialling to the pass. A check that takes longer has failed.
    package var timeout = Interval.seconds(1)
    /// Successes in a row that bring a server back, failures in a row that take it out.
    package var rise = 2
    /// Failures in a row after which a healthy server is unhealthy; at least 1.
    package var fall = 3
    /// What becomes of the calls and streams of a server that goes down.
    package var onDown = OnDown.keep
    /// How long the share of new work grows of a server that comes back; zero: it has its whole share at once.
    package var slowStart = Interval(nanoseconds: 0)

    package init() {}
}

/// Which failed requests are sent again, and how many.
package struct RetryPlan: Sendable, Equatable {
    /// The rules, with the limit for one request.
    package var policy = RetryPolicy()
    /// Retries granted for a hundred requests.
    package var budgetPercent = 20
    /// Retries granted in a second whatever the requests, all workers together.
    package var budgetFloor = 10
    /// Whether a tool that its server calls read-only or idempotent may be called again.
    package var trustsAnnotations = false

    package init() {}
}

/// How clients of the revisions before 2026-07-28 are told of faults that pass.
package enum LegacyErrorMode: Sendable {
    /// By a 5xx.
    case http
    /// By status 200 with a JSON-RPC error.
    case rpc200
}

/// When servers are ejected whose work fails.
package struct OutlierPlan: Sendable, Equatable {
    /// When one is, and for how long.
    package var rule: OutlierDetector.Rule
    /// How many of an upstream's servers at a time, in percent; 1...100.
    package var maximumPercent: Int

    package init(rule: OutlierDetector.Rule, maximumPercent: Int) {
        self.rule = rule
        self.maximumPercent = maximumPercent
    }
}

/// A group of interchangeable servers and the rules for using them.
package struct UpstreamPlan: Sendable {
    /// The name of its table in the configuration, which identifies it across reloads.
    package var name: String
    /// Given by the server table.
    package var id = ServerID.none
    /// Its servers' indices in the snapshot.
    package var servers: Range<Int>
    /// How a server is selected for a request without a session.
    package var policy = Policy.roundRobin
    /// What keeps such requests together; nil: nothing.
    var affinityKey: AffinityKey?
    /// The Host field of forwarded requests (RFC 9110 section 7.2).
    package var host = HostRule.keep
    /// How its servers are spoken to; nil: in clear.
    package var tls: TLSClientContext?
    /// What `tls` was made of, if its files are to be watched.
    package var reloadingTLS: ReloadingClientTLS? {
        didSet { tls = reloadingTLS?.context }
    }
    /// How a request finds the server of its session.
    package var affinity = SessionAffinityMode.signed
    /// How long a session is remembered after its last use. Signed ids do not expire: what ends is what was known beside
    /// them.
    package var sessionIdle = Interval.seconds(86_400)
    /// How learned sessions are shared with other Berths; nil: they are not.
    package var sharing: SessionSharing?
    /// How it is shared with other Berths how sessions were opened; nil: it is not.
    package var records: RecordSharing?
    /// What becomes of a session whose server is gone.
    package var onLost = SessionLossPolicy.clean
    /// Bounds of the connections to each server.
    package var pool = PoolPlan()
    /// Exchanges that may wait for a connection, over all workers; one more is answered with 503.
    package var queueLimit: Int64 = 1_000
    /// Requests in progress at a server, those answered by event streams included, all workers together; `.max`: no bound.
    package var maximumCalls = Int64.max
    /// Exchanges that wait for one server and can go to no other, all workers together; `.max`: no bound but the queue's.
    package var maximumPending = Int64.max
    /// Sessions of a server at which it gets no new one; `.max`: no bound.
    package var maximumSessions = Int64.max
    /// How long an exchange may wait for a connection before it is answered with 503.
    package var queueTimeout = Interval.seconds(10)
    /// From the request's last byte to the response's head.
    package var firstByteTimeout = Interval.seconds(300)
    /// Silence of a server within a body that is no event stream, and of one that takes no more of a request.
    package var readTimeout = Interval.seconds(60)
    /// How a server that vanished is noticed.
    package var tcp = TCPOptions()
    /// Silence of a server on an event stream, keep-alives of ours not counted.
    package var streamIdleTimeout = Interval.unlimited
    /// Silence towards the client after which a comment is sent; unlimited: never.
    package var heartbeat = Interval.seconds(15)
    /// How the servers are checked.
    package var healthCheck = HealthCheckPlan()
    /// Percentage of available servers below which all are tried; 0: never.
    package var panicThreshold = 0
    /// What becomes of requests that failed.
    package var retry = RetryPlan()
    /// How clients of old revisions are told of faults that pass.
    package var legacyErrors = LegacyErrorMode.http
    /// When servers are ejected whose work fails; nil: never.
    package var outliers: OutlierPlan?
    /// The answers that are kept; nil: none are.
    package var cache: UpstreamCache?
    /// What it shares with other Berths, and where.
    package var stores: [SharedStore] { [sharing?.store, records?.store, cache?.sharing?.store].compactMap { $0 } }
    /// What workers copy for their own selection: rings for hashing are made once and shared. Given by the server table.
    var selection: ServerSelection?

    /// Calls or sessions of each server are bounded.
    var hasServerLimits: Bool { maximumCalls < .max || maximumSessions < .max }

    package init(name: String, servers: Range<Int>) {
        self.name = name
        self.servers = servers
    }
}

/// What a request must look like to go to an upstream.
package struct RoutePlan: Sendable {
    /// Compared with the target's path byte by byte, without the query: nothing is decoded or put in lower case.
    package enum Path: Sendable {
        case any
        /// With or without a slash at the end.
        case exact([UInt8])
        /// This path and all below it; or, if it ends with a slash, all that begin with it.
        case prefix([UInt8])
    }

    /// Lower case, without a port and the root's dot, an IPv6 address in brackets; nil: any.
    package var host: [UInt8]? {
        get { hostPattern?.text }
        set { hostPattern = newValue.map { HostPattern($0) } }
    }
    private(set) var hostPattern: HostPattern?
    /// The condition on the target's path; both this and `host` must hold.
    package var path = Path.any
    /// The index in the snapshot of the upstream that requests go to.
    package var upstream: Int
    /// The header fields that repeat what a message says are compared with it.
    package var checksHeaders = false
    /// What few routes have; nil: requests go to the upstream as they are.
    package var extras: RouteExtras?

    package init(upstream: Int) {
        self.upstream = upstream
    }
}
