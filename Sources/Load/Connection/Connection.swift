import HTTP
import Kernel
import Reactor
import TLS

/// One connection of the generator: a place that is dialled again whenever the socket in it is gone.
struct Connection: ~Copyable {
    enum Phase: Equatable {
        /// No socket. `Engine.dial` gives it one.
        case closed
        /// Waiting a moment before the next attempt.
        case resting
        case dialling
        case handshaking
        /// Requests may be sent.
        case open
    }

    let group: Int
    var phase = Phase.closed
    var descriptor = Descriptor.none
    /// Sockets so far: an event of an earlier one is told by it.
    var incarnation: UInt32 = 0
    var tls: TLSSession?
    /// Nil in HTTP/1.1.
    var http2: HTTP2ClientSession?
    /// Received and not yet understood: part of a head, mostly nothing.
    var input = ByteBuffer()
    /// To be sent, for the socket took no more.
    var output = ByteBuffer()
    var mayRead = false
    /// The peer has sent FIN: reading goes on to the end, whatever the length of a read.
    var hasEnded = false
    /// On the engine's list of those to be read on.
    var isListed = false
    /// When dialling, the handshake or the good-bye must be over.
    var deadline = Instant.never
    /// The response that is being read.
    var response = ResponseReader()
    /// The call under way, or waiting for the connection to open; HTTP/1.1.
    var call = Handle.none
    /// Calls under way, whatever the version: how full it is.
    var load = 0
    /// Answers since it opened: a connection that ends before its first was not idle too long.
    var answers: UInt64 = 0
    /// It takes no more calls, and ends when those under way have (HTTP/2).
    var isLeaving = false
    /// On the engine's list of those that may have something to send (HTTP/2).
    var isUnsettled = false
    /// On its lane's list of those with room.
    var isFree = false
    /// Sessions that wait for this connection and no other: the first and last of the line, as slots; -1 for none.
    var firstInLine: Int32 = -1
    var lastInLine: Int32 = -1

    init(group: Int) { self.group = group }
}

/// How far the response on a connection has been read (HTTP/1.1).
struct ResponseReader {
    enum Phase {
        case head
        case length(UInt64)
        case chunked(ChunkDecoder)
        case untilClose
    }

    var phase = Phase.head
    /// The server will close after it, or said so.
    var isLast = false
}
