package import Kernel

/// What there can be an alert for. The Prometheus rules that come with Berth have the same names.
package enum AlertRule: String, CaseIterable, Sendable {
    /// The slowest twentieth of a tool's calls takes too long.
    case toolSlow = "BerthToolSlow"
    /// Too many calls of an upstream fail.
    case errors = "BerthErrorRate"
    /// Calls wait for connections to an upstream's servers.
    case waiting = "BerthCallsWaiting"
    /// The process is near the limit of its memory.
    case memory = "BerthMemory"
    /// A listener is near the limit of its connections.
    case connections = "BerthConnections"
    /// A certificate that clients see ends soon.
    case certificate = "BerthCertificateExpiry"
    /// Servers of one upstream list different tools.
    case catalogSkew = "BerthCatalogSkew"
    /// An upstream has no server for new sessions.
    case noServer = "BerthNoServer"

    /// How much it matters.
    package enum Severity: String, Sendable {
        /// Somebody should look at it.
        case warning
        /// Calls fail now, or will soon.
        case critical
    }

    /// How much an alert of this rule matters.
    package var severity: Severity {
        switch self {
        case .noServer, .errors, .memory: .critical
        case .toolSlow, .waiting, .connections, .certificate, .catalogSkew: .warning
        }
    }

    /// The sentence that says when it fires, without the thresholds.
    package var summary: String {
        switch self {
        case .toolSlow: "The slowest twentieth of a tool's calls takes too long"
        case .errors: "Too many calls of an upstream fail"
        case .waiting: "Calls wait for connections to the servers of an upstream"
        case .memory: "Berth is near the limit of its memory"
        case .connections: "A listener is near the limit of its connections"
        case .certificate: "A certificate ends soon"
        case .catalogSkew: "Servers of an upstream list different tools"
        case .noServer: "An upstream has no server for new sessions"
        }
    }
}

/// When alerts fire.
package struct AlertThresholds: Sendable, Equatable {
    /// How far the rates of calls look back.
    package var window = Interval.seconds(300)
    /// Calls within the window below which a rate says nothing.
    package var fewestCalls: Int64 = 20
    /// What 95 of 100 calls of a tool may take; one of the bounds of the histograms. Nil: no alert.
    package var toolP95: Interval? = .seconds(5)
    /// The share of calls that may fail, 0 to 1. Nil: no alert.
    package var errorRate: Double? = 0.05
    /// How long calls may wait, one after the other. Nil: no alert.
    package var waiting: Interval? = .seconds(60)
    /// The share of the memory that may be in use, 0 to 1. Nil: no alert.
    package var memory: Double? = 0.8
    /// The share of a listener's connections that may be open, 0 to 1. Nil: no alert.
    package var connections: Double? = 0.8
    /// The time for which a certificate must still be valid. Nil: no alert.
    package var certificate: Interval? = .seconds(14 * 86_400)

    package init() {}

    /// How long a condition must hold until its alert fires.
    package func delay(of rule: AlertRule) -> Interval {
        switch rule {
        case .toolSlow, .errors, .memory, .connections, .certificate: .seconds(60)
        case .waiting: waiting ?? .seconds(60)
        // A deployment that renews one server after the other lists different tools for a while.
        case .catalogSkew: .seconds(300)
        case .noServer: .seconds(15)
        }
    }
}
