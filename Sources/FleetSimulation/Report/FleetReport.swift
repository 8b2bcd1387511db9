/// All figures of a simulation.
package struct FleetReport: Equatable, Sendable, Codable {
    /// How a policy spreads sessions over servers, without anything happening.
    package struct Balance: Equatable, Sendable, Codable {
        /// The policy.
        package var policy: PlacementPolicy
        /// Sessions of each server, when all were opened.
        package var filled: LoadSpread
        /// The same after a life of a session, in which as many ended as began.
        package var settled: LoadSpread
    }

    /// What was simulated.
    package var plan: FleetPlan
    /// A row for each policy.
    package var balances: [Balance] = []
    /// A row for each scenario and scheme.
    package var scenarios: [ScenarioResult] = []
    /// What a server that is added gets.
    package var newcomers: [NewcomerResult] = []
    /// How recoveries go.
    package var storms: [StormResult] = []
    /// What is kept in memory.
    package var memory: [RoutingMemory] = []

    /// Simulates everything. `progress` is told what was done.
    package init(_ plan: FleetPlan, progress: (String) -> Void = { _ in }) {
        self.plan = plan
        memory = Scheme.allCases.map { RoutingMemory($0, plan) }
        for policy in PlacementPolicy.allCases {
            var fleet = Fleet(plan, policy)
            let filled = fleet.spread
            fleet.pass(lifetimes: 1)
            balances.append(Balance(policy: policy, filled: filled, settled: fleet.spread))
            progress("\(policy.rawValue): \(plan.sessions) sessions placed, and as many again")
            addScenarios(fleet)
            if policy == .roundRobin { addStorms(fleet) }
            if !policy.isHashing { addNewcomers(fleet) }
            progress("\(policy.rawValue): scenarios done")
        }
    }

    private mutating func addScenarios(_ fleet: Fleet) {
        for scheme in Scheme.allCases where scheme.policy == fleet.policy {
            for scenario in Scenario.all(plan) {
                scenarios.append(Upheaval.result(of: scenario, fleet, scheme))
            }
        }
    }

    private mutating func addNewcomers(_ fleet: Fleet) {
        for slowStart in [0, plan.slowStartSeconds] {
            newcomers.append(NewcomerResult.trial(fleet, slowStart: slowStart))
        }
    }

    /// Storms of each size, without streams that break at once and with them, and with servers that are five times slower.
    private mutating func addStorms(_ fleet: Fleet) {
        for (name, interval) in [("one server", plan.servers), ("a tenth", 10), ("a third", 3)] {
            var upheaval = Upheaval(fleet, .signed)
            upheaval.take(.failServers(oneIn: interval))
            let sessions = upheaval.recoverable
            for (share, slowness) in [(0, 1), (plan.streamShare, 1), (plan.streamShare, 5.0)] {
                var streaming = upheaval.fleet
                streaming.plan.streamShare = share
                streaming.plan.openSeconds *= slowness
                var result = RecoveryStorm(streaming, sessions).run()
                result.scenario = name
                storms.append(result)
            }
        }
    }
}
