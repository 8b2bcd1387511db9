import Kernel
import Simulation
import Testing

@testable import Proxy

/// `InjectionTests` for TLS with clients, TLS with servers, and HTTP/2.
@Suite("Any call to the kernel may fail, in TLS and HTTP/2 as well")
struct SecureInjectionTests {
    /// False when the run ended before the fault came about.
    private func run(seed: UInt64, number: Int, forever: Bool) -> Bool {
        let scene = SecureScene(seed: seed, seed % 3 == 0 ? .varied : .calm)
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

    @Test("once, for every call in turn: everybody gets an answer or an end", arguments: [1, 2, 3])
    func once(seed: UInt64) {
        for number in 1...9000 where !run(seed: seed, number: number, forever: false) {
            #expect(number > 100, "so many calls at least, or the scene is poor")
            return
        }
        Issue.record("the run never ended without reaching the fault")
    }

    @Test("from some call on for ever: nothing leaks, nothing spins", arguments: [4, 5, 6])
    func forever(seed: UInt64) {
        for number in 1...9000 where !run(seed: seed, number: number, forever: true) {
            #expect(number > 100)
            return
        }
        Issue.record("the run never ended without reaching the fault")
    }
}
