import HTTP
package import Kernel
import Reactor
import TLS
import Telemetry

/// A socket that accepts, and the plan it accepts by.
struct Listener {
    let descriptor: Descriptor
    /// Index in the snapshot.
    let plan: Int
    let parser: RequestParser
    /// What new connections are served with; nil for plain listeners.
    var tls: TLSContext?
    var isOpen = true
}

extension Worker where Outside: ~Copyable {
    /// Connections taken from one backlog in one event; more wait for the next turn, so that no listener starves work.
    private static var acceptBatch: Int { 16 }

    /// Starts accepting on `descriptor` by the plan with index `plan`. The descriptor is the worker's from here on.
    package mutating func listen(on descriptor: Descriptor, plan: Int) {
        clients.listeners.append(
            Listener(
                descriptor: descriptor, plan: plan, parser: RequestParser(limits: snapshot.listeners[plan].limits),
                tls: snapshot.listeners[plan].tls))
        _ = io.world.watch(descriptor, token: Token(.listener, slot: clients.listeners.count - 1).raw)
    }

    mutating func accept(_ index: Int) {
        guard index < clients.listeners.count, clients.listeners[index].isOpen else { return }
        let descriptor = clients.listeners[index].descriptor
        for _ in 0..<Worker.acceptBatch {
            switch io.world.accept(descriptor) {
            case .connection(let connection, let address):
                admit(connection, from: address, listener: index)
            case .none:
                return
            case .exhausted:
                // The backlog keeps what we cannot take; edge-triggered, nobody would call again.
                clock.scheduleHousekeeping(at: clock.now + .milliseconds(100))
                clients.hasStalledAccepts = true
                return
            }
        }
        clients.hasStalledAccepts = true
        clock.scheduleHousekeeping(at: clock.now)
    }

    private mutating func admit(_ descriptor: Descriptor, from address: SocketAddress, listener: Int) {
        let plan = clients.listeners[listener].plan
        let secure = clients.listeners[listener].tls
        let hasProxyHeader = snapshot.listeners[plan].expectsProxyHeader
        guard !hasProxyHeader || isTrusted(address, by: plan) else {
            metrics.increment(.untrusted)
            io.world.close(descriptor, reset: true)
            return
        }
        // A full proxy still answers on its admin address. Streams have room of their own.
        let isTraffic = snapshot.listeners[plan].role == .traffic
        let limit = Int64(snapshot.listeners[plan].maximumConnections)
        guard clients.count - clients.streamCount < clients.connectionLimit,
            !isTraffic || metrics.admitClient(limit: limit)
        else {
            io.world.close(descriptor, reset: true)
            return
        }
        var connection = ClientConnection(
            descriptor: descriptor, address: address, listener: listener,
            phase: hasProxyHeader ? .awaitingProxyHeader : secure == nil ? .reading : .handshaking)
        if let secure, !hasProxyHeader {
            guard let session = try? io.engine.accept(secure) else {
                if isTraffic { metrics.releaseClient() }
                io.world.close(descriptor, reset: true)
                return
            }
            connection.tls = consume session
            connection.isSecure = true
        }
        guard let c = clients.insert(connection) else { return }
        guard io.world.watch(descriptor, token: Token(.client, c).raw) else {
            closeClient(c, reset: true)
            return
        }
        let timeout =
            secure == nil ? snapshot.listeners[plan].headTimeout : snapshot.listeners[plan].handshakeTimeout
        clients.setDeadline(c, clock.now + timeout, &clock)
    }

    /// Serves connections that are yet to come with `context`; those that are there keep what they have.
    mutating func serveCertificates(of context: TLSContext, plan: Int) {
        for index in clients.listeners.indices where clients.listeners[index].plan == plan {
            clients.listeners[index].tls = context
        }
    }

    /// Tries the backlogs again after descriptors had run out or a batch was full.
    mutating func retryAccepts() {
        guard clients.hasStalledAccepts else { return }
        clients.hasStalledAccepts = false
        for index in clients.listeners.indices { accept(index) }
    }

    /// Closes the listening sockets: the kernel sends new connections to whoever else listens there.
    mutating func stopListening() {
        for index in clients.listeners.indices where clients.listeners[index].isOpen {
            clients.listeners[index].isOpen = false
            io.world.close(clients.listeners[index].descriptor, reset: false)
        }
    }
}
