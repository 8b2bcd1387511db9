package import Balancing
package import Configuration
package import HTTP
package import Kernel
package import TLS

/// One listening address with its rules, as workers use it.
package struct ListenerPlan: Sendable {
    package enum Role: Sendable {
        case traffic
        /// Health, readiness and figures; on the control thread only.
        case admin
    }

    package var role = Role.traffic
    package var address: SocketAddress
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
    package var trusted: [AddressRange] = []
    /// Connections begin with a PROXY protocol header, and come from `trusted` only.
    package var expectsProxyHeader = false
    package var maximumConnections = 100_000
    package var handshakeTimeout = Interval.seconds(10)
    /// From a head's first byte to its last.
    package var headTimeout = Interval.seconds(10)
    /// Between two reads of a request body.
    package var bodyTimeout = Interval.seconds(30)
    /// Between two requests on one connection.
    package var idleTimeout = Interval.seconds(75)
    package var limits = HeadLimits()
    package var http2 = HTTP2Limits()
    package var maximumRequestBody: UInt64 = 8 << 20

    package init(address: SocketAddress) {
        self.address = address
    }
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
    package var port: UInt16
    /// `host:port` as the operator wrote it: the Host of health checks, the name in metrics.
    package var name: String
    package var authority: [UInt8]
    /// What its certificate must be for, where it speaks TLS.
    package var serverName = ""
    package var weight: Int32 = 1
    package var isBackup = false
    package var isDraining = false
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
    package var idleTimeout = Interval.seconds(30)
    package var connectTimeout = Interval.seconds(5)
    package var maximumUses: UInt32 = 7_500
    package var maximumAge = Interval.seconds(3_600)

    package init() {}
}

/// An active check of every server of an upstream.
package struct HealthCheckPlan: Sendable {
    package enum Kind: Sendable {
        /// A connection that opens is a pass.
        case tcp
        /// GET; 2xx and 3xx pass.
        case http
    }

    package var kind = Kind.tcp
    package var path: [UInt8] = Array("/healthz".utf8)
    /// Host of an http check; empty: what requests would be sent with.
    package var host: [UInt8] = []
    package var interval = Interval.seconds(2)
    package var timeout = Interval.seconds(1)
    /// Successes in a row that bring a server back, failures in a row that take it out.
    package var rise = 2
    package var fall = 3

    package init() {}
}

/// A group of interchangeable servers and the rules for using them.
package struct UpstreamPlan: Sendable {
    package var name: String
    /// Given by the server table.
    package var id = ServerID.none
    /// Its servers' indices in the snapshot.
    package var servers: Range<Int>
    package var policy = Policy.roundRobin
    package var host = HostRule.keep
    /// How its servers are spoken to; nil: in clear.
    package var tls: TLSClientContext?
    /// What `tls` was made of, if its files are to be watched.
    package var reloadingTLS: ReloadingClientTLS? {
        didSet { tls = reloadingTLS?.context }
    }
    package var affinity = SessionAffinityMode.signed
    package var sessionIdle = Interval.seconds(86_400)
    package var pool = PoolPlan()
    package var queueLimit: Int64 = 1_000
    package var queueTimeout = Interval.seconds(10)
    /// From the request's last byte to the response's head.
    package var firstByteTimeout = Interval.seconds(300)
    /// Silence of a server on an event stream, keep-alives of ours not counted.
    package var streamIdleTimeout = Interval.unlimited
    /// Silence towards the client after which a comment is sent; unlimited: never.
    package var heartbeat = Interval.seconds(15)
    package var healthCheck = HealthCheckPlan()
    /// Percentage of available servers below which all are tried; 0: never.
    package var panicThreshold = 0

    package init(name: String, servers: Range<Int>) {
        self.name = name
        self.servers = servers
    }
}

/// What a request must look like to go to an upstream.
package struct RoutePlan: Sendable {
    package enum Path: Sendable {
        case any
        /// With or without a slash at the end.
        case exact([UInt8])
        case prefix([UInt8])
    }

    /// Lower case, without a port; nil: any.
    package var host: [UInt8]?
    package var path = Path.any
    package var upstream: Int

    package init(upstream: Int) {
        self.upstream = upstream
    }
}
