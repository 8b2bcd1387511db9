import CLinux
import Glibc

/// The real world: epoll, the monotonic clock, TCP. One thread uses one value.
public struct Linux: World, ~Copyable {
    private let poller: Poller
    private var generator = SystemRandomNumberGenerator()
    /// Made for the first `splice`, and again after a sink failed with bytes in it.
    private var pipe: SplicePipe?

    /// Opens an epoll instance, which the value owns. Throws what epoll_create1(2) fails with.
    public init() throws(SystemError) {
        poller = try Poller()
    }

    /// CLOCK_MONOTONIC, read in the vDSO: no system call.
    public mutating func now() -> Instant { .now() }
    /// time(2), which follows every correction of the system's clock.
    public mutating func wallSeconds() -> UInt32 { WallClock.seconds() }
    public mutating func wallNanoseconds() -> UInt64 { WallClock.nanoseconds() }
    /// The system's generator. Each call may be a getrandom(2).
    public mutating func random() -> UInt64 { generator.next() }

    /// One epoll_wait(2), of at most 512 events; 0 after a signal too.
    public mutating func wait(milliseconds: CInt) -> Int { poller.wait(milliseconds: milliseconds) }
    /// As `wait(milliseconds:)`, to the nanosecond; to the millisecond, rounded down, before Linux 5.11.
    public mutating func wait(_ interval: Interval) -> Int { poller.wait(interval) }
    /// `index` is below the count that the last wait returned; it is not checked.
    public func event(_ index: Int) -> (token: UInt64, readiness: Readiness) { poller.event(index) }
    /// One epoll_ctl(2), edge-triggered. False on ENOMEM or ENOSPC (fs.epoll.max_user_watches).
    public mutating func watch(_ descriptor: Descriptor, token: UInt64) -> Bool {
        poller.add(descriptor, token: token)
    }
    /// One epoll_ctl(2).
    public mutating func unwatch(_ descriptor: Descriptor) { poller.remove(descriptor) }

    /// A filter on the socket drops SYNs (socket(7), SO_ATTACH_FILTER).
    public mutating func refuseHandshakes(_ listener: Descriptor) { _ = berth_refuse_handshakes(listener.raw) }

    /// SO_PEERCRED.
    public mutating func peerUser(_ descriptor: Descriptor) -> UInt32? { UnixSocket.peerUser(descriptor) }

    /// accept4(2), at most 16 times if connections failed in the backlog. The descriptor is non-blocking and closed on
    /// exec.
    public mutating func accept(_ listener: Descriptor) -> AcceptResult {
        var peer = sockaddr_storage()
        // A connection that was reset in the backlog (ECONNABORTED) is not the end of the batch. The loop is bounded, for
        // a peer may reset one after another.
        for _ in 0..<16 {
            let raw = berth_accept(listener.raw, &peer)
            if raw >= 0 {
                return .connection(Descriptor(raw), from: SocketAddress(peer) ?? .ipv4(0, port: 0))
            }
            switch errno {
            case EINTR, ECONNABORTED, EPROTO: continue
            case EAGAIN: return .none
            default: return .exhausted(errno)
            }
        }
        // The backlog may hold more, and no edge-triggered event will come for it.
        return .exhausted(ECONNABORTED)
    }

    /// A non-blocking socket with TCP_NODELAY and `options`. Fails at once for want of a descriptor, a port or a route.
    public mutating func dial(_ address: SocketAddress, _ options: TCPOptions) -> ConnectResult {
        Socket.dial(address, options)
    }

    /// SO_ERROR, which reading clears.
    public mutating func connectionError(_ descriptor: Descriptor) -> CInt { berth_socket_error(descriptor.raw) }

    /// The SIOCOUTQ count: bytes in the send queue that the peer's TCP has not acknowledged.
    public mutating func hasUnacknowledged(_ descriptor: Descriptor) -> Bool {
        berth_unacknowledged(descriptor.raw) > 0
    }

    /// One recvfrom(2). A signal's EINTR counts as `wouldBlock`.
    public mutating func receive(_ descriptor: Descriptor, into space: inout MutableSpan<UInt8>) -> Transfer {
        let raw = descriptor.raw
        let count = space.withUnsafeMutableBufferPointer { berth_receive(raw, $0.baseAddress, $0.count) }
        if count > 0 { return .moved(count) }
        if count == 0 { return .ended }
        return Linux.outcome(errno)
    }

    /// One sendto(2) with MSG_NOSIGNAL: a closed peer is EPIPE and no SIGPIPE.
    public mutating func send(_ descriptor: Descriptor, _ bytes: Span<UInt8>) -> Transfer {
        let raw = descriptor.raw
        let count = bytes.withUnsafeBufferPointer {
            berth_send(raw, $0.baseAddress, $0.count)
        }
        return count >= 0 ? .moved(count) : Linux.outcome(errno)
    }

    /// splice(2) into a pipe that the value owns, and out of it again. Nil if no pipe can be made (EMFILE, ENFILE) or
    /// the kernel cannot splice the sockets; then the pipe, which held nothing, is closed.
    public mutating func splice(from source: Descriptor, to sink: Descriptor, most: Int) -> SpliceResult? {
        if pipe == nil { pipe = SplicePipe() }
        guard var pipe = pipe.take(), let read = pipe.fill(from: source, most: most) else { return nil }
        guard case .moved = read else {
            self.pipe = consume pipe
            return SpliceResult(read: read)
        }
        let written = pipe.empty(into: sink)
        // The bytes that a failed sink did not take are discarded with the pipe.
        if case .failed = written { return SpliceResult(read: read, written: written) }
        let leftover = pipe.leftover
        self.pipe = consume pipe
        return SpliceResult(read: read, written: written, leftover: leftover)
    }

    /// Reads the pipe empty.
    public mutating func takeLeftover(into space: inout MutableSpan<UInt8>) -> Int {
        guard let count = pipe?.drain(into: &space) else { return 0 }
        // What could not be read would come out in front of the next body.
        if pipe?.leftover != 0 { pipe = nil }
        return count
    }

    /// shutdown(2) of the writing side. Errors are ignored: a peer that has gone needs no FIN.
    public mutating func finish(_ descriptor: Descriptor) {
        shutdown(descriptor.raw, CInt(SHUT_WR))
    }

    /// close(2), after SO_LINGER with a time of zero if the peer is to get RST.
    public mutating func close(_ descriptor: Descriptor, reset: Bool) {
        if reset {
            var linger = linger(l_onoff: 1, l_linger: 0)
            setsockopt(descriptor.raw, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
        }
        // EINTR from close(2) on Linux means the descriptor is already gone; a retry could close another thread's.
        Glibc.close(descriptor.raw)
    }

    /// The outcome of a failed read or write. EINTR cannot happen on a non-blocking socket; it is treated as `wouldBlock`.
    static func outcome(_ code: CInt) -> Transfer {
        code == EAGAIN || code == EINTR ? .wouldBlock : .failed(code)
    }
}
