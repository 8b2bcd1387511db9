import Kernel
import Reactor
import TLS
import Telemetry

/// New clients.
extension Worker where Outside: ~Copyable {
    /// Connections taken from one backlog in one event; more wait for the next turn, so that no listener starves work.
    private static var acceptBatch: Int { 16 }

    /// Takes new connections from a listener's backlog.
    mutating func accept(_ listener: Int) {
        guard listener < clients.listeners.count, clients.listeners[listener].accepts else { return }
        let descriptor = clients.listeners[listener].descriptor
        for _ in 0..<Worker.acceptBatch {
            switch io.world.accept(descriptor) {
            case .connection(let connection, let address):
                admit(connection, from: address, listener)
            case .none:
                return
            case .exhausted:
                // The backlog keeps what cannot be accepted; edge-triggered, no other event would come for it.
                clock.scheduleHousekeeping(at: clock.now + .milliseconds(100))
                clients.hasStalledAccepts = true
                return
            }
        }
        clients.hasStalledAccepts = true
        clock.scheduleHousekeeping(at: clock.now)
    }

    private mutating func admit(_ descriptor: Descriptor, from address: SocketAddress, _ listener: Int) {
        if clients.listeners[listener].plan.socketPath != nil, !isOwnUser(descriptor) {
            io.world.close(descriptor, reset: true)
            return
        }
        let expectsProxyHeader = clients.listeners[listener].plan.expectsProxyHeader
        guard !expectsProxyHeader || clients.trusts(address, listener) else {
            metrics.increment(.untrusted)
            io.world.close(descriptor, reset: true)
            return
        }
        // A full proxy still answers on its admin address. Streams have a limit of their own.
        let isTraffic = clients.listeners[listener].plan.role == .traffic
        let slot = clients.listeners[listener].slot
        var claim: AddressClaim?
        var refusal: ConnectionRefusal?
        if isTraffic, clients.listeners[listener].plan.boundsAddresses, !expectsProxyHeader,
            !clients.trusts(address, listener)
        {
            (claim, refusal) = claimAddress(address, listener)
        }
        if let refusal = refusal ?? claimPlace(listener, isTraffic: isTraffic) {
            metrics.increment(refusal)
            if let claim { clients.addresses.release(claim) }
            io.world.close(descriptor, reset: true)
            return
        }
        let tls = clients.listeners[listener].tls
        var connection = ClientConnection(
            Transport(descriptor, mayWrite: true), address: address, listener: listener,
            phase: expectsProxyHeader ? .awaitingProxyHeader : tls == nil ? .reading : .handshaking,
            isSecure: tls != nil || clients.listeners[listener].plan.forwardsAsHTTPS)
        if let tls, !expectsProxyHeader {
            guard let session = try? io.engine.accept(tls) else {
                if isTraffic { metrics.releaseClient(listener: slot) }
                if let claim { clients.addresses.release(claim) }
                io.world.close(descriptor, reset: true)
                return
            }
            connection.transport.tls = consume session
        }
        guard let client = clients.insert(connection) else { return }
        if let claim { clients.addresses.keep(claim, for: client.slot) }
        clients.listeners[listener].connections += 1
        if isTraffic { metrics.count(.acceptedClients) }
        guard io.world.watch(descriptor, token: Token(.client, client).raw) else {
            clients.close(client, reset: true, &io, metrics)
            return
        }
        let timeout =
            tls == nil
            ? clients.listeners[listener].plan.headTimeout : clients.listeners[listener].plan.handshakeTimeout
        clients.setDeadline(client, clock.now + timeout, &clock)
    }

    /// Counts one more connection, or says why there may not be one.
    private func claimPlace(_ listener: Int, isTraffic: Bool) -> ConnectionRefusal? {
        if isTraffic, snapshot.memoryLimit != nil, metrics.memoryLevel == .exhausted { return .memory }
        guard clients.connectionCount < clients.connectionLimit else { return .maxConnections }
        guard isTraffic else { return nil }
        let limit = Int64(clients.listeners[listener].plan.maximumConnections)
        let admission = metrics.admitClient(listener: clients.listeners[listener].slot, limit: limit)
        return admission == .refused ? .maxConnections : nil
    }

    /// Counts one more connection of an address at a listener that bounds them, or says why there may not be one. There is
    /// nothing to give back where only the rate is bounded.
    func claimAddress(
        _ address: SocketAddress, _ listener: Int
    ) -> (claim: AddressClaim?, refusal: ConnectionRefusal?) {
        let slot = clients.listeners[listener].slot
        if let rate = clients.listeners[listener].plan.connectionOpens, let opens = snapshot.connectionOpens,
            opens.open(AddressClaim(address, listener: slot), rate, now: clock.now) == .refused
        {
            return (nil, .connectionOpens)
        }
        let limit = clients.listeners[listener].plan.maximumPerAddress
        guard limit < .max else { return (nil, nil) }
        let claim = clients.addresses.claim(address, listener: slot, limit: limit)
        return (claim, claim == nil ? .maxConnectionsPerAddress : nil)
    }

    /// Whether this process's user, or root, is at the other end of a Unix socket.
    private mutating func isOwnUser(_ descriptor: Descriptor) -> Bool {
        guard let user = io.world.peerUser(descriptor) else { return false }
        return user == 0 || user == ThisProcess.user
    }

    /// Tries the backlogs again after descriptors had run out or a batch was full.
    mutating func retryAccepts() {
        guard clients.hasStalledAccepts else { return }
        clients.hasStalledAccepts = false
        for listener in clients.listeners.indices { accept(listener) }
    }

    /// Takes what the kernel has accepted for us: closing the socket would reset it. Bounded by what a backlog holds.
    mutating func emptyBacklog(_ listener: Int) {
        let hadStalled = clients.hasStalledAccepts
        var batches = 0
        clients.hasStalledAccepts = true
        while clients.hasStalledAccepts, batches < 512 {
            clients.hasStalledAccepts = false
            accept(listener)
            batches += 1
        }
        clients.hasStalledAccepts = clients.hasStalledAccepts || hadStalled
    }
}
