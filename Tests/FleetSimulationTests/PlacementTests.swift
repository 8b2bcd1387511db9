import Testing

@testable import FleetSimulation

@Suite("Where sessions are placed")
struct PlacementTests {
    @Test("all sessions are placed, and stay as many", arguments: PlacementPolicy.allCases)
    func counts(_ policy: PlacementPolicy) {
        var fleet = Fleet(SmallFleets.plan, policy)
        #expect(fleet.load.reduce(0) { $0 + Int($1) } == SmallFleets.plan.sessions)
        fleet.pass(lifetimes: 1)
        #expect(fleet.load.reduce(0) { $0 + Int($1) } == SmallFleets.plan.sessions)
        #expect(!fleet.load.contains { $0 < 0 })
        #expect(fleet.clock > SmallFleets.plan.sessionSeconds * 0.99)
    }

    @Test("round robin over several Berths differs by one a Berth at most")
    func roundRobin() {
        let spread = Fleet(SmallFleets.plan, .roundRobin).spread
        #expect(spread.mean == 200)
        #expect(spread.maximum <= 1 + 5.0 / 200)
        #expect(spread.minimum >= 1 - 5.0 / 200)
    }

    @Test("a ring spreads sessions less evenly than turns, and addresses less evenly than either")
    func order() {
        let turns = Fleet(SmallFleets.plan, .roundRobin).spread.maximum
        let ring = Fleet(SmallFleets.plan, .sessionHash).spread.maximum
        let addresses = Fleet(SmallFleets.plan, .addressHash).spread.maximum
        #expect(turns < ring)
        #expect(ring < addresses)
        #expect(ring < 2)
    }

    @Test("of a million addresses the first has 0.6 % of the sessions")
    func addresses() {
        let addresses = ClientAddresses(sessions: 10_000_000, each: 10)
        var random = RandomNumbers(seed: 3)
        var (first, inSixteenth) = (0, 0)
        for _ in 0..<100_000 {
            let rank = addresses.rank(random.unit())
            #expect((0..<addresses.count).contains(rank))
            if rank == 0 { first += 1 }
            if rank < addresses.count / 16 { inSixteenth += 1 }
        }
        #expect((500...750).contains(first))
        #expect((47_000...52_000).contains(inSixteenth))
        #expect(addresses.rank(0) == 0)
        #expect(addresses.rank(1) == addresses.count - 1)
    }

    @Test("servers that are excluded get nothing", arguments: PlacementPolicy.allCases)
    func excluded(_ policy: PlacementPolicy) {
        var fleet = Fleet(SmallFleets.plan, policy)
        fleet.placement.exclude([0, 7])
        fleet.forgetArrivals()
        fleet.pass(lifetimes: 1)
        #expect(fleet.arrivals[0] == 0)
        #expect(fleet.arrivals[7] == 0)
        #expect(fleet.arrivals.reduce(0) { $0 + Int($1) } == SmallFleets.plan.sessions)
    }

    @Test("plans that make no sense are refused")
    func problems() {
        #expect(FleetPlan().problems.isEmpty)
        var plan = FleetPlan()
        plan.servers = 2
        plan.busyShare = .nan
        plan.callSeconds = 0
        #expect(plan.problems.count == 3)
    }

    @Test("spread of counts")
    func spread() {
        let spread = LoadSpread([1, 3, 2, 2])
        #expect(spread.mean == 2)
        #expect(spread.maximum == 1.5)
        #expect(spread.p99 == 1.5)
        #expect(spread.minimum == 0.5)
        #expect(LoadSpread([]).mean == 0)
    }
}
