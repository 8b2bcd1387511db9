import Testing

@testable import FleetSimulation

@Suite("What becomes of sessions")
struct ScenarioTests {
    private let sessions = SmallFleets.plan.sessions

    // MARK: - Servers that come

    @Test(
        "no session moves when servers are added, where the id or a table says whose it is",
        arguments: [Scheme.signed, .learned], [1, 5, 50])
    func addedKept(_ scheme: Scheme, _ added: Int) {
        let result = SmallFleets.result(scheme, .addServers(added))
        #expect(result.moved == 0)
        #expect(result.lost == 0)
    }

    @Test("a ring gives a new server its share of the sessions, and moves no others", arguments: [1, 5, 50])
    func addedRing(_ added: Int) {
        let result = SmallFleets.result(.ring, .addServers(added))
        let share = Double(added) / Double(50 + added)
        #expect(Double(result.moved) > 0.6 * share * Double(sessions))
        #expect(Double(result.moved) < 1.5 * share * Double(sessions))
        #expect(result.lost == result.moved)
    }

    @Test("a Maglev table moves that share and a little more", arguments: [1, 5])
    func addedMaglev(_ added: Int) {
        let result = SmallFleets.result(.maglev, .addServers(added))
        let share = Double(added) / Double(50 + added)
        #expect(Double(result.moved) > 0.9 * share * Double(sessions))
        #expect(Double(result.moved) < 3 * share * Double(sessions))
    }

    // MARK: - Servers that go

    @Test("what drains loses nothing but what is left when it is removed")
    func drained() {
        let result = SmallFleets.result(.signed, .drainServers(5))
        let own = Double(sessions) / 10
        #expect(result.moved == 0)
        // One life of a session: 1/e of them are left.
        #expect(Double(result.leftAfterDrain) > 0.25 * own)
        #expect(Double(result.leftAfterDrain) < 0.5 * own)
        #expect(result.orphaned == result.leftAfterDrain)
        #expect(result.recovered == result.orphaned)
        #expect(result.lost == 0)
    }

    @Test("where a hash decides there is no draining: the sessions go at once", arguments: [Scheme.ring, .maglev])
    func drainedHash(_ scheme: Scheme) {
        let result = SmallFleets.result(scheme, .drainServers(5))
        #expect(Double(result.moved) > 0.05 * Double(sessions))
        #expect(result.leftAfterDrain == 0)
        #expect(result.lost == result.moved)
    }

    @Test("the sessions of failed servers are lost, except to Berth", arguments: Scheme.allCases)
    func failed(_ scheme: Scheme) {
        let result = SmallFleets.result(scheme, .failServers(oneIn: 10))
        #expect(result.orphaned > 0)
        switch scheme {
        case .signed:
            // Turns of 5 Berths: the servers' shares differ by as much at most.
            #expect(abs(result.orphaned - sessions / 10) <= 5 * 5)
            #expect(result.recovered == result.orphaned)
            #expect(result.lost == 0)
            // Four of five may hold state.
            #expect(Double(result.lostClean) > 0.7 * Double(result.orphaned))
            #expect(Double(result.lostClean) < 0.9 * Double(result.orphaned))
        case .learned:
            #expect(result.lost == result.orphaned)
        case .ring, .addressHash:
            // A ring gives up the keys of a server that fails, and no others.
            #expect(result.moved == 0)
            #expect(result.lost == result.orphaned)
        case .maglev:
            #expect(result.moved > 0)
            #expect(result.moved < sessions / 4)
        }
    }

    @Test("removing servers takes their sessions", arguments: Scheme.allCases)
    func removed(_ scheme: Scheme) {
        let result = SmallFleets.result(scheme, .removeServers(5))
        #expect(result.orphaned > 0)
        if !scheme.isHashing { #expect(result.moved == 0) }
        #expect(result.spread.maximum >= 1)
    }

    // MARK: - Berths

    @Test("a Berth that is lost takes its learned table with it, and nothing else", arguments: Scheme.allCases)
    func berthLost(_ scheme: Scheme) {
        let result = SmallFleets.result(scheme, .loseBerths(1))
        #expect(result.orphaned == 0)
        #expect(result.moved == 0)
        if scheme == .learned {
            #expect(Double(result.forgotten) > 0.18 * Double(sessions))
            #expect(Double(result.forgotten) < 0.22 * Double(sessions))
        } else {
            #expect(result.lost == 0)
        }
    }

    @Test("clients that reconnect to any Berth find their sessions, except in learned tables")
    func reconnect() {
        #expect(SmallFleets.result(.signed, .reconnectClients).lost == 0)
        let learned = SmallFleets.result(.learned, .reconnectClients)
        #expect(Double(learned.lost) > 0.77 * Double(sessions))
        #expect(Double(learned.lost) < 0.83 * Double(sessions))
    }

    @Test("a session that comes through another Berth than the one that opened it is not recovered")
    func recoveryElsewhere() {
        let result = SmallFleets.result(.signed, .reconnectClients, .failServers(oneIn: 10))
        #expect(abs(result.orphaned - sessions / 10) <= 5 * 5)
        #expect(Double(result.lost) > 0.7 * Double(result.orphaned))
        #expect(Double(result.lost) < 0.9 * Double(result.orphaned))
    }

    // MARK: - All of them

    @Test("the sums are those of the sessions", arguments: Scheme.allCases)
    func sums(_ scheme: Scheme) {
        let fleet = Fleet(SmallFleets.plan, scheme.policy)
        for scenario in Scenario.all(SmallFleets.plan) {
            let result = Upheaval.result(of: scenario, fleet, scheme)
            #expect(result.orphaned + result.moved + result.forgotten <= sessions)
            #expect(result.recovered <= result.orphaned)
            #expect(result.recoveredClean <= result.recovered)
            #expect(result.lost >= 0)
            let servers = Double(sessions) / result.spread.mean
            #expect(servers > 30 && servers < 101, "\(scenario.name): every session has a server afterwards")
        }
    }
}
