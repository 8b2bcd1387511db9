import Testing

@testable import FleetSimulation

@Suite("Recoveries after a failure")
struct RecoveryStormTests {
    private func storm(oneIn interval: Int, _ change: (inout FleetPlan) -> Void = { _ in }) -> StormResult {
        var plan = SmallFleets.plan
        change(&plan)
        var upheaval = Upheaval(Fleet(plan, .roundRobin), .signed)
        upheaval.take(.failServers(oneIn: interval))
        return RecoveryStorm(upheaval.fleet, upheaval.recoverable).run()
    }

    @Test("all sessions of failed servers are recovered, evenly")
    func recovered() {
        let result = storm(oneIn: 10)
        #expect(abs(result.sessions - 1_000) <= 5 * 5)
        #expect(result.recovered == result.sessions)
        #expect(result.timedOut == 0)
        #expect(result.refused == 0)
        // Half of them have a stream and come in one second: 500 over 45 servers, by 5 Berths that take turns.
        #expect((450...600).contains(result.peakPerSecond))
        #expect((11...20).contains(result.peakPerServer))
        #expect(result.secondsTo99 > 1)
        #expect(result.secondsTo99 < SmallFleets.plan.callSeconds + 2)
    }

    @Test("without streams they come over the time between two calls")
    func withoutStreams() {
        let result = storm(oneIn: 10) { $0.streamShare = 0 }
        #expect(result.recovered == result.sessions)
        #expect(result.peakPerSecond < 80)
    }

    @Test("where a second is not enough for what is asked in it, recoveries time out, and are tried again in vain")
    func slow() {
        let result = storm(oneIn: 3) {
            $0.openSeconds = 1
            $0.limitsRecoveries = false
        }
        #expect(abs(result.sessions - 3_400) <= 17 * 5)
        #expect(result.timedOut > result.sessions)
        #expect(result.longestSeconds == SmallFleets.plan.recoverySeconds)
        #expect(result.recovered < result.sessions / 2)
        #expect(result.secondsTo99 == 0)
    }

    @Test("servers that do more than they can are of no use to anybody; a bound on connections keeps them useful")
    func collapse() {
        let unbounded = storm(oneIn: 3) {
            $0.openSeconds = 0.3
            $0.limitsRecoveries = false
        }
        let bounded = storm(oneIn: 3) {
            $0.openSeconds = 0.3
            $0.poolMaximum = 5
            $0.limitsRecoveries = false
        }
        let limited = storm(oneIn: 3) { $0.openSeconds = 0.3 }
        #expect(limited.recovered == limited.sessions)
        #expect(limited.timedOut < unbounded.timedOut / 2)
        #expect(unbounded.timedOut > bounded.timedOut)
        #expect(bounded.recovered == bounded.sessions)
        #expect(bounded.timedOut == 0)
    }

    @Test("no Berth has more connections to a server than it may; what does not fit is refused and comes again")
    func pools() {
        let result = storm(oneIn: 3) {
            $0.poolMaximum = 2
            $0.openSeconds = 0.5
        }
        #expect(result.mostConnections == 2)
        #expect(result.refused > 0)
        #expect(result.recovered == result.sessions)
    }
}
