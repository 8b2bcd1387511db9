import Glibc
import Kernel
import Testing

/// A `Linux` world with both ends of a loopback connection.
private final class Loopback {
    private var world: Linux
    let listener: Descriptor
    let address: SocketAddress
    private var open: Set<Descriptor> = []

    init(_ host: SocketAddress = .loopback(port: 0)) throws {
        world = try Linux()
        listener = try Socket.listen(on: host, shared: false)
        address = try #require(Socket.localAddress(listener))
        open = [listener]
        _ = world.watch(listener, token: 0)
    }

    deinit {
        for descriptor in open { world.close(descriptor, reset: false) }
    }

    func watch(_ descriptor: Descriptor, token: UInt64) -> Bool { world.watch(descriptor, token: token) }
    func accept() -> AcceptResult { world.accept(listener) }
    func error(_ descriptor: Descriptor) -> CInt { world.connectionError(descriptor) }
    func hasUnacknowledged(_ descriptor: Descriptor) -> Bool { world.hasUnacknowledged(descriptor) }
    func finish(_ descriptor: Descriptor) { world.finish(descriptor) }
    func send(_ descriptor: Descriptor, _ text: String) -> Transfer { world.send(descriptor, text.utf8.span) }

    func close(_ descriptor: Descriptor, reset: Bool = false) {
        open.remove(descriptor)
        world.close(descriptor, reset: reset)
    }

    func dial(_ address: SocketAddress) throws -> Descriptor {
        guard case .started(let descriptor) = world.dial(address) else { throw SystemError("dial", code: EINVAL) }
        open.insert(descriptor)
        return descriptor
    }

    /// Waits for readiness of `token` and returns it; nil after the timeout.
    func event(_ token: UInt64, where isRight: (Readiness) -> Bool = { _ in true }) -> Readiness? {
        let deadline = world.now() + .seconds(10)
        while world.now() < deadline {
            for index in 0..<world.wait(milliseconds: 100) {
                let event = world.event(index)
                if event.token == token && isRight(event.readiness) { return event.readiness }
            }
        }
        return nil
    }

    /// Both ends of a new connection: the dialled one is watched with token 1, the accepted one with token 2.
    func pair() throws -> (dialled: Descriptor, accepted: Descriptor) {
        let dialled = try dial(address)
        _ = world.watch(dialled, token: 1)
        let deadline = world.now() + .seconds(10)
        while world.now() < deadline {
            guard case .connection(let accepted, _) = world.accept(listener) else {
                _ = world.wait(milliseconds: 1)
                continue
            }
            open.insert(accepted)
            _ = world.watch(accepted, token: 2)
            return (dialled, accepted)
        }
        throw SystemError("accept", code: ETIMEDOUT)
    }

    /// The result of a receive that does not block.
    func receive(_ descriptor: Descriptor, token: UInt64, _ count: Int = 100) -> (Transfer, String) {
        let deadline = world.now() + .seconds(10)
        var bytes = [UInt8](repeating: 0, count: count)
        while world.now() < deadline {
            var space = bytes.mutableSpan
            let outcome = world.receive(descriptor, into: &space)
            if case .moved(let count) = outcome { return (outcome, String(decoding: bytes[..<count], as: UTF8.self)) }
            if outcome != .wouldBlock { return (outcome, "") }
            _ = world.wait(milliseconds: 10)
        }
        return (.wouldBlock, "")
    }
}

@Suite("Linux over loopback")
struct LinuxTests {
    @Test("dials, accepts, and moves bytes both ways", arguments: ["127.0.0.1", "::1", "::"])
    func connects(host: String) throws {
        let bound = try #require(SocketAddress(literal: host, port: 0))
        // Skipped on a machine without IPv6.
        if !bound.isIPv4, (try? Loopback(bound)) == nil { return }
        let loopback = try Loopback(bound)
        let (dialled, accepted) = try loopback.pair()

        #expect(loopback.error(dialled) == 0)
        #expect(loopback.send(dialled, "question") == .moved(8))
        #expect(loopback.receive(accepted, token: 2, 5) == (.moved(5), "quest"))
        #expect(loopback.receive(accepted, token: 2) == (.moved(3), "ion"))
        #expect(loopback.send(accepted, "answer") == .moved(6))
        #expect(loopback.receive(dialled, token: 1) == (.moved(6), "answer"))
        guard case .none = loopback.accept() else {
            Issue.record("another connection was accepted")
            return
        }
    }

    @Test("accept returns the peer's address")
    func peerAddress() throws {
        let loopback = try Loopback()
        let dialled = try loopback.dial(loopback.address)
        _ = loopback.event(0)
        guard case .connection(let accepted, let source) = loopback.accept() else {
            Issue.record("no connection was accepted")
            return
        }
        defer { loopback.close(accepted) }

        #expect(source == Socket.localAddress(dialled))
        #expect(source.host == "127.0.0.1")
    }

    @Test("FIN ends reading after the bytes before it, and sending is still possible")
    func halfClose() throws {
        let loopback = try Loopback()
        let (dialled, accepted) = try loopback.pair()
        _ = loopback.send(dialled, "last words")
        loopback.finish(dialled)

        #expect(loopback.event(2) { $0.hasEnded }?.hasFailed == false)
        #expect(loopback.receive(accepted, token: 2) == (.moved(10), "last words"))
        #expect(loopback.receive(accepted, token: 2).0 == .ended)
        #expect(loopback.send(accepted, "reply") == .moved(5))
        #expect(loopback.receive(dialled, token: 1) == (.moved(5), "reply"))
        #expect(loopback.send(dialled, "x") == .failed(EPIPE))
    }

    @Test("a reset is a failure with its errno")
    func reset() throws {
        let loopback = try Loopback()
        let (dialled, accepted) = try loopback.pair()
        loopback.close(dialled, reset: true)

        #expect(loopback.event(2) { $0.hasFailed } != nil)
        #expect(loopback.receive(accepted, token: 2).0 == .failed(ECONNRESET))
        #expect(loopback.send(accepted, "x") == .failed(EPIPE))
    }

    @Test("a refused dial fails through readiness")
    func refused() throws {
        let loopback = try Loopback()
        let gone = try Socket.listen(on: .loopback(port: 0), shared: false)
        let address = try #require(Socket.localAddress(gone))
        loopback.close(gone)
        let dialled = try loopback.dial(address)
        _ = loopback.watch(dialled, token: 1)

        #expect(loopback.event(1)?.hasFailed == true)
        #expect(loopback.error(dialled) == ECONNREFUSED)
        #expect(loopback.error(dialled) == 0, "an error is reported once")
    }

    @Test("a dial without a route fails at once")
    func unreachable() throws {
        var world = try Linux()
        // TCP cannot connect to a multicast address.
        switch world.dial(.ipv4(0xe000_0001, port: 9)) {
        case .failed(let code): #expect(code == ENETUNREACH || code == EINVAL)
        case .started(let descriptor):
            world.close(descriptor, reset: false)
            Issue.record("started")
        }
    }

    @Test("a full socket blocks, and is writable again when it has space")
    func backpressure() throws {
        let loopback = try Loopback()
        let (dialled, accepted) = try loopback.pair()
        let big = String(repeating: "z", count: 1 << 20)
        var sent = 0
        while case .moved(let count) = loopback.send(dialled, big) { sent += count }
        #expect(loopback.hasUnacknowledged(dialled))

        var received = 0
        while received < sent, case (.moved(let count), _) = loopback.receive(accepted, token: 2, 1 << 20) {
            received += count
        }

        #expect(loopback.event(1) { $0.isWritable } != nil || loopback.send(dialled, "x") == .moved(1))
        #expect(received == sent)
    }

    @Test("bytes sent to a closed peer stay unacknowledged, bytes that it has read do not")
    func unacknowledged() throws {
        let loopback = try Loopback()
        let (dialled, accepted) = try loopback.pair()
        _ = loopback.send(dialled, "first")
        _ = loopback.receive(accepted, token: 2)
        loopback.close(accepted)
        #expect(loopback.receive(dialled, token: 1).0 == .ended)
        #expect(!loopback.hasUnacknowledged(dialled), "the FIN acknowledges what was read")

        #expect(loopback.send(dialled, "too late") == .moved(8))
        #expect(loopback.event(1) { $0.hasFailed } != nil)

        #expect(loopback.hasUnacknowledged(dialled), "the reset has not made us forget")
        #expect(loopback.error(dialled) == EPIPE)
    }

    @Test("both ends of a connection are set to notice that the other has vanished")
    func keepAlive() throws {
        let loopback = try Loopback()
        let (dialled, accepted) = try loopback.pair()
        for descriptor in [dialled, accepted] {
            func option(_ level: CInt, _ name: CInt) -> CInt {
                var value: CInt = -1
                var length = socklen_t(MemoryLayout<CInt>.size)
                getsockopt(descriptor.raw, level, name, &value, &length)
                return value
            }
            let tcp = CInt(IPPROTO_TCP)
            #expect(option(SOL_SOCKET, SO_KEEPALIVE) == 1)
            #expect(option(tcp, TCP_KEEPIDLE) == 30)
            #expect(option(tcp, TCP_KEEPINTVL) == 10)
            #expect(option(tcp, TCP_USER_TIMEOUT) == 60_000)
        }
    }

    @Test("only shared listeners can bind the same address")
    func sharedListeners() throws {
        let first = try Socket.listen(on: .loopback(port: 0), shared: true)
        defer { Glibc.close(first.raw) }
        let address = try #require(Socket.localAddress(first))
        let second = try Socket.listen(on: address, shared: true)
        defer { Glibc.close(second.raw) }

        #expect(throws: SystemError("bind", code: EADDRINUSE)) {
            _ = try Socket.listen(on: address, shared: false)
        }
    }
}

@Suite("Threads and wakes")
struct ThreadTests {
    @Test("a thread runs its closure and is joined after it")
    func joining() throws {
        let wake = try Wake()
        let thread = try Thread(named: "a name too long for the kernel") { wake.ring() }
        thread.join()
        var world = try Linux()
        _ = world.watch(wake.descriptor, token: 3)

        let ready = world.wait(milliseconds: 0)
        #expect(ready == 1)
    }
}
