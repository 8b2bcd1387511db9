import Balancing

/// The selectors of one upstream: the policy's own, and for session-hash a turn-taking one for requests that open no
/// session.
struct UpstreamSelection {
    private var selector: Selector
    private var plain: Selector

    init(_ plan: UpstreamPlan) {
        selector = Selector(policy: plan.policy, count: plan.servers.count)
        plain = Selector(policy: .roundRobin, count: plan.servers.count)
    }

    /// The position of the endpoint to use among `candidates`; nil if none is available.
    mutating func select(
        from candidates: Span<Candidate>, key: UInt64, random: UInt64, excluding: Int, plainly: Bool
    ) -> Int? {
        if plainly { return plain.select(from: candidates, key: 0, random: 0, excluding: excluding) }
        return selector.select(from: candidates, key: key, random: random, excluding: excluding)
    }
}
