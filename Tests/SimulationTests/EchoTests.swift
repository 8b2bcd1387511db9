import Kernel
import Simulation
import TestSupport
import Testing

@Suite("Simulated world under an echo worker")
struct EchoTests {
    private static let address = SocketAddress.loopback(port: 8080)

    /// The result of one run.
    struct Outcome {
        var isComplete = false
        var isFair = false
        var digest: UInt64 = 0
        var trace = ""
        var violations: [String] = []
        var left = 0
        var faultWasReached = false
    }

    /// Five clients send up to 3000 bytes each, in pieces, and finish.
    private func run(
        seed: UInt64, _ conditions: Conditions, defect: EchoWorker<SimulatedWorld>.Defect = .none, fault: Int = 0,
        forever: Bool = false
    ) -> Outcome {
        var generator = SeededGenerator(seed: seed ^ 0xec40)
        let network = SimulatedNetwork(seed: seed, conditions: conditions)
        let listener = network.listen(on: EchoTests.address)
        let messages = (0..<5).map { _ in generator.bytes(Int.random(in: 1...3000, using: &generator)) }
        let clients = messages.map { message in
            let client = network.connect(to: EchoTests.address)
            let cut = Int.random(in: 0...message.count, using: &generator)
            client.perform(
                .send(Array(message[..<cut])), .pause(.milliseconds(generator.next() % 5)),
                .send(Array(message[cut...])), .finish)
            return client
        }
        network.failOperation(fault, forever: forever)
        var outcome = Outcome()
        do {
            var worker = EchoWorker(SimulatedWorld(network), listener: listener, defect: defect)
            for _ in 0..<20_000 {
                worker.turn()
                if clients.allSatisfy(\.isDone) && worker.count == 0 { break }
                if network.elapsed > .seconds(200) { break }
            }
            outcome.left = network.openDescriptors
        }
        outcome.isComplete = clients.allSatisfy(\.isDone)
        outcome.isFair = zip(clients, messages).allSatisfy { $0.received == $1 && $0.hasEnded && $0.failure == nil }
        outcome.digest = network.digest
        outcome.trace = network.traceText
        outcome.violations = network.violations
        outcome.faultWasReached = network.faultWasReached
        return outcome
    }

    @Test("every byte is echoed under any conditions", arguments: 1...60)
    func echoes(seed: UInt64) {
        for conditions in [Conditions.varied, .cramped, .calm] {
            let outcome = run(seed: seed, conditions)

            #expect(outcome.isFair, "seed \(seed)\n\(outcome.trace.suffix(2000))")
            #expect(outcome.violations == [])
            #expect(outcome.left == 1, "only the listener stays open")
        }
    }

    @Test("the same seed gives the same run, another seed another run")
    func repeats() {
        let first = run(seed: 7, .varied)
        let second = run(seed: 7, .varied)

        #expect(first.digest == second.digest)
        #expect(first.trace == second.trace)
        #expect(run(seed: 8, .varied).digest != first.digest)
    }

    @Test("what else the process has open is not in the run: the kernel's own descriptors have no number")
    func outsideDescriptors() {
        let digests = ([5, 77] as [CInt]).map { raw -> UInt64 in
            let network = SimulatedNetwork(seed: 1, conditions: .varied)
            var world = SimulatedWorld(network)
            _ = world.watch(Descriptor(raw), token: 1)
            world.unwatch(Descriptor(raw))
            return network.digest
        }
        #expect(digests[0] == digests[1])
    }

    @Test("a worker that violates a rule of edge triggering stalls", arguments: 1...10)
    func catchesDefects(seed: UInt64) {
        #expect(!run(seed: seed, .calm, defect: .readsOnce).isFair)
        #expect(!run(seed: seed, .calm, defect: .forgetsToReadAfterFlush).isFair)
        var few = Conditions.calm
        few.descriptorLimit = 2
        #expect(run(seed: seed, few).isFair)
        #expect(!run(seed: seed, few, defect: .stopsAcceptingWhenExhausted).isFair)
    }

    @Test("if any single call fails, no client hangs and nothing leaks", arguments: [1, 2, 3])
    func failsOnce(seed: UInt64) {
        for number in 1... {
            let outcome = run(seed: seed, .varied, fault: number)
            #expect(outcome.isComplete, "call \(number), seed \(seed)")
            #expect(outcome.left == 1, "call \(number), seed \(seed)")
            #expect(outcome.violations == [])
            if !outcome.faultWasReached {
                #expect(number > 20)
                #expect(outcome.isFair)
                break
            }
        }
    }

    @Test("if all calls fail from some point on, nothing leaks")
    func failsForEver() {
        for number in stride(from: 1, to: 2000, by: 13) {
            let outcome = run(seed: 5, .calm, fault: number, forever: true)
            #expect(outcome.violations == [])
            #expect(outcome.left <= 1)
            if !outcome.faultWasReached { return }
        }
        Issue.record("the fault was reached for ever")
    }
}
