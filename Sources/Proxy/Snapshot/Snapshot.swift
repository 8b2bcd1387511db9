package import Kernel

/// The immutable run-time form of a configuration: what every worker reads and nobody changes.
package struct Snapshot: Sendable {
    package var listeners: [ListenerPlan] = []
    package var routes: [RoutePlan] = []
    package var upstreams: [UpstreamPlan] = []
    package var endpoints: [EndpointPlan] = []
    /// Newest first: the first seals, all open.
    package var keys: [SealingKey] = []
    /// Learned ids, if any upstream learns.
    package var learned: LearnedSessions?
    package var drainTimeout = Interval.seconds(300)

    package init() {}
}
