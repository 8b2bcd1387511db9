/// What a wait has found out about a descriptor.
public struct Readiness: Equatable, Sendable {
    @usableFromInline let bits: UInt8

    /// Readiness as a poller or a test finds it.
    @inlinable
    public init(readable: Bool = false, writable: Bool = false, ended: Bool = false, failed: Bool = false) {
        bits = (readable ? 1 : 0) | (writable ? 2 : 0) | (ended ? 4 : 0) | (failed ? 8 : 0)
    }

    /// Bytes, a connection to accept, or the end of a stream may be read.
    @inlinable public var isReadable: Bool { bits & 1 != 0 }
    /// The socket takes bytes, or a dialled one has connected or failed.
    @inlinable public var isWritable: Bool { bits & 2 != 0 }
    /// The peer sent FIN (RDHUP), or both directions are shut (HUP).
    @inlinable public var hasEnded: Bool { bits & 4 != 0 }
    /// An error is pending on the socket: reset, refused, unreachable.
    @inlinable public var hasFailed: Bool { bits & 8 != 0 }
}

/// The outcome of one read or write. `EAGAIN` is one of them and no error.
public enum Transfer: Equatable, Sendable {
    /// This many bytes moved, at least one.
    case moved(Int)
    /// The peer has finished sending. Reads only.
    case ended
    /// Nothing can move now (EAGAIN); an event will come when it can.
    case wouldBlock
    /// The connection is broken, with this errno.
    case failed(CInt)
}

/// The outcome of one `splice` from one connection to another.
public struct SpliceResult: Equatable, Sendable {
    /// The outcome of reading from the source.
    public let read: Transfer
    /// The outcome of writing to the sink: `moved` of all or a part, `wouldBlock`, or `failed`, and then the rest is lost.
    public let written: Transfer
    /// Bytes that were read and not written. `takeLeftover` must fetch them before the next `splice`.
    public let leftover: Int

    /// A result; as written, nothing went to the sink.
    public init(read: Transfer, written: Transfer = .wouldBlock, leftover: Int = 0) {
        self.read = read
        self.written = written
        self.leftover = leftover
    }
}

/// The outcome of one accept(2).
public enum AcceptResult: Sendable {
    /// A connection and its peer's address. The caller owns the descriptor.
    case connection(Descriptor, from: SocketAddress)
    /// No connection waits; an event will come with the next.
    case none
    /// The errno of a process out of descriptors or memory (EMFILE, ENFILE, ENOBUFS, ENOMEM), or ECONNABORTED after many
    /// aborted connections: connections may wait that no event will come for, so try again later.
    case exhausted(CInt)
}

/// The outcome of starting a connection. A refusal may also come later, through readiness.
public enum ConnectResult: Sendable {
    /// The connection is being made. The caller owns the descriptor.
    case started(Descriptor)
    /// It cannot be made, with this errno; there is no descriptor.
    case failed(CInt)
}

/// Everything outside a worker: the clock, readiness, sockets. The real one is `Linux`; tests put a simulated one
/// in its place, so a worker may reach the kernel in no other way. The worker is generic over its world and specialised
/// for `Linux`: the indirection costs nothing at run time.
///
/// All sockets are non-blocking. A descriptor is watched once, edge-triggered, for reading and writing both; the
/// token comes back with each event.
public protocol World: ~Copyable {
    /// The present on the monotonic clock.
    mutating func now() -> Instant
    /// Seconds since 1970 UTC, modulo 2^32, for what another process must understand.
    mutating func wallSeconds() -> UInt32
    /// Nanoseconds since 1970 UTC, for people to read.
    mutating func wallNanoseconds() -> UInt64
    /// A random number to seed hash tables with and to choose servers by; not for keys.
    mutating func random() -> UInt64

    /// Sleeps until something is ready, at most `milliseconds` (−1: without end). Returns how many events there are.
    mutating func wait(milliseconds: CInt) -> Int
    /// The event with this index of the last wait.
    func event(_ index: Int) -> (token: UInt64, readiness: Readiness)
    /// Has later waits report what becomes of `descriptor`, with `token`, until it is closed. False if the kernel refuses.
    mutating func watch(_ descriptor: Descriptor, token: UInt64) -> Bool
    /// Has later waits report nothing more of `descriptor`, which stays open. Closing it is not enough where another
    /// process has it too: the kernel reports a file until the last descriptor of it is closed (epoll(7)).
    mutating func unwatch(_ descriptor: Descriptor)

    /// The user whose process is at the other end of a connection through the file system; nil for any other connection.
    mutating func peerUser(_ descriptor: Descriptor) -> UInt32?
    /// Takes one connection out of the backlog of `listener`.
    mutating func accept(_ listener: Descriptor) -> AcceptResult
    /// Has `listener` ignore connections that begin now; what has begun may still be accepted. Best effort: a kernel that
    /// cannot do it goes on as before.
    mutating func refuseHandshakes(_ listener: Descriptor)
    /// Starts a TCP connection to `address` with `options`, and does not wait for it.
    mutating func dial(_ address: SocketAddress, _ options: TCPOptions) -> ConnectResult
    /// After a dialled descriptor became ready: 0 if connected, else errno.
    mutating func connectionError(_ descriptor: Descriptor) -> CInt
    /// True if the peer's kernel never acknowledged the last bytes that were sent. Once `receive` has said `ended`,
    /// they came after the peer had closed, for a FIN acknowledges all that had arrived: the peer cannot have acted on
    /// them. After a reset this proves nothing: acknowledgements are delayed, and the peer may have read the bytes.
    mutating func hasUnacknowledged(_ descriptor: Descriptor) -> Bool

    /// Reads into `space`, which is not empty: one read.
    mutating func receive(_ descriptor: Descriptor, into space: inout MutableSpan<UInt8>) -> Transfer
    /// Writes as many of `bytes`, of which there is at least one, as the socket takes: one write. Never `ended`.
    mutating func send(_ descriptor: Descriptor, _ bytes: Span<UInt8>) -> Transfer
    /// Moves up to `most` bytes, at least one, from what one connection has received to what another is to send, within
    /// the kernel. Nil where that cannot be done, with nothing read: then receive and send.
    mutating func splice(from source: Descriptor, to sink: Descriptor, most: Int) -> SpliceResult?
    /// Copies the bytes that the last `splice` left over, in order, into `space`, which is large enough. Returns how many
    /// came: where it is fewer, the others are lost.
    mutating func takeLeftover(into space: inout MutableSpan<UInt8>) -> Int
    /// The content of a challenge that an ACME client has put into a folder (RFC 8555 section 8.3), `limit` bytes at most; nil
    /// if there is none. `name` is base64url. Reads a file of a local disk: a few microseconds.
    mutating func readChallenge(_ name: String, in folder: String, limit: Int) -> [UInt8]?
    /// Sends FIN after all that was sent; reading goes on.
    mutating func finish(_ descriptor: Descriptor)
    /// Closes the descriptor, which must not be used again. With `reset`, the peer gets RST in place of FIN, so that it
    /// cannot take a truncated body for a complete one.
    mutating func close(_ descriptor: Descriptor, reset: Bool)
}

extension World where Self: ~Copyable {
    /// A world of TCP alone knows no such users.
    public mutating func peerUser(_ descriptor: Descriptor) -> UInt32? { nil }

    /// The file of that name in the folder, or in `.well-known/acme-challenge` below it, where most ACME clients put their
    /// challenges if the folder is what they call the web root.
    public mutating func readChallenge(_ name: String, in folder: String, limit: Int) -> [UInt8]? {
        if let found = try? SmallFile.read(name, in: folder, limit: limit) { return found }
        return try? SmallFile.read(name, in: folder, below: [".well-known", "acme-challenge"], limit: limit)
    }

    /// Starts a TCP connection to `address` with the default options.
    public mutating func dial(_ address: SocketAddress) -> ConnectResult { dial(address, TCPOptions()) }
}
