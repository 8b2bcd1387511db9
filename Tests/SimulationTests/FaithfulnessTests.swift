import Kernel
import Simulation
import Testing

@Suite("Simulated kernel compared with Linux")
struct FaithfulnessTests {
    @Test("Linux has the expected outcome of each scene", arguments: Scene.allCases)
    func real(scene: Scene) throws {
        let remote = try RealRemotePeer()
        var stage = SceneRunner(try Linux(), remote, expecting: scene.outcome)

        let log = stage.play(scene)

        #expect(log == scene.outcome)
    }

    @Test("the simulated kernel has the same outcome", arguments: Scene.allCases)
    func simulated(scene: Scene) {
        let network = SimulatedNetwork(seed: 1, conditions: .calm)
        let remote = SimulatedRemotePeer(network)
        var stage = SceneRunner(SimulatedWorld(network), remote, expecting: scene.outcome)

        let log = stage.play(scene)

        #expect(log == scene.outcome)
        #expect(network.violations == [])
    }
}
