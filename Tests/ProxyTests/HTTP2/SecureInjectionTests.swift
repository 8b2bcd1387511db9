import Simulation
import Testing

/// `InjectionTests` for TLS with clients, TLS with servers, and HTTP/2.
@Suite("Any call to the kernel may fail, in TLS and HTTP/2 as well")
struct SecureInjectionTests {
    private func inject(_ duration: FaultInjection.Duration, seed: UInt64) {
        FaultInjection(duration: duration, seed: seed, runs: 101...9000).failEveryCall {
            SecureScene(seed: seed, seed % 3 == 0 ? .varied : .calm)
        }
    }

    @Test("once, for every call in turn: everybody gets an answer or an end", arguments: [1, 2, 3])
    func once(seed: UInt64) { inject(.once, seed: seed) }

    @Test("from some call on for ever: nothing leaks, nothing spins", arguments: [4, 5, 6])
    func forever(seed: UInt64) { inject(.forever, seed: seed) }
}
