import Kernel
import Simulation
import Testing

@testable import Proxy

/// Traffic on one worker, in which any call to the kernel can be made to fail.
protocol FaultScene {
    var stage: ProxyStage { get }
    /// Everybody has an answer, ours or the server's, or a connection that has ended.
    var isAnswered: Bool { get }
    /// What came is right as far as it goes.
    var isRight: Bool { get }
    /// Everybody has the server's answer, whole.
    var isPerfect: Bool { get }

    /// Clients come and ask.
    func begin()
    /// All clients leave.
    func leave()
}

/// A fault that is put at every call of a scene in turn.
struct FaultInjection {
    enum Duration { case once, forever }

    /// Whether only the call itself fails, or all calls that follow as well.
    let duration: Duration
    /// Names the scene in what a failed test says.
    let seed: UInt64
    /// How many runs it takes to fail every call: fewer, and the scene is poor; more, and it does not end.
    let runs: ClosedRange<Int>

    /// Runs the scene again and again with its first, second, third ... call failing, until one run ends before its fault
    /// comes about.
    func failEveryCall(of makeScene: () -> some FaultScene) {
        for number in 1...runs.upperBound where run(makeScene(), failing: number) == .notReached {
            #expect(number >= runs.lowerBound, "so many calls at least, or the scene is poor")
            return
        }
        Issue.record("the run never ended without reaching the fault")
    }

    private enum Fault { case reached, notReached }

    private func run(_ scene: some FaultScene, failing number: Int) -> Fault {
        let stage = scene.stage
        stage.start()
        scene.begin()
        stage.network.failOperation(number, forever: duration == .forever)
        stage.run(within: .seconds(400)) { scene.isAnswered }
        let wasReached = stage.network.faultWasReached
        let place = "call \(number) \(duration == .forever ? "and on" : "once")"
        let note = Comment(rawValue: "\(place), seed \(seed)")
        #expect(scene.isAnswered || duration == .forever, note)
        #expect(scene.isRight, note)
        if !wasReached { #expect(scene.isPerfect, note) }
        // Who was never accepted leaves as well.
        stage.network.failOperation(0)
        scene.leave()
        stage.expectNoLeaks(place)
        return wasReached ? .reached : .notReached
    }
}
