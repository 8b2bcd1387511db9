/// The settings of one run, from the command line or a scenario file. `check()` validates them.
package struct LoadPlan: Equatable, Sendable {
    /// The run's name in reports. Empty: the workload's name.
    package var name = ""
    /// The MCP endpoint.
    package var target: Target
    /// The workloads that run concurrently, at least one. Connections, sessions and rate are divided by their weights.
    package var mix: [Share]
    /// The version of HTTP.
    package var transport = Transport.http1
    /// Connections open at a time, over all threads and shares: 1 to 65,536. In HTTP/1.1 event streams (`fanin`,
    /// `idle`, `legacy`) occupy one each.
    package var connections = 64
    /// Concurrent calls on each connection (HTTP/2 streams): 1 to 1,024. HTTP/1.1 always uses 1.
    package var depth = 1
    /// Calls a second over all connections (open loop), at most 10 million; nil: a connection makes its next call as
    /// soon as it has the response (closed loop).
    package var rate: Double?
    /// Seconds of measuring.
    package var seconds = 10.0
    /// Seconds of the same load before measuring begins. Wrong answers and failures count in them, too.
    package var warmUp = 1.0
    /// Ends the run after this many completed calls, if `seconds` have not passed before; nil: no limit.
    package var calls: UInt64?
    /// Threads, each with its own connections and sessions: 1 to 64.
    package var threads = 1
    /// Seconds after which a call, a handshake or a connect counts as failed: above 0, at most a day.
    package var timeout = 10.0

    /// Concurrent sessions, or event streams for `fanin` and `idle`; nil: connections × depth.
    package var sessions: Int?
    /// Tool calls of a session before it is ended and another begins: at least 1.
    package var callsPerSession = 100
    /// Whether each call of a session goes over any free connection, instead of the session's own; nil: only if there
    /// are more sessions than connections × depth.
    package var shuffle: Bool?
    /// The tool that is called.
    package var tool = "whoami"
    /// The tool's arguments: the text of a JSON object.
    package var arguments = "{}"
    /// Whether one call of a session in eight goes to the tool `echo`, if `namesReplica`.
    var usesEcho = true
    /// Whether the tool's results name the replica and count the session's calls.
    var namesReplica: Bool { tool == "whoami" || tool == "record" }
    /// The length of the text of `bodies`, in bytes: at most 1 GiB.
    package var bytes = 1_048_576
    /// Whether the text of `bodies` is in responses or in requests.
    package var direction = Direction.down
    /// Events a second that the server sends on each stream of `fanin`: used to tell when a stream brings none any
    /// more.
    package var eventsPerSecond = 10.0

    /// Which server certificates are accepted.
    package var trust = Trust.system
    /// Whether a TLS connection resumes the session of an earlier one to the same address.
    package var resumption = true
    /// Additional header fields of every request, for example `Authorization`.
    package var headers: [Header] = []
    /// Seed of random choices.
    package var seed: UInt64 = 1

    /// A plan with the default settings.
    package init(target: Target, mix: [Share]) {
        self.target = target
        self.mix = mix
    }

    /// A plan with one workload and the default settings.
    package init(target: Target, workload: Workload) {
        self.init(target: target, mix: [Share(workload)])
    }

    /// The version of HTTP; the raw value is its ALPN name (RFC 7301).
    package enum Transport: String, CaseIterable, Codable, Sendable {
        case http1 = "http/1.1"
        case http2 = "h2"
    }

    /// The direction of the text of `bodies`.
    package enum Direction: String, CaseIterable, Codable, Sendable {
        /// In the result of the tool `bytes`.
        case down
        /// In the arguments of the tool `echo`, which returns it.
        case up
    }

    /// Which server certificates are accepted.
    package enum Trust: Equatable, Sendable {
        /// Those signed by a certificate authority of the system.
        case system
        /// Those signed by a certificate of this PEM file; the path.
        case file(String)
        /// All: nothing is verified.
        case anyone
    }

    /// One workload of a mix.
    package struct Share: Equatable, Sendable {
        /// What its clients do.
        package var workload: Workload
        /// Its part of connections, sessions and rate in relation to the other shares. Above 0.
        package var weight: Double

        package init(_ workload: Workload, weight: Double = 1) {
            self.workload = workload
            self.weight = weight
        }
    }

    /// A header field.
    package struct Header: Equatable, Sendable {
        /// A token (RFC 9110 section 5.1).
        package var name: String
        /// Sent as it is; without control characters.
        package var value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }
}
