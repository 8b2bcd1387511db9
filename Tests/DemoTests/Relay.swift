import Kernel
import Reactor
import Synchronization
import TLS

/// A simple balancer between a demo client and its servers. It terminates TLS, distributes requests over the servers
/// regardless of sessions, and may change responses. Each connection has a thread.
///
/// It treats each read from a client as one request, which is right for a client that waits for each response.
final class Relay: Sendable {
    let address: SocketAddress
    private let listener: Descriptor
    private let servers: [SocketAddress]
    private let context: TLSContext?
    private let edit: @Sendable ([UInt8]) -> [UInt8]
    private let isStopped = Atomic(false)
    private let threads = Mutex<[RelayThread]>([])

    /// With several servers, requests of a connection go to them in turn. `edit` may change the bytes of every read
    /// from a server.
    init(
        to servers: [SocketAddress], context: TLSContext? = nil,
        edit: @escaping @Sendable ([UInt8]) -> [UInt8] = { $0 }
    ) throws {
        listener = try Socket.listen(on: .loopback(port: 0), shared: false)
        address = Socket.localAddress(listener) ?? .loopback(port: 0)
        self.servers = servers
        self.context = context
        self.edit = edit
        spawn { $0.acceptUntilStopped() }
    }

    /// Closes all connections, and waits for their threads.
    func stop() {
        isStopped.store(true, ordering: .releasing)
        // The accepting thread may add one more until it has ended.
        while let thread = threads.withLock({ $0.popLast() }) { thread.join() }
    }

    private func spawn(_ body: @escaping @Sendable (Relay) -> Void) {
        guard let thread = try? RelayThread({ [self] in body(self) }) else { return }
        threads.withLock { $0.append(thread) }
    }

    private func acceptUntilStopped() {
        guard var world = try? Linux(), world.watch(listener, token: 0) else { return }
        while !isStopped.load(ordering: .acquiring) {
            if case .connection(let descriptor, _) = world.accept(listener) {
                spawn { $0.relay(descriptor) }
            } else {
                _ = world.wait(milliseconds: 10)
            }
        }
        world.close(listener, reset: false)
    }

    private func relay(_ client: Descriptor) {
        guard var world = try? Linux(), var side = try? ClientSide(client, context) else { return }
        var dialled: [Descriptor] = []
        for server in servers {
            guard case .started(let descriptor) = world.dial(server) else { continue }
            dialled.append(descriptor)
            _ = world.watch(descriptor, token: UInt64(dialled.count))
        }
        _ = world.watch(client, token: 0)
        var turn = 0
        var isOpen = true
        while isOpen, !isStopped.load(ordering: .acquiring) {
            _ = world.wait(milliseconds: 10)
            while let request = side.receive(&world) {
                if !request.isEmpty {
                    Relay.send(request, to: dialled[turn % dialled.count], &world)
                    turn += 1
                }
            }
            for server in dialled {
                while let answer = Relay.receive(server, &world) { side.send(edit(answer), &world) }
            }
            isOpen = !side.hasEnded
        }
        world.close(client, reset: false)
        for server in dialled { world.close(server, reset: false) }
    }

    fileprivate static func send(_ bytes: [UInt8], to descriptor: Descriptor, _ world: inout Linux) {
        var rest = bytes[...]
        // A socket that is not connected yet returns EAGAIN, as a full one does.
        for _ in 0..<1_000 where !rest.isEmpty {
            switch world.send(descriptor, rest.span) {
            case .moved(let count): rest = rest.dropFirst(count)
            case .wouldBlock: _ = world.wait(milliseconds: 5)
            case .ended, .failed: return
            }
        }
    }

    fileprivate static func receive(_ descriptor: Descriptor, _ world: inout Linux) -> [UInt8]? {
        var buffer = ByteBuffer(capacity: 16_384)
        var space = buffer.space
        guard case .moved(let count) = world.receive(descriptor, into: &space) else { return nil }
        buffer.commit(count)
        return Relay.bytes(buffer)
    }

    fileprivate static func bytes(_ buffer: borrowing ByteBuffer) -> [UInt8] {
        let span = buffer.span
        return span.indices.map { span[$0] }
    }
}

/// A thread in an array: `Thread` itself is noncopyable.
private final class RelayThread: Sendable {
    private let thread: Mutex<Thread?>

    init(_ run: @escaping @Sendable () -> Void) throws(SystemError) {
        thread = Mutex(try Thread(named: "relay", run))
    }

    func join() { thread.withLock { $0.take()?.join() } }
}

/// The client's side of a relayed connection, with or without TLS.
private struct ClientSide: ~Copyable {
    private struct Secure: ~Copyable {
        var engine: TLSEngine
        var session: TLSSession

        mutating func receive(_ bytes: [UInt8], _ plaintext: inout ByteBuffer, _ outgoing: inout ByteBuffer)
            -> TLSProgress
        {
            engine.receive(&session, bytes.span, plaintext: &plaintext, outgoing: &outgoing)
        }

        mutating func send(_ bytes: [UInt8], _ outgoing: inout ByteBuffer) -> Bool {
            engine.send(&session, bytes.span, outgoing: &outgoing)
        }
    }

    private let descriptor: Descriptor
    private var secure: Secure?
    private(set) var hasEnded = false

    init(_ descriptor: Descriptor, _ context: TLSContext?) throws {
        self.descriptor = descriptor
        guard let context else {
            secure = nil
            return
        }
        var engine = try TLSEngine()
        let session = try engine.accept(context)
        secure = Secure(engine: engine, session: session)
    }

    /// Reads once. Returns the plaintext, which is empty for a handshake message; nil if there was nothing to read.
    mutating func receive(_ world: inout Linux) -> [UInt8]? {
        var buffer = ByteBuffer(capacity: 16_384)
        var space = buffer.space
        switch world.receive(descriptor, into: &space) {
        case .moved(let count): buffer.commit(count)
        case .wouldBlock: return nil
        case .ended, .failed:
            hasEnded = true
            return nil
        }
        var plaintext = ByteBuffer()
        var outgoing = ByteBuffer()
        guard let progress = secure?.receive(Relay.bytes(buffer), &plaintext, &outgoing) else {
            return Relay.bytes(buffer)
        }
        Relay.send(Relay.bytes(outgoing), to: descriptor, &world)
        if progress == .failed || progress == .closed { hasEnded = true }
        return Relay.bytes(plaintext)
    }

    mutating func send(_ bytes: [UInt8], _ world: inout Linux) {
        var outgoing = ByteBuffer()
        if secure?.send(bytes, &outgoing) != nil {
            Relay.send(Relay.bytes(outgoing), to: descriptor, &world)
        } else {
            Relay.send(bytes, to: descriptor, &world)
        }
    }
}
