import Glibc
import Kernel
import Simulation
import Testing

@Suite("Simulated world: limits and misuse")
struct MisuseTests {
    private let address = SocketAddress.loopback(port: 80)

    @Test("each kind of misuse is recorded")
    func violations() {
        let network = SimulatedNetwork(seed: 1, conditions: .calm)
        let listener = network.listen(on: address)
        network.connect(to: address)
        let hand = WorldReference(network)
        let descriptor = hand.acceptNext(listener)
        #expect(hand.watch(descriptor, token: 1))
        #expect(network.violations == [])

        #expect(!hand.watch(descriptor, token: 2))
        #expect(network.violations.count == 1)
        _ = hand.receive(descriptor, 0)
        #expect(network.violations.count == 2)
        _ = hand.send(descriptor, "")
        #expect(network.violations.count == 3)
        _ = hand.event(5000)
        #expect(network.violations.count == 4)
        hand.close(descriptor)
        hand.close(descriptor)
        #expect(network.violations.count == 5)
        #expect(hand.receive(descriptor) == .failed(EBADF))
        #expect(network.violations.count == 6)
        _ = hand.accept(descriptor)
        #expect(network.violations.count == 7)
    }

    @Test("descriptor numbers are used again at once, the lowest first, or never", arguments: [true, false])
    func numbers(reuses: Bool) {
        var conditions = Conditions.calm
        conditions.reusesDescriptors = reuses
        let network = SimulatedNetwork(seed: 1, conditions: conditions)
        let listener = network.listen(on: address)
        for _ in 0..<4 { network.connect(to: address) }
        let hand = WorldReference(network)
        let three = (0..<3).map { _ in hand.acceptNext(listener) }
        hand.close(three[1])
        hand.close(three[0])

        let next = hand.acceptNext(listener)

        #expect(next.raw == (reuses ? three[0].raw : three[2].raw + 1))
    }

    @Test("a closed descriptor has no more events, except in a batch that was already returned")
    func staleEvents() {
        let network = SimulatedNetwork(seed: 1, conditions: .calm)
        let listener = network.listen(on: address)
        let clients = (0..<2).map { _ in network.connect(to: address) }
        let hand = WorldReference(network)
        let pair = (0..<2).map { _ in hand.acceptNext(listener) }
        for descriptor in pair { _ = hand.watch(descriptor, token: UInt64(descriptor.raw)) }
        for client in clients { client.perform(.text("x")) }
        network.advance(by: .milliseconds(5))
        #expect(hand.wait(0) == 2)
        hand.close(pair[0])
        let tokens = (0..<2).map { hand.event($0).token }
        #expect(Set(tokens) == Set(pair.map { UInt64($0.raw) }))

        for client in clients { client.perform(.text("y")) }
        network.advance(by: .milliseconds(5))

        #expect(hand.wait(0) == 1)
        #expect(hand.event(0).token == UInt64(pair[1].raw))
    }

    @Test(
        "with all descriptors in use accept and dial fail with EMFILE, and a waiting connection can be accepted later")
    func descriptorLimit() {
        var conditions = Conditions.calm
        conditions.descriptorLimit = 2
        let network = SimulatedNetwork(seed: 1, conditions: conditions)
        let listener = network.listen(on: address)
        for _ in 0..<2 { network.connect(to: address) }
        let hand = WorldReference(network)
        let first = hand.acceptNext(listener)

        guard case .exhausted(EMFILE) = hand.accept(listener) else {
            Issue.record("accepted beyond the limit")
            return
        }
        guard case .failed(EMFILE) = hand.dial(address) else {
            Issue.record("dialled beyond the limit")
            return
        }
        hand.close(first)
        #expect(hand.acceptNext(listener) == first)
    }

    @Test("a descriptor from outside the world can be watched and is ready only when rung")
    func outside() {
        let network = SimulatedNetwork(seed: 1)
        let hand = WorldReference(network)
        #expect(hand.watch(Descriptor(7), token: 70))

        #expect(hand.wait(1000) == 0)
        #expect(network.elapsed == .seconds(1))
        network.ring(Descriptor(7))
        #expect(hand.wait(1000) == 1)
        #expect(hand.event(0).token == 70)
        #expect(hand.event(0).readiness == Readiness(readable: true))
        #expect(hand.wait(0) == 0)
        #expect(network.violations == [])
    }

    @Test("a wait ends at its timeout or at the first event, and reports when none can come")
    func clock() {
        let network = SimulatedNetwork(seed: 1, conditions: .calm)
        let listener = network.listen(on: address)
        let hand = WorldReference(network)
        _ = hand.watch(listener, token: 1)
        network.after(.seconds(5)) { network.connect(to: address) }

        #expect(hand.wait(2000) == 0)
        #expect(network.elapsed == .seconds(2))
        #expect(hand.wait(-1) == 1)
        #expect(network.elapsed > .seconds(5))
        #expect(network.elapsed < .milliseconds(5001))
        #expect(!network.sleepsForEver)
        #expect(hand.wait(-1) == 0)
        #expect(network.sleepsForEver)
        #expect(hand.wallSeconds() == 1_780_000_005)
    }

    @Test("a buffer that a send fills exactly is reported writable later, if the poller saw it full")
    func exactlyFull() {
        var conditions = Conditions.calm
        conditions.sendBufferBytes = 100...100
        conditions.peerReceiveBufferBytes = 10...10
        let network = SimulatedNetwork(seed: 1, conditions: conditions)
        let listener = network.listen(on: address)
        let client = network.connect(to: address)
        client.perform(.read(.never))
        let hand = WorldReference(network)
        let descriptor = hand.acceptNext(listener)
        _ = hand.watch(descriptor, token: 1)
        _ = hand.wait(10)
        #expect(hand.send(descriptor, String(repeating: "x", count: 100)) == .moved(100))
        network.advance(by: .milliseconds(10))
        #expect(hand.send(descriptor, String(repeating: "x", count: 10)) == .moved(10))

        client.perform(.text("in"))
        #expect(hand.wait(1000) == 1)
        #expect(hand.event(0).readiness == Readiness(readable: true))
        client.perform(.read(.atOnce))

        #expect(hand.wait(1000) == 1)
        #expect(hand.event(0).readiness == Readiness(readable: true, writable: true))
    }

    @Test("a peer that vanishes sends nothing and accepts no more bytes")
    func vanishing() {
        let network = SimulatedNetwork(seed: 1, conditions: .calm)
        let listener = network.listen(on: address, tcp: TCPOptions(keepAlive: 0, userTimeout: 0))
        let client = network.connect(to: address)
        let hand = WorldReference(network)
        let descriptor = hand.acceptNext(listener)
        _ = hand.watch(descriptor, token: 1)
        client.perform(.vanish)
        _ = hand.wait(10)

        #expect(hand.send(descriptor, "hello") == .moved(5))
        #expect(hand.wait(900_000) == 0)
        #expect(hand.hasUnacknowledged(descriptor))
        #expect(hand.receive(descriptor) == .wouldBlock)
        #expect(hand.wait(100_000) == 1, "the kernel gives up")
        #expect(hand.receive(descriptor) == .failed(ETIMEDOUT))
        hand.close(descriptor)
        network.advance(by: .seconds(10))
        #expect(client.received == [])
        #expect(!client.hasEnded)
    }

    @Test("a vanished peer that nothing is sent to is never missed")
    func vanishingUnnoticed() {
        let network = SimulatedNetwork(seed: 1, conditions: .calm)
        let listener = network.listen(on: address, tcp: TCPOptions(keepAlive: 0, userTimeout: 0))
        let client = network.connect(to: address)
        let world = WorldReference(network)
        let descriptor = world.acceptNext(listener)
        _ = world.watch(descriptor, token: 1)
        _ = world.wait(10)
        client.perform(.text("hello"), .vanish)
        #expect(world.wait(3_600_000) == 0, "what it had just sent is lost with it")
        #expect(world.receive(descriptor) == .wouldBlock)
    }

    @Test("with keep-alive a vanished peer is noticed, whether something was sent to it or not")
    func vanishingNoticed() {
        for sends in [false, true] {
            let network = SimulatedNetwork(seed: 1, conditions: .calm)
            let listener = network.listen(on: address, tcp: TCPOptions(keepAlive: 30, userTimeout: 60_000))
            let client = network.connect(to: address)
            let world = WorldReference(network)
            let descriptor = world.acceptNext(listener)
            _ = world.watch(descriptor, token: 1)
            client.perform(.vanish)
            _ = world.wait(10)
            if sends { #expect(world.send(descriptor, "hello") == .moved(5)) }
            #expect(world.wait(59_000) == 0)
            #expect(world.wait(2_000) == 1)
            #expect(world.receive(descriptor) == .failed(ETIMEDOUT))
        }
    }

    @Test("bytes that the peer read before it closed are acknowledged with its FIN; later ones are not")
    func acknowledgement() {
        for seed in 1...40 as ClosedRange<UInt64> {
            let network = SimulatedNetwork(seed: seed)
            let server = SocketAddress.loopback(port: 9000)
            network.serve(at: server) { peer in
                peer.onReceive = { _ in seed.isMultiple(of: 2) ? [.close] : [] }
                if !seed.isMultiple(of: 2) { peer.perform(.pause(.milliseconds(5)), .finish) }
            }
            let hand = WorldReference(network)
            guard case .started(let descriptor) = hand.dial(server) else { continue }
            _ = hand.watch(descriptor, token: 1)
            while hand.wait(100) == 0 {}
            if seed.isMultiple(of: 2) {
                _ = hand.send(descriptor, "x")
                while hand.receive(descriptor) == .wouldBlock { _ = hand.wait(100) }
                #expect(!hand.hasUnacknowledged(descriptor), "seed \(seed)")
            } else {
                while hand.receive(descriptor) == .wouldBlock { _ = hand.wait(100) }
                _ = hand.send(descriptor, "x")
                #expect(hand.hasUnacknowledged(descriptor), "seed \(seed)")
            }
        }
    }

    @Test("when a world is destroyed its peers see their connections end")
    func processExit() {
        let network = SimulatedNetwork(seed: 1, conditions: .calm)
        let listener = network.listen(on: address)
        let client = network.connect(to: address)
        do {
            let hand = WorldReference(network)
            _ = hand.acceptNext(listener)
        }

        network.advance(by: .seconds(1))

        #expect(network.leftOpen == 2)
        #expect(network.openDescriptors == 0)
        #expect(client.hasEnded)
    }
}
