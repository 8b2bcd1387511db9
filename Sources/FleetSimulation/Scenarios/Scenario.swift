/// What happens to a fleet.
package struct Scenario: Equatable, Sendable {
    /// One thing that happens.
    package enum Step: Equatable, Sendable {
        /// So many servers are added.
        case addServers(Int)
        /// So many servers get no new sessions for the time of the plan, and are removed then.
        case drainServers(Int)
        /// So many servers are removed at once.
        case removeServers(Int)
        /// One server in so many fails.
        case failServers(oneIn: Int)
        /// So many Berths are gone; their clients come to the others.
        case loseBerths(Int)
        /// The clients of all Berths open their connections anew, each to any of them.
        case reconnectClients
    }

    /// What the report calls it.
    package let name: String
    /// In this order.
    package let steps: [Step]

    /// Something that happens to a fleet.
    package init(_ name: String, _ steps: [Step]) {
        self.name = name
        self.steps = steps
    }

    /// What a report tells of.
    package static func all(_ plan: FleetPlan) -> [Scenario] {
        let tenth = max(1, plan.servers / 10)
        let berths = max(1, plan.berths / 10)
        return [
            Scenario("one server more", [.addServers(1)]),
            Scenario("10 % more servers", [.addServers(tenth)]),
            Scenario("twice the servers", [.addServers(plan.servers)]),
            Scenario("10 % drained", [.drainServers(tenth)]),
            Scenario("10 % removed at once", [.removeServers(tenth)]),
            Scenario("one server fails", [.failServers(oneIn: plan.servers)]),
            Scenario("a tenth fails", [.failServers(oneIn: 10)]),
            Scenario("a zone of a third fails", [.failServers(oneIn: 3)]),
            Scenario("one Berth lost", [.loseBerths(1)]),
            Scenario("10 % of Berths lost", [.loseBerths(berths)]),
            Scenario("all clients reconnect", [.reconnectClients]),
            Scenario("10 % of Berths, then a tenth", [.loseBerths(berths), .failServers(oneIn: 10)]),
            Scenario("reconnect, then a tenth", [.reconnectClients, .failServers(oneIn: 10)]),
        ]
    }
}
