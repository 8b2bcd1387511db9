/// Everything that is to be known of one run before it begins: plain values, from the command line or a scenario file.
package struct LoadPlan: Equatable, Sendable {
    /// What the report calls the run. Empty: the workload's name.
    package var name = ""
    package var target: Target
    /// What is done, all at once; the connections, sessions and the rate are divided by weight. At least one share.
    package var mix: [Share]
    package var transport = Transport.http1
    /// Connections open at a time, over all threads and shares. At least 1. Streams (`fanin`, `idle`, and those of
    /// `legacy`) take one each in HTTP/1.1.
    package var connections = 64
    /// Calls under way at a time on each connection: streams of HTTP/2. Always 1 in HTTP/1.1.
    package var depth = 1
    /// Calls a second, over all connections (open loop); nil: each connection calls again as soon as it has its answer.
    package var rate: Double?
    /// Seconds measured.
    package var seconds = 10.0
    /// Seconds of the same load before measuring begins; what is wrong in them counts all the same.
    package var warmUp = 1.0
    /// End once so many calls have been answered while measuring, if that is before the time is up.
    package var calls: UInt64?
    /// Threads, each with connections, sessions and an epoll of its own.
    package var threads = 1
    /// Seconds that a call, a handshake or a connect may take before it counts as failed.
    package var timeout = 10.0

    /// Sessions (or event streams, for `fanin` and `idle`) at a time; nil: as many as calls can be under way.
    package var sessions: Int?
    /// Tool calls of a session before it says goodbye and another begins.
    package var callsPerSession = 100
    /// Whether each call of a session goes over whichever connection is free; nil: if there are more sessions than
    /// connections. Not shuffled, a session keeps to one connection as long as that lives.
    package var shuffle: Bool?
    /// The tool that is called, and its arguments as JSON text.
    package var tool = "whoami"
    package var arguments = "{}"
    /// The text of `bodies`, in bytes.
    package var bytes = 1_048_576
    /// Which way the text of `bodies` goes.
    package var direction = Direction.down
    /// Events a second that each stream of `fanin` is to bring. The server makes them: this says when one is silent.
    package var eventsPerSecond = 10.0

    /// Whose certificates are accepted.
    package var trust = Trust.system
    /// Whether a TLS connection resumes the session of an earlier one to the same address.
    package var resumption = true
    /// Sent with every request, besides what MCP wants: `Authorization`, for one.
    package var headers: [Header] = []
    /// Of everything that is left to chance.
    package var seed: UInt64 = 1

    package init(target: Target, mix: [Share]) {
        self.target = target
        self.mix = mix
    }

    package init(target: Target, workload: Workload) {
        self.init(target: target, mix: [Share(workload)])
    }

    package enum Transport: String, CaseIterable, Codable, Sendable {
        case http1 = "http/1.1"
        case http2 = "h2"
    }

    package enum Direction: String, CaseIterable, Codable, Sendable {
        /// In the answer of the tool `bytes`.
        case down
        /// In the arguments of the tool `echo`, which sends it back.
        case up
    }

    package enum Trust: Equatable, Sendable {
        /// The authorities the system knows.
        case system
        /// The certificates of this PEM file, and no others.
        case file(String)
        /// Anybody's.
        case anyone
    }

    /// One workload of a mix.
    package struct Share: Equatable, Sendable {
        package var workload: Workload
        /// Of the connections, sessions and the rate, in relation to the other shares. Above 0.
        package var weight: Double

        package init(_ workload: Workload, weight: Double = 1) {
            self.workload = workload
            self.weight = weight
        }
    }

    package struct Header: Equatable, Sendable {
        package var name: String
        package var value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }
}
