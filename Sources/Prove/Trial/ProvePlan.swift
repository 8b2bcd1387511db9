package import Load

/// The settings of a trial.
package struct ProvePlan: Sendable {
    /// What becomes of sessions whose server is gone (`session.on_lost`).
    package enum OnLost: String, CaseIterable, Sendable {
        /// Every session goes on with another server.
        case always
        /// Those that certainly hold no state on their server go on.
        case clean
        /// None does: clients are told 404.
        case never
    }

    /// Ends the trial after this many calls; nil: no limit.
    package var calls: UInt64?
    /// Ends the trial after this many seconds of load, at most.
    package var seconds = 60.0
    /// The seed of the schedule.
    package var seed: UInt64 = 1
    /// The number of servers.
    package var servers = 3
    /// A shell command that starts a server on the port `{port}`, which is also in the variable `PORT`; nil for sample
    /// servers.
    package var command: String?
    /// Another balancer in Berth's place; nil for Berth.
    package var peer: Peer?
    /// What Berth does with sessions whose server is gone.
    package var onLost = OnLost.always
    /// Calls a second; nil: as many as the clients can make.
    package var rate: Double? = 1_000
    /// Concurrent sessions, event streams included.
    package var sessions = 64
    /// The version of HTTP that clients speak.
    package var transport = LoadPlan.Transport.http1
    /// The tool that is called and its arguments, where servers are not sample servers.
    package var tool: String?
    /// The arguments of `tool`, a JSON object.
    package var arguments = "{}"
    /// The kinds of disturbances; nil for all.
    package var only: Set<Disturbance.Kind>?
    /// Seconds after which clients give a call up.
    package var timeout = 15.0
    /// What the pauses of the schedule are multiplied with.
    package var pace = 1.0

    /// The default settings.
    package init() {}

    /// Periodic events a second on each stream of a sample server.
    static let eventsPerSecond = 10.0
    /// The part of the sessions that only listen to events.
    private static let listening = 0.15
    /// The part of the calls that come on new connections each.
    private static let fresh = 0.02

    /// The load on the balancer at `target`.
    func load(on target: Target, name: String) -> LoadPlan {
        var load = LoadPlan(target: target, mix: [LoadPlan.Share(.sessions)])
        load.name = name
        load.transport = transport
        load.sessions = sessions
        load.connections = max(1, sessions / 2)
        load.depth = transport == .http1 ? 1 : 2
        load.rate = rate
        load.calls = calls
        load.seconds = seconds
        load.warmUp = 0
        load.timeout = timeout
        load.callsPerSession = 300
        load.trust = .anyone
        load.seed = seed
        load.arguments = arguments
        if let tool { load.tool = tool }
        guard command == nil else { return load }
        // A tool that is not declared read-only: no call of it may be executed twice.
        if tool == nil { load.tool = "record" }
        load.eventsPerSecond = Self.eventsPerSecond
        load.mix = [
            LoadPlan.Share(.sessions, weight: 1 - Self.listening - Self.fresh),
            LoadPlan.Share(.fanin, weight: Self.listening), LoadPlan.Share(.churn, weight: Self.fresh),
        ]
        // Event streams make no calls, and so do not use their part of the rate.
        load.rate = rate.map { $0 / (1 - Self.listening) }
        return load
    }
}
