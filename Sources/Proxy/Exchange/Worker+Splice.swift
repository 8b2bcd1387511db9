import HTTP
import Kernel
import Reactor

/// The middle of big bodies. Between two connections in clear it need not be looked at, so it goes from socket to socket
/// (splice(2)) and never through our memory.
extension Worker where Outside: ~Copyable {
    /// For less than this, a read and a send cost no more.
    private static var minimumSpliceBytes: UInt64 { 2 * 65_536 }
    /// What one splice may leave to be kept for a client that takes no more: as much as one read may.
    private static var spliceBytes: UInt64 { 65_536 }

    /// Moves a piece of a response's body, as a read would report it; nil if this body must be read.
    mutating func splice(_ exchange: Handle, from connection: Handle, to client: Handle) -> Transfer? {
        guard exchanges[exchange].state.phase == .relaying, case .length(let left) = exchanges[exchange].response,
            left >= Self.minimumSpliceBytes, !exchanges[exchange].isEventStream,
            exchanges.toolLists.isEmpty || !exchanges.toolLists.contains(exchange.slot),
            exchanges.toolFilters.isEmpty || !exchanges.toolFilters.contains(exchange.slot),
            !exchanges.calls.isReading(exchanges[exchange].call),
            !upstreams.usesTLS(connection), upstreams[connection].transport.input.isEmpty,
            clients.canWriteUncopied(client)
        else { return nil }
        // The end is never spliced: reading it tells whether the server's connection is clean behind the body.
        let most = Int(min(left - 1, Self.spliceBytes))
        let result = io.splice(
            from: upstreams[connection].transport.descriptor, to: &clients[client].transport, most: most)
        guard let result, case .moved(let count) = result.read else { return result?.read }
        exchanges[exchange].response = .length(left - UInt64(count))
        exchanges[exchange].responseBytes &+= UInt64(count)
        if case .failed = result.written {
            clients.markBroken(client)
        } else if result.leftover > 0 {
            clients[client].transport.mayWrite = false
            clients.armWriteTimeout(client, &clock)
        }
        return result.read
    }

    /// Moves a piece of a request's body from a client to its server, as a read would report it; nil if this body must be read.
    mutating func spliceUpload(_ client: Handle) -> Transfer? {
        guard clients[client].phase == .exchanging, clients.hasSocket(client), !clients.usesTLS(client),
            clients[client].transport.input.isEmpty
        else { return nil }
        let exchange = clients[client].exchange
        guard exchanges.contains(exchange), exchanges[exchange].state.phase == .sent,
            case .length(let left) = exchanges[exchange].request, left >= Self.minimumSpliceBytes
        else { return nil }
        let connection = exchanges[exchange].connection
        guard upstreams.contains(connection), !upstreams.usesTLS(connection),
            upstreams[connection].transport.output.isEmpty, upstreams[connection].transport.mayWrite
        else { return nil }
        let most = Int(min(left - 1, Self.spliceBytes))
        let result = io.splice(
            from: clients[client].transport.descriptor, to: &upstreams[connection].transport, most: most)
        guard let result else { return nil }
        if case .wouldBlock = result.read { clients[client].transport.mayRead = false }
        guard case .moved(let count) = result.read else { return result.read }
        exchanges[exchange].request = .length(left - UInt64(count))
        exchanges[exchange].requestBytes += UInt64(count)
        exchanges[exchange].noteUpload(of: UInt64(count), at: clock.now)
        if case .failed = result.written {
            upstreams.markBroken(connection)
        } else if result.leftover > 0 {
            upstreams[connection].transport.mayWrite = false
        }
        armRequestTimeout(exchange)
        return result.read
    }
}

extension ConnectionIO where Outside: ~Copyable {
    /// Moves at most `most` bytes. What the sink does not take now is kept in its output.
    fileprivate mutating func splice(
        from source: Descriptor, to sink: inout Transport, most: Int
    ) -> SpliceResult? {
        bufferPool.acquire(for: &sink.output)
        let result = world.splice(from: source, to: sink.descriptor, most: most, leftover: &sink.output)
        if sink.output.isEmpty { bufferPool.release(&sink.output) }
        return result
    }
}
