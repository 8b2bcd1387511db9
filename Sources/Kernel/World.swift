/// What a worker knows about a descriptor after a wait. Predicates, not masks: a multi-bit mask with `contains` lies.
public struct Readiness: Equatable, Sendable {
    @usableFromInline let bits: UInt8

    @inlinable
    public init(readable: Bool = false, writable: Bool = false, ended: Bool = false, failed: Bool = false) {
        bits = (readable ? 1 : 0) | (writable ? 2 : 0) | (ended ? 4 : 0) | (failed ? 8 : 0)
    }

    @inlinable public var isReadable: Bool { bits & 1 != 0 }
    @inlinable public var isWritable: Bool { bits & 2 != 0 }
    /// The peer sent FIN (RDHUP), or both directions are shut (HUP).
    @inlinable public var hasEnded: Bool { bits & 4 != 0 }
    /// An error is pending on the socket: reset, refused, unreachable.
    @inlinable public var hasFailed: Bool { bits & 8 != 0 }
}

/// What came of one read or write. `EAGAIN` is an outcome, not an error.
public enum Transfer: Equatable, Sendable {
    /// So many bytes moved, at least one.
    case moved(Int)
    /// The peer has finished sending. Reads only.
    case ended
    /// Nothing can move now; the poller will say when.
    case wouldBlock
    /// The connection is of no more use; errno says why.
    case failed(CInt)
}

/// What came of passing bytes from one connection straight on to another.
public struct SpliceResult: Equatable, Sendable {
    /// What the source gave, as a read would say it.
    public let read: Transfer
    /// What the sink did with it: `moved` of all or a part, `wouldBlock`, or `failed`, and then the rest is lost.
    public let written: Transfer
    /// Bytes that were taken and not given. They must be fetched before the next passage.
    public let leftover: Int

    public init(read: Transfer, written: Transfer = .wouldBlock, leftover: Int = 0) {
        self.read = read
        self.written = written
        self.leftover = leftover
    }
}

/// What came of one accept.
public enum AcceptResult: Sendable {
    case connection(Descriptor, from: SocketAddress)
    case none
    /// Out of descriptors or memory (EMFILE, ENFILE, ENOBUFS, ENOMEM), or one aborted connection after another
    /// (ECONNABORTED): try again later, the backlog keeps waiting and no event will come for it.
    case exhausted(CInt)
}

/// What came of asking for a connection. A refusal may also come later, through readiness.
public enum ConnectResult: Sendable {
    case started(Descriptor)
    case failed(CInt)
}

/// Everything outside a worker: the clock, readiness, sockets. The real one is `Linux`; tests put a simulated one
/// in its place, which is why nothing in a worker may reach the kernel by another way. The worker is generic over
/// its world, so production pays nothing for the seam.
///
/// All sockets are non-blocking. A descriptor is watched once, edge-triggered, for reading and writing both; the
/// token comes back with each event.
public protocol World: ~Copyable {
    mutating func now() -> Instant
    /// Seconds since 1970, for what another process must understand.
    mutating func wallSeconds() -> UInt32
    /// A random number good enough to seed tables and pick between two; not for keys.
    mutating func random() -> UInt64

    /// Sleeps until something is ready, at most `milliseconds` (−1: for ever). Returns how many events there are.
    mutating func wait(milliseconds: CInt) -> Int
    /// The event with this index of the last wait.
    func event(_ index: Int) -> (token: UInt64, readiness: Readiness)
    mutating func watch(_ descriptor: Descriptor, token: UInt64) -> Bool

    mutating func accept(_ listener: Descriptor) -> AcceptResult
    mutating func dial(_ address: SocketAddress) -> ConnectResult
    /// After a dialled descriptor became ready: 0 if connected, else errno.
    mutating func connectionError(_ descriptor: Descriptor) -> CInt
    /// True if the peer's kernel never acknowledged the last bytes that were sent. Once `receive` has said `ended`,
    /// they came after the peer had closed, for a FIN acknowledges all that had arrived: the peer cannot have acted on
    /// them. After a reset this proves nothing: acknowledgements are delayed, and the peer may have read the bytes.
    mutating func hasUnacknowledged(_ descriptor: Descriptor) -> Bool

    mutating func receive(_ descriptor: Descriptor, into space: inout MutableSpan<UInt8>) -> Transfer
    mutating func send(_ descriptor: Descriptor, _ bytes: Span<UInt8>) -> Transfer
    /// Moves up to `most` bytes, at least one, from what one connection has received to what another is to send, without
    /// showing them to anybody. Nil where that cannot be done: then read and send.
    mutating func splice(from source: Descriptor, to sink: Descriptor, most: Int) -> SpliceResult?
    /// Puts what the last passage left over, in order, into `space`, which has room for all of it.
    mutating func takeLeftover(into space: inout MutableSpan<UInt8>)
    /// Sends FIN; reading goes on.
    mutating func finish(_ descriptor: Descriptor)
    /// With `reset`, the peer gets RST in place of FIN: the honest end of a body that was cut short.
    mutating func close(_ descriptor: Descriptor, reset: Bool)
}
