import Kernel
import Simulation
import Telemetry
import Testing

@testable import Proxy

@Suite("Any call to the kernel may fail")
struct InjectionTests {
    /// False when the run ended before the fault came about.
    private func run(seed: UInt64, number: Int, forever: Bool, _ conditions: Conditions) -> Bool {
        let scene = MixedScene(seed: seed, conditions)
        let stage = scene.stage
        stage.start()
        scene.begin()
        stage.network.failOperation(number, forever: forever)
        stage.run(within: .seconds(400)) { scene.isAnswered }
        let wasReached = stage.network.faultWasReached
        let note = Comment(rawValue: "call \(number) \(forever ? "and on" : "once"), seed \(seed)")
        #expect(scene.isAnswered || forever, note)
        #expect(scene.isRight, note)
        if !wasReached { #expect(scene.isPerfect, note) }
        // Who was never accepted leaves as well.
        stage.network.failOperation(0)
        scene.leave()
        stage.expectNoLeaks("call \(number) \(forever ? "and on" : "once")")
        return wasReached
    }

    private func conditions(_ seed: UInt64) -> Conditions { seed % 2 == 0 ? .calm : .varied }

    @Test("once, for every call in turn: everybody gets an answer or an end", arguments: [1, 2, 3, 4])
    func once(seed: UInt64) {
        for number in 1...3000 where !run(seed: seed, number: number, forever: false, conditions(seed)) {
            #expect(number > 60, "so many calls at least, or the scene is poor")
            return
        }
        Issue.record("the run never ended without reaching the fault")
    }

    @Test("from some call on for ever: nothing leaks, nothing spins", arguments: [5, 6])
    func forever(seed: UInt64) {
        for number in 1...3000 where !run(seed: seed, number: number, forever: true, conditions(seed)) {
            #expect(number > 60)
            return
        }
        Issue.record("the run never ended without reaching the fault")
    }
}
