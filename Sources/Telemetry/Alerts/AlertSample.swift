package import Kernel

/// The numbers that alerts are decided by, at one time. Counters count since the start.
package struct AlertSample: Sendable {
    /// The calls of a tool.
    package struct Tool: Sendable {
        /// The upstream's name.
        package var upstream: String
        /// The tool's name.
        package var name: String
        /// All of its calls.
        package var calls: Int64
        /// Those that took longer than `AlertThresholds.toolP95`.
        package var slow: Int64

        package init(upstream: String, name: String, calls: Int64, slow: Int64) {
            self.upstream = upstream
            self.name = name
            self.calls = calls
            self.slow = slow
        }
    }

    /// The state of an upstream.
    package struct Upstream: Sendable {
        /// Its name.
        package var name: String
        /// All of its calls.
        package var calls: Int64 = 0
        /// Those that failed; one that its client cancelled did not.
        package var failed: Int64 = 0
        /// Calls that wait for a connection now.
        package var waiting: Int64 = 0
        /// Servers that stand in the configuration.
        package var servers = 0
        /// Those of them that are healthy and take new sessions.
        package var available = 0
        /// Healthy servers list different tools.
        package var catalogsDiffer = false

        package init(name: String) {
            self.name = name
        }
    }

    /// A number beside its limit.
    package struct Usage: Sendable {
        /// What has it: the address of a listener; empty for the process.
        package var name: String
        /// How much there is.
        package var used: Int64
        /// How much there may be.
        package var limit: Int64

        package init(name: String, used: Int64, limit: Int64) {
            self.name = name
            self.used = used
            self.limit = limit
        }
    }

    /// A certificate that clients see.
    package struct Certificate: Sendable {
        /// Its subject, and the listener that serves it.
        package var name: String
        /// Seconds until it ends; negative: it has ended.
        package var secondsLeft: Int64

        package init(name: String, secondsLeft: Int64) {
            self.name = name
            self.secondsLeft = secondsLeft
        }
    }

    /// When the numbers were read.
    package var at: Instant
    /// Tools that were called.
    package var tools: [Tool] = []
    /// All upstreams.
    package var upstreams: [Upstream] = []
    /// Memory of the process in bytes; nil: it is not known.
    package var memory: Usage?
    /// Open connections, by listener.
    package var connections: [Usage] = []
    /// Certificates of all listeners.
    package var certificates: [Certificate] = []

    package init(at: Instant) {
        self.at = at
    }
}
