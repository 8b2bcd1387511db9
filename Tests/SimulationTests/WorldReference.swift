import Kernel
import Simulation

/// A reference to a simulated world, because `#expect` cannot capture a noncopyable value.
final class WorldReference {
    private var world: SimulatedWorld

    init(_ network: SimulatedNetwork) {
        world = SimulatedWorld(network)
    }

    func wait(_ milliseconds: CInt) -> Int { world.wait(milliseconds: milliseconds) }
    func event(_ index: Int) -> (token: UInt64, readiness: Readiness) { world.event(index) }
    func watch(_ descriptor: Descriptor, token: UInt64) -> Bool { world.watch(descriptor, token: token) }
    func accept(_ listener: Descriptor) -> AcceptResult { world.accept(listener) }
    func dial(_ address: SocketAddress) -> ConnectResult { world.dial(address) }
    func hasUnacknowledged(_ descriptor: Descriptor) -> Bool { world.hasUnacknowledged(descriptor) }
    func send(_ descriptor: Descriptor, _ text: String) -> Transfer { world.send(descriptor, text.utf8.span) }
    func close(_ descriptor: Descriptor) { world.close(descriptor, reset: false) }
    func wallSeconds() -> UInt32 { world.wallSeconds() }

    func receive(_ descriptor: Descriptor, _ count: Int = 10) -> Transfer {
        var bytes = [UInt8](repeating: 0, count: count)
        var space = bytes.mutableSpan
        return world.receive(descriptor, into: &space)
    }

    /// Waits for the next connection and returns it.
    func acceptNext(_ listener: Descriptor) -> Descriptor {
        for _ in 0..<100 {
            if case .connection(let descriptor, _) = world.accept(listener) { return descriptor }
            _ = world.wait(milliseconds: 1)
        }
        return .none
    }
}
