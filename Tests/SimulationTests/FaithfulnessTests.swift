import Kernel
import Simulation
import Testing

@Suite("Simulated kernel beside a real one")
struct FaithfulnessTests {
    @Test("Linux does what the scene says", arguments: Scene.allCases)
    func real(scene: Scene) throws {
        let far = try RealFarSide()
        var stage = Stage(try Linux(), far, expecting: scene.outcome)

        let log = stage.play(scene)

        #expect(log == scene.outcome)
    }

    @Test("the simulated kernel does the same", arguments: Scene.allCases)
    func simulated(scene: Scene) {
        let network = SimulatedNetwork(seed: 1, conditions: .calm)
        let far = SimulatedFarSide(network)
        var stage = Stage(SimulatedWorld(network), far, expecting: scene.outcome)

        let log = stage.play(scene)

        #expect(log == scene.outcome)
        #expect(network.violations == [])
    }
}
