import Kernel
import Testing

@testable import Proxy

@Suite("Inherited sockets")
struct InheritedSocketsTests {
    private static func address(
        _ configured: SocketAddress, _ actual: SocketAddress? = nil, _ descriptors: CInt...
    ) -> InheritedSockets.Address {
        .init(configured: configured, actual: actual ?? configured, descriptors: descriptors.map { Descriptor($0) })
    }

    private static func text(_ text: String) -> SocketAddress { SocketAddress(text) ?? .loopback(port: 1) }

    @Test("a listener gets the sockets at its address, once")
    func claim() {
        var sockets = InheritedSockets([
            Self.address(Self.text("[::]:443"), nil, 8, 9), Self.address(Self.text("127.0.0.1:80"), nil, 10),
        ])
        let plan = ListenerPlan(address: Self.text("[::]:443"))

        #expect(sockets.claim(plan)?.descriptors == [Descriptor(8), Descriptor(9)])
        #expect(sockets.claim(plan) == nil)
        #expect(sockets.claim(ListenerPlan(address: Self.text("127.0.0.1:81"))) == nil)
        #expect(sockets.unclaimed.map(\.descriptors) == [[Descriptor(10)]])
    }

    @Test("listeners whose port the kernel chose go on with it, in their order")
    func chosenPorts() {
        let any = SocketAddress.loopback(port: 0)
        var sockets = InheritedSockets([
            Self.address(any, .loopback(port: 4_001), 8), Self.address(any, .loopback(port: 4_002), 9),
        ])

        #expect(sockets.claim(ListenerPlan(address: .loopback(port: 4_002)))?.descriptors == [Descriptor(9)])
        #expect(sockets.claim(ListenerPlan(address: any))?.actual == .loopback(port: 4_001))
        #expect(sockets.claim(ListenerPlan(address: any)) == nil)
    }

    @Test("on a machine without IPv6 \":443\" is the IPv4 address")
    func withoutIPv6() {
        var sockets = InheritedSockets([Self.address(Self.text("0.0.0.0:443"), nil, 8)])
        var plan = ListenerPlan(address: Self.text("[::]:443"))
        plan.addressWithoutIPv6 = Self.text("0.0.0.0:443")

        #expect(sockets.claim(plan)?.descriptors == [Descriptor(8)])
    }

    @Test("each worker gets the same number of sockets, and none is closed")
    func counts() {
        let counts = [(1, 1), (2, 1), (1, 2), (3, 2), (2, 3), (5, 3), (7, 2), (8, 2), (9, 2), (64, 63), (100, 3)].map {
            InheritedSockets.count(inherited: $0, workers: $1)
        }
        #expect(counts == [1, 2, 2, 4, 3, 6, 8, 8, 9, 126, 100])
    }

    @Test("worker counts that come and go do not add up sockets without a bound", arguments: 1...64)
    func bounded(_ most: Int) {
        var sockets = most
        for round in 0..<200 { sockets = InheritedSockets.count(inherited: sockets, workers: 1 + round * 7 % most) }
        #expect(sockets < 5 * most)
    }

    /// What a process does that inherits: real sockets, shared among workers in turn.
    @Test("real sockets: fewer workers own several, more get new ones, and every one accepts", arguments: [1, 2, 3, 5])
    func real(_ workers: Int) throws {
        var plan = ListenerPlan(address: .loopback(port: 0))
        let first = try ListeningSockets([plan], workers: 3)
        let inherited = first.handedOver([plan])
        #expect(inherited[0].descriptors.count == 3)
        plan.address = inherited[0].actual

        let second = try ListeningSockets([plan], workers: workers, inherited: InheritedSockets(inherited))
        let owned = (0..<workers).map { second.sockets(ofWorker: $0, isControl: false).map(\.descriptor) }

        #expect(Set(owned.joined()).isSuperset(of: inherited[0].descriptors))
        #expect(Set(owned.joined()).count == owned.map(\.count).reduce(0, +), "no socket has two owners")
        #expect(Set(owned.map(\.count)).count == 1, "\(owned)")
        #expect(owned.joined().allSatisfy { Socket.localAddress($0) == inherited[0].actual && Socket.isListener($0) })
        for worker in 0..<workers { second.close(worker: worker, isControl: false) }
        Socket.close(try Socket.listen(on: inherited[0].actual, shared: false))
    }

    @Test("where the kernel refuses another socket, workers share the one")
    func refused() throws {
        let plan = ListenerPlan(address: .loopback(port: 0))
        let inherited = try ListeningSockets([plan], workers: 1).handedOver([plan])
        let code = try #require(
            #expect(throws: SystemError.self) { try Socket.listen(on: inherited[0].actual, shared: false) }?.code)

        let second = try ListeningSockets([plan], workers: 3, inherited: InheritedSockets(inherited)) {
            _, _, _ throws(SystemError) in throw SystemError("bind", code: code)
        }

        for worker in 0..<3 {
            let own = second.sockets(ofWorker: worker, isControl: false)
            #expect(own.count == 1)
            #expect(own.allSatisfy { Socket.localAddress($0.descriptor) == inherited[0].actual })
            second.close(worker: worker, isControl: false)
        }
    }
}
