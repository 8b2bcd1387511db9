import HTTP
import Kernel
import Reactor
import TLS

/// One connection of the generator. It keeps its slot for the whole run; a new socket is connected when the old one is
/// closed.
struct Connection: ~Copyable {
    /// The life of the socket.
    enum Phase: Equatable {
        /// No socket. `Engine.dial` makes one.
        case closed
        /// No socket; waiting for the reconnect delay to pass.
        case backingOff
        case dialling
        case handshaking
        /// Requests may be sent.
        case open
    }

    /// Index of its group in `Engine.groups`.
    let group: Int
    var phase = Phase.closed
    var descriptor = Descriptor.none
    /// The number of sockets so far. It is part of the poller's token, so that a late event of an earlier socket is
    /// recognised.
    var incarnation: UInt32 = 0
    /// Nil for plain HTTP.
    var tls: TLSSession?
    /// Nil in HTTP/1.1.
    var http2: HTTP2ClientSession?
    /// Bytes received and not yet parsed: part of a response head, usually empty.
    var input = ByteBuffer()
    /// Bytes to be sent once the socket is writable again.
    var output = ByteBuffer()
    /// The socket was readable and a read has not yet returned EAGAIN.
    var mayRead = false
    /// The peer has sent FIN: a short read does not mean that the socket is drained, so reading goes on to the end.
    var hasEnded = false
    /// In `Engine.pendingReads`.
    var isReadPending = false
    /// When connecting, the handshake or closing times out.
    var deadline = Instant.never
    /// The state of the response being read (HTTP/1.1).
    var response = ResponseReader()
    /// The call under way, or the call that waits for the connection to open (HTTP/1.1).
    var call = Handle.none
    /// Calls under way, in either version of HTTP.
    var load = 0
    /// Responses since it opened. A connection that is closed after at least one was probably idle too long; its loss
    /// is no failure.
    var responses: UInt64 = 0
    /// Takes no new calls and is closed when those under way have ended (HTTP/2, after GOAWAY).
    var isDraining = false
    /// In `Engine.pendingFlushes` (HTTP/2).
    var isFlushPending = false
    /// In the `free` queue of its group.
    var isFree = false
    /// The queue of sessions that wait for this connection: slots of its first and last session; -1 for none.
    var firstWaiting: Int32 = -1
    var lastWaiting: Int32 = -1

    init(group: Int) { self.group = group }
}

/// The parsing state of the response on a connection (HTTP/1.1).
struct ResponseReader {
    enum Phase {
        case head
        /// Remaining bytes of a Content-Length body.
        case length(UInt64)
        case chunked(ChunkDecoder)
        case untilClose
    }

    var phase = Phase.head
    /// The connection closes after this response (RFC 9112 section 9.3).
    var isLast = false
}
