import CLinux
import Glibc
import Kernel
import Simulation

/// The remote end of one connection of a world, real or simulated, driven step by step.
protocol RemotePeer: AnyObject {
    var listener: Descriptor { get }
    func connect()
    /// Listens, and returns the address at which this end accepts a dial.
    func serve() -> SocketAddress
    /// An address without a listener.
    func unusedAddress() -> SocketAddress
    /// Accepts the dialled connection.
    func acceptDialled()
    func send(_ text: String)
    /// Reads until no more bytes come.
    func drain()
    func finish()
    func close()
    func reset()
}

final class SimulatedRemotePeer: RemotePeer {
    let network: SimulatedNetwork
    let listener: Descriptor
    private var peer: SimulatedPeer?
    private let address = SocketAddress.loopback(port: 80)

    init(_ network: SimulatedNetwork) {
        self.network = network
        listener = network.listen(on: address)
    }

    func connect() {
        peer = network.connect(to: address)
        act(.read(.never))
    }

    func serve() -> SocketAddress {
        let server = SocketAddress.loopback(port: 9000)
        network.serve(at: server) { $0.perform(.read(.never)) }
        return server
    }

    func unusedAddress() -> SocketAddress { .loopback(port: 9999) }
    func acceptDialled() {
        network.advance(by: .milliseconds(1))
        peer = network.served(at: .loopback(port: 9000)).last
    }

    func send(_ text: String) { act(.text(text)) }
    func drain() {
        act(.read(.atOnce))
        act(.read(.never))
    }
    func finish() { act(.finish) }
    func close() { act(.close) }
    func reset() { act(.reset) }

    private func act(_ action: SimulatedPeer.Action) {
        peer?.perform(action)
        network.advance(by: .milliseconds(10))
    }
}

final class RealRemotePeer: RemotePeer {
    let listener: Descriptor
    private let address: SocketAddress
    private var server: CInt = -1
    private var connection: CInt = -1

    init() throws {
        listener = try Socket.listen(on: .loopback(port: 0), shared: false)
        address = Socket.localAddress(listener) ?? .loopback(port: 0)
    }

    deinit {
        for raw in [listener.raw, server, connection] where raw >= 0 { Glibc.close(raw) }
    }

    func connect() {
        connection = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var (storage, length) = address.storage
        _ = berth_connect(connection, &storage, length)
    }

    func serve() -> SocketAddress {
        guard let opened = try? Socket.listen(on: .loopback(port: 0), shared: false) else { return address }
        server = opened.raw
        return Socket.localAddress(opened) ?? address
    }

    func unusedAddress() -> SocketAddress {
        guard let opened = try? Socket.listen(on: .loopback(port: 0), shared: false) else { return address }
        defer { Glibc.close(opened.raw) }
        return Socket.localAddress(opened) ?? address
    }

    func acceptDialled() {
        var poll = pollfd(fd: server, events: Int16(POLLIN), revents: 0)
        _ = Glibc.poll(&poll, 1, 5000)
        connection = Glibc.accept(server, nil, nil)
    }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        _ = Glibc.send(connection, bytes, bytes.count, CInt(MSG_NOSIGNAL))
    }

    func drain() {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        var poll = pollfd(fd: connection, events: Int16(POLLIN), revents: 0)
        // Bytes that waited for the window come with a delay.
        while Glibc.poll(&poll, 1, 20) > 0, recv(connection, &bytes, bytes.count, CInt(MSG_DONTWAIT)) > 0 {}
    }

    func finish() { shutdown(connection, CInt(SHUT_WR)) }

    func close() {
        Glibc.close(connection)
        connection = -1
    }

    func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(connection, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
        close()
    }
}
