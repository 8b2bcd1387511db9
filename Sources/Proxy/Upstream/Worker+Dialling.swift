import Kernel
import Reactor

/// Which address of a server a connection is opened to. The addresses of a name are alternatives (RFC 8305): the one that
/// was good last is tried first, the others follow when it fails or does not answer at once.
extension Worker where Outside: ~Copyable {
    /// How long an address has before the next one is tried (RFC 8305 section 5). The last one has all of the timeout.
    private static var attemptDelay: Interval { .milliseconds(250) }

    /// Starts a connection to a server, with the address that it is to.
    mutating func dial(_ server: Int) -> (result: ConnectResult, address: AddressCursor) {
        dial(server, from: servers[server].addressIndex, tried: 0)
    }

    private mutating func dial(
        _ server: Int, from first: Int, tried: Int
    ) -> (result: ConnectResult, address: AddressCursor) {
        let count = servers[server].plan.addresses.count
        var code = ErrorNumber.unreachable
        var tried = tried
        var index = first
        while tried < count {
            index %= count
            tried += 1
            let cursor = AddressCursor(index: index, tried: tried)
            let options = servers.upstreams[servers.upstream(of: server)].plan.tcp
            switch io.world.dial(servers[server].plan.addresses[index], options) {
            case .started(let descriptor): return (.started(descriptor), cursor)
            case .failed(let failure): code = failure
            }
            index += 1
        }
        return (.failed(code), AddressCursor())
    }

    /// Has a connection that is being opened looked at when its address has had its time, of `limit` for the last.
    mutating func setDialDeadline(_ connection: Handle, limit: Interval) {
        let server = Int(upstreams[connection].server)
        let isLast = upstreams[connection].address.tried >= servers[server].plan.addresses.count
        let time = isLast ? limit : Interval(nanoseconds: min(limit.nanoseconds, Self.attemptDelay.nanoseconds))
        upstreams.setDeadline(connection, clock.now + time, &clock)
    }

    /// Whether a connection that could not be opened goes on with another address.
    enum Redial { case begun, noneLeft }

    /// Opens a connection that failed anew, to the next address that was not tried for it.
    mutating func redial(_ connection: Handle, limit: Interval) -> Redial {
        let server = Int(upstreams[connection].server)
        let failed = upstreams[connection].address
        // Others may have found the address to be bad already.
        if servers[server].addressIndex == failed.index, !servers[server].plan.addresses.isEmpty {
            servers[server].addressIndex = (failed.index + 1) % servers[server].plan.addresses.count
        }
        let (result, address) = dial(server, from: failed.index + 1, tried: failed.tried)
        guard case .started(let descriptor) = result else { return .noneLeft }
        io.world.close(upstreams[connection].transport.descriptor, reset: true)
        upstreams[connection].transport = Transport(descriptor, mayWrite: false)
        upstreams[connection].address = address
        guard io.world.watch(descriptor, token: Token(.upstream, connection).raw) else { return .noneLeft }
        setDialDeadline(connection, limit: limit)
        return .begun
    }

    /// A connection was opened: its address is the first to be tried from here on.
    mutating func noteGoodAddress(_ connection: Handle) {
        let server = Int(upstreams[connection].server)
        let index = upstreams[connection].address.index
        if servers[server].addressIndex != index, servers[server].plan.addresses.indices.contains(index),
            upstreams[connection].openedAt >= servers[server].addressSince
        {
            servers[server].addressIndex = index
        }
    }

    /// The addresses of a server's name are others now.
    mutating func moveServer(_ id: ServerID, to addresses: [SocketAddress]) {
        let server = Int(id.slot)
        guard servers.slots.contains(server), servers[server].id == id else { return }
        servers[server].move(to: addresses, now: clock.now)
        closeObsoleteConnections()
        servers.hasFreedCapacity = true
    }
}
