/// What is simulated: the size of the fleet, and how sessions behave. All times are in seconds.
package struct FleetPlan: Equatable, Sendable, Codable {
    /// Berths, each of which places sessions without a word to the others: 1 to 1,000.
    package var berths = 100
    /// Servers at the start: 3 to 32,767.
    package var servers = 10_000
    /// Sessions that are open at any time: 1 to 100,000,000.
    package var sessions = 10_000_000
    /// The same seed gives the same figures.
    package var seed: UInt64 = 1
    /// Mean life of a session. Lives are exponential: how old a session is says nothing about when it ends.
    package var sessionSeconds = 1_800.0
    /// A session makes a call once in this time.
    package var callSeconds = 30.0
    /// Share of sessions with a call under way at any time: what the policies that compare calls see.
    package var busyShare = 0.1
    /// Share of sessions with an open event stream, whose clients open it anew as soon as it breaks.
    package var streamShare = 0.5
    /// Share of sessions that may hold state: with `on_lost = "clean"` they are not recovered.
    package var statefulShare = 0.8
    /// Sessions for one client address in the mean; addresses are not alike, see `ClientAddresses`.
    package var sessionsPerAddress = 10
    /// How long servers drain before they are removed, in lives of a session.
    package var drainLifetimes = 3.0
    /// `health_check.slow_start` of the trials that have one.
    package var slowStartSeconds = 30.0
    /// What a server needs to open a session.
    package var openSeconds = 0.02
    /// Sessions that a server opens at a time.
    package var opensAtOnce = 1
    /// `pool.max`: connections for calls from one Berth to one server.
    package var poolMaximum = 128
    /// A Berth has no more recoveries under way than servers do in time, as in the proxy.
    package var limitsRecoveries = true
    /// The time that a recovery may take, as in the proxy.
    package var recoverySeconds = 8.0

    /// A fleet of the full size.
    package init() {}

    /// What cannot be simulated; empty: all is well.
    package var problems: [String] {
        var found: [String] = []
        func check(_ isGood: Bool, _ what: String) { if !isGood { found.append(what) } }
        check((1...1_000).contains(berths), "berths must be 1 to 1,000")
        check((3...32_767).contains(servers), "servers must be 3 to 32,767")
        check((1...100_000_000).contains(sessions), "sessions must be 1 to 100,000,000")
        let times = [sessionSeconds, callSeconds, slowStartSeconds, openSeconds, recoverySeconds]
        check(times.allSatisfy { $0 > 0 && $0 <= 1e7 }, "times must be above 0 and at most 10,000,000 seconds")
        let shares = [busyShare, streamShare, statefulShare]
        check(shares.allSatisfy { $0 >= 0 && $0 <= 1 }, "shares must be 0 to 1")
        check((1...1_000_000).contains(sessionsPerAddress), "sessions an address must be 1 to 1,000,000")
        check(drainLifetimes >= 0 && drainLifetimes <= 20, "the drain must be 0 to 20 lives of a session")
        check((1...1_000).contains(opensAtOnce), "sessions opened at once must be 1 to 1,000")
        check((1...30_000).contains(poolMaximum), "pool.max must be 1 to 30,000")
        return found
    }

    /// Seconds from one new session to the next, over the fleet, while as many end as begin.
    var secondsPerArrival: Double { sessionSeconds / Double(sessions) }
}
