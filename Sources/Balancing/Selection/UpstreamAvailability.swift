/// Which servers of an upstream may get new work, all of them looked at together: a server that is kept out alone may be
/// better than none.
package struct UpstreamAvailability: Sendable {
    /// Which servers are eligible.
    package enum Mode: Equatable, Sendable {
        /// Those against which nothing stands.
        case eligible
        /// There would be none: ejected ones as well, which their checks find healthy.
        case ejectedToo
        /// The panic threshold applies: all that the operator does not drain.
        case panic
    }

    /// Primary servers that do not drain.
    private var primaries = 0
    /// Servers against which nothing stands. Backups count: they take over.
    private var available = 0

    /// Nothing was looked at yet.
    package init() {}

    /// Counts one of the upstream's servers.
    package mutating func note(_ condition: ServerCondition, isBackup: Bool) {
        if !isBackup, !condition.isDraining { primaries += 1 }
        if condition.isEligible { available += 1 }
    }

    /// What follows from the servers that were counted. As in Envoy, panic is judged by the share of servers that are
    /// neither unhealthy nor ejected, and then the load is spread over all: the few that are left would not bear it.
    ///
    /// - Parameter panicThreshold: The percentage below which panic begins; 0: never.
    package func mode(panicThreshold: Int) -> Mode {
        if PanicThreshold.applies(available: available, total: primaries, thresholdPercent: panicThreshold) {
            return .panic
        }
        return available == 0 ? .ejectedToo : .eligible
    }
}

extension ServerCondition {
    /// Whether unpinned work may go there in a mode of its upstream.
    package func isEligible(_ mode: UpstreamAvailability.Mode) -> Bool {
        switch mode {
        case .eligible: isEligible
        case .ejectedToo: isHealthy && !isDraining
        case .panic: !isDraining
        }
    }
}
