package import Kernel
import TestSupport

/// The outside of a `SimulatedWorld`, shared by the world and the test that drives it: a clock, a network, the kernel
/// of the worker's machine, and the peers with their scripts. One thread, one worker at a time.
///
/// The same seed and the same calls give the same run, to the nanosecond; `digest` says so in one number. What a
/// worker must never do (use a closed descriptor, close twice, watch twice, move nothing) is noted in `violations`.
package final class SimulatedNetwork {
    /// How an address answers a SYN.
    enum Reception {
        case accepts((SimulatedPeer) -> Void)
        case refuses
        case swallows
        case unreachable(CInt)
    }

    /// One connection, both ends and the far end's script: kept for as long as the network is.
    private final class Link {
        let near: SimulatedSocket
        let far: SimulatedPeer?
        init(near: SimulatedSocket, far: SimulatedPeer?) {
            self.near = near
            self.far = far
        }
    }

    package let seed: UInt64
    package let conditions: Conditions
    var generator: SeededGenerator
    private var workerGenerator: SeededGenerator

    var clock: UInt64 = 1_000_000_000_000
    private let start: UInt64 = 1_000_000_000_000
    var agenda = Agenda()
    var receptions: [SocketAddress: Reception] = [:]
    var descriptors = DescriptorTable()
    var poller = SimulatedPoller()
    /// What a passage took and its sink did not.
    var passing: [UInt8] = []
    /// Times that bytes went from one of the worker's connections straight to another.
    package internal(set) var passages = 0
    var fault = Fault()
    private var trace = Trace()
    private var links: [Link] = []
    private var nextPort: UInt16 = 20_000

    /// What the worker did that it must not, in order; empty after a good run.
    package internal(set) var violations: [String] = []
    /// The last wait would have slept for ever: nothing is on its way and nobody has anything left to do.
    package internal(set) var sleepsForEver = false
    /// Things that happened outside the worker so far: arrivals, endings, what peers do.
    package internal(set) var occurrences = 0
    /// Descriptors that were open when the last world went away.
    package internal(set) var leftOpen = 0

    package init(seed: UInt64, conditions: Conditions = .varied) {
        self.seed = seed
        self.conditions = conditions
        generator = SeededGenerator(seed: seed)
        workerGenerator = generator.split()
        descriptors.reusesNumbers = conditions.reusesDescriptors
    }

    // MARK: Clock

    package var now: Instant { Instant(nanoseconds: clock) }
    /// The same for the worker, which has been busy for a while.
    func look() -> Instant {
        clock &+= conditions.lookCost
        return now
    }
    /// Time since the simulation began.
    package var elapsed: Interval { Interval(nanoseconds: clock - start) }
    var wallSeconds: UInt32 { 1_780_000_000 &+ UInt32(truncatingIfNeeded: (clock - start) / 1_000_000_000) }
    func workerRandom() -> UInt64 { workerGenerator.next() }

    /// Calls `action` after `delay`: inside a wait of the worker or between two of its calls, so it must not touch the
    /// worker itself.
    package func after(_ delay: Interval, _ action: @escaping () -> Void) {
        agenda.add(.call(action), at: clock &+ delay.nanoseconds)
    }

    /// Lets time pass without the worker: it is busy, or gone.
    package func advance(by interval: Interval) {
        runAgenda(until: clock &+ interval.nanoseconds)
    }

    // MARK: The worker's view of its machine

    /// A listener of the worker's, as if it had been opened by whoever started it.
    package func listen(on address: SocketAddress, tcp: TCPOptions = TCPOptions()) -> Descriptor {
        descriptors.open(.listener(SimulatedListener(address: address, tcp: tcp)))
    }

    /// Makes a watched descriptor that is not of this world, such as a mailbox's, readable once.
    package func ring(_ descriptor: Descriptor) {
        poller.ring(descriptor)
    }

    /// Listeners that the worker has open.
    package var openListeners: Int { descriptors.openListeners }

    /// Descriptors the worker has open, listeners included.
    package var openDescriptors: Int { descriptors.openCount }

    /// Fails the n-th call of the worker that can fail, counted from now and from 1, once or `forever`; 0 fails none.
    package func failOperation(
        _ number: Int, forever: Bool = false, only operations: Set<Operation> = Set(Operation.allCases)
    ) {
        fault = Fault(number: number, forever: forever, operations: operations)
    }

    /// Calls that can fail, since the last `failOperation`.
    package var operations: Int { fault.counted }
    package var faultWasReached: Bool { fault.wasReached }

    /// One number for every call and outcome so far.
    package var digest: UInt64 { trace.digest }
    /// The last calls with their outcomes, oldest first: what to print when a seed fails.
    package var traceText: String { trace.text.joined(separator: "\n") }

    func record(_ call: StaticString, _ subject: Int, _ outcome: Int) {
        trace.record(Trace.Entry(time: clock, call: call, subject: subject, outcome: outcome))
    }

    func violate(_ what: String) {
        violations.append("\(what), at \(elapsed.nanoseconds / 1000) us, seed \(seed)")
    }

    // MARK: Peers

    /// A client connects to a listener of the worker's. Nothing happens before the worker waits: give it its script
    /// after this call. Without `from`, it has a loopback address and a port nobody else has.
    @discardableResult
    package func connect(to address: SocketAddress, from source: SocketAddress? = nil) -> SimulatedPeer {
        let peer = SimulatedPeer(
            role: .client, network: self, address: source ?? .loopback(port: takePort()), target: address)
        agenda.add(.knock(peer, attempt: 1), at: clock + drawLatency())
        return peer
    }

    /// Accepts what the worker dials at `address`; `arrange` gives each connection its script.
    package func serve(at address: SocketAddress, _ arrange: @escaping (SimulatedPeer) -> Void) {
        receptions[address] = .accepts(arrange)
    }

    /// Answers with RST at `address`, as every address does where nothing was arranged.
    package func refuse(at address: SocketAddress) { receptions[address] = .refuses }
    /// Never answers at `address`: the worker's kernel gives up after 127 s.
    package func swallow(at address: SocketAddress) { receptions[address] = .swallows }
    /// Fails a dial at once: no route.
    package func makeUnreachable(_ address: SocketAddress, error: CInt) { receptions[address] = .unreachable(error) }

    /// The servers' ends of connections the worker made to `address`, oldest first, closed ones included.
    package func served(at address: SocketAddress) -> [SimulatedPeer] {
        links.compactMap { $0.far }.filter { $0.role == .server && $0.address == address }
    }

    func keep(_ near: SimulatedSocket, _ far: SimulatedPeer?) {
        links.append(Link(near: near, far: far))
    }

    func takePort() -> UInt16 {
        defer { nextPort = nextPort == .max ? 20_000 : nextPort + 1 }
        return nextPort
    }

    func drawLatency() -> UInt64 { UInt64.random(in: conditions.latency, using: &generator) }
}
