import Simulation
import Testing

@Suite("Any call to the kernel may fail")
struct InjectionTests {
    private func inject(_ duration: FaultInjection.Duration, seed: UInt64) {
        FaultInjection(duration: duration, seed: seed, runs: 61...3000).failEveryCall {
            MixedScene(seed: seed, seed % 2 == 0 ? .calm : .varied)
        }
    }

    @Test("once, for every call in turn: everybody gets an answer or an end", arguments: [1, 2, 3, 4])
    func once(seed: UInt64) { inject(.once, seed: seed) }

    @Test("from some call on for ever: nothing leaks, nothing spins", arguments: [5, 6])
    func forever(seed: UInt64) { inject(.forever, seed: seed) }
}
