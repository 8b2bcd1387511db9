import HTTP
import Kernel
import Reactor

/// The middle of big bodies. Between two connections in clear nobody has to look at it, so it goes from socket to socket
/// and never through our memory.
extension Worker where Outside: ~Copyable {
    /// Of less than this a read and a send cost no more.
    private static var minimumSpliceBytes: UInt64 { 2 * 65_536 }
    /// What one passage may leave to be kept for a client that takes no more: as much as one read may.
    private static var spliceBytes: UInt64 { 65_536 }

    /// One turn of passing a response's body on, as a read would report it; nil if this body must be read.
    mutating func spliceBody(_ u: Handle, _ e: Handle, to c: Handle) -> Transfer? {
        guard exchanges[e].phase == .relaying, case .length(let left) = exchanges[e].response,
            left >= Self.minimumSpliceBytes,
            !exchanges[e].isEventStream, upstreams[u].tls == nil, upstreams[u].input.isEmpty,
            clients[c].tls == nil, clients[c].stream == 0, clients[c].output.isEmpty, clients[c].mayWrite
        else { return nil }
        // The end is never passed: reading it tells whether the server's connection is clean behind the body.
        let most = Int(min(left - 1, Self.spliceBytes))
        io.bufferPool.acquire(for: &clients[c].output)
        let splice = io.world.splice(
            from: upstreams[u].descriptor, to: clients[c].descriptor, most: most, leftover: &clients[c].output)
        if clients[c].output.isEmpty { io.bufferPool.release(&clients[c].output) }
        guard let splice, case .moved(let count) = splice.read else { return splice?.read }
        exchanges[e].response = .length(left - UInt64(count))
        if case .failed = splice.written {
            markBroken(c)
        } else if splice.leftover > 0 {
            clients[c].mayWrite = false
            armWriteTimeout(c)
        }
        return splice.read
    }
}
