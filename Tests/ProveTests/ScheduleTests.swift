import Testing

@testable import Prove

@Suite("Schedule of a trial")
struct ScheduleTests {
    private func steps(_ schedule: ProveSchedule, _ count: Int) -> [ProveSchedule.Step] {
        var schedule = schedule
        return (0..<count).compactMap { _ in schedule.next() }
    }

    @Test("the same seed gives the same schedule, another seed another", arguments: [1, 7, 20_261_126] as [UInt64])
    func seeds(_ seed: UInt64) {
        let first = steps(ProveSchedule(seed: seed, servers: 3), 500)
        #expect(first.count == 500)
        #expect(first == steps(ProveSchedule(seed: seed, servers: 3), 500))
        #expect(first != steps(ProveSchedule(seed: seed + 1, servers: 3), 500))
    }

    @Test("it begins as it always has")
    func fixed() {
        let first = steps(ProveSchedule(seed: 1, servers: 3), 4)
        #expect(first.map(\.disturbance) == [.drain(2), .upgrade(workers: 2), .undrain(2), .rotateKey])
    }

    @Test("servers are disturbed one at a time, and each is whole again", arguments: 1...40 as ClosedRange<UInt64>)
    func oneAtATime(_ seed: UInt64) {
        var down: Int?
        var draining: Int?
        for step in steps(ProveSchedule(seed: seed, servers: 3), 400) {
            switch step.disturbance {
            case .kill(let server), .stop(let server), .terminate(let server):
                #expect(down == nil && (draining == nil || draining == server))
                down = server
            case .start(let server), .resume(let server):
                #expect(down == server)
                down = nil
            case .drain(let server):
                #expect(down == nil && draining == nil)
                draining = server
            case .undrain(let server):
                #expect(down == nil && draining == server)
                draining = nil
            case .reload, .rotateKey, .rotateCertificate, .upgrade: break
            }
        }
    }

    @Test("times never decrease, and something happens every few seconds", arguments: 1...20 as ClosedRange<UInt64>)
    func times(_ seed: UInt64) {
        let steps = steps(ProveSchedule(seed: seed, servers: 2), 300)
        for (step, next) in zip(steps, steps.dropFirst()) {
            #expect(step.at <= next.at)
            #expect(next.at - step.at <= 5)
        }
        let pairs = zip(steps, self.steps(ProveSchedule(seed: seed, servers: 2, pace: 0.1), 300))
        #expect(pairs.allSatisfy { $0.disturbance == $1.disturbance && abs($0.at - $1.at * 10) < 0.001 })
    }

    @Test("every kind occurs, and each second reload changes something")
    func kinds() {
        let all = steps(ProveSchedule(seed: 3, servers: 3), 600).map(\.disturbance)
        #expect(Set(all.compactMap(\.kind)) == Set(Disturbance.Kind.allCases))
        let changes = all.compactMap { if case .reload(let changes) = $0 { changes } else { nil } }
        #expect(changes.enumerated().allSatisfy { $1 == !$0.isMultiple(of: 2) })
    }

    @Test("a single server is left alone")
    func single() {
        #expect(steps(ProveSchedule(seed: 5, servers: 1), 100).allSatisfy { $0.disturbance.server == nil })
    }

    @Test("of the kinds that are asked for, and of nothing else", arguments: Disturbance.Kind.allCases)
    func only(_ kind: Disturbance.Kind) {
        let found = steps(ProveSchedule(seed: 9, servers: 3, only: [kind]), 60).map(\.disturbance)
        #expect(found.count == 60)
        #expect(Set(found.compactMap(\.kind)) == [kind])
    }
}
