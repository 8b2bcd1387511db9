package import Kernel

/// A whole outside for one worker, from a seed: clock, poller, sockets, network, peers. Nothing in it is real but the
/// rules, which are those of Linux with edge-triggered epoll.
///
/// Time stands still but for `wait`, which jumps to the next thing that happens, and a few microseconds now and then
/// between two calls. Everything that is not a call of the worker is in `SimulatedNetwork`, which the test holds as well.
/// When the world goes away so does the process: what it had open is closed, as the kernel would.
package struct SimulatedWorld: World, ~Copyable {
    package let network: SimulatedNetwork

    package init(_ network: SimulatedNetwork) {
        self.network = network
    }

    deinit { network.processExits() }

    package mutating func now() -> Instant { network.look() }
    package mutating func wallSeconds() -> UInt32 { network.wallSeconds }
    package mutating func wallNanoseconds() -> UInt64 { 1_780_000_000_000_000_000 &+ network.elapsed.nanoseconds }
    package mutating func random() -> UInt64 { network.workerRandom() }

    package mutating func wait(milliseconds: CInt) -> Int { network.wait(milliseconds: milliseconds) }
    package func event(_ index: Int) -> (token: UInt64, readiness: Readiness) { network.event(index) }
    package mutating func watch(_ descriptor: Descriptor, token: UInt64) -> Bool {
        network.watch(descriptor, token: token)
    }
    package mutating func unwatch(_ descriptor: Descriptor) { network.unwatch(descriptor) }

    package mutating func accept(_ listener: Descriptor) -> AcceptResult { network.accept(listener) }
    package mutating func refuseHandshakes(_ listener: Descriptor) { network.refuseHandshakes(listener) }
    package mutating func dial(_ address: SocketAddress, _ options: TCPOptions) -> ConnectResult {
        network.dial(address, options)
    }
    package mutating func connectionError(_ descriptor: Descriptor) -> CInt { network.connectionError(descriptor) }
    package mutating func hasUnacknowledged(_ descriptor: Descriptor) -> Bool {
        network.hasUnacknowledged(descriptor)
    }

    package mutating func receive(_ descriptor: Descriptor, into space: inout MutableSpan<UInt8>) -> Transfer {
        network.receive(descriptor, into: &space)
    }
    package mutating func send(_ descriptor: Descriptor, _ bytes: Span<UInt8>) -> Transfer {
        network.send(descriptor, bytes)
    }
    package mutating func splice(from source: Descriptor, to sink: Descriptor, most: Int) -> SpliceResult? {
        network.splice(from: source, to: sink, most: most)
    }
    package mutating func takeLeftover(into space: inout MutableSpan<UInt8>) -> Int {
        network.takeLeftover(into: &space)
    }
    package mutating func finish(_ descriptor: Descriptor) { network.finish(descriptor) }
    package mutating func close(_ descriptor: Descriptor, reset: Bool) { network.close(descriptor, reset: reset) }
}
