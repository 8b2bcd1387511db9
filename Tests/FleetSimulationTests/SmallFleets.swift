@testable import FleetSimulation

/// Fleets that are simulated in a moment.
enum SmallFleets {
    /// 5 Berths, 50 servers, 10,000 sessions.
    static var plan: FleetPlan {
        var plan = FleetPlan()
        plan.berths = 5
        plan.servers = 50
        plan.sessions = 10_000
        plan.drainLifetimes = 1
        return plan
    }

    /// What a scenario of one step does to a fleet whose sessions have been placed.
    static func result(_ scheme: Scheme, _ steps: Scenario.Step..., plan: FleetPlan = plan) -> ScenarioResult {
        Upheaval.result(of: Scenario("test", steps), Fleet(plan, scheme.policy), scheme)
    }
}
