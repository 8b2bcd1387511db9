import Kernel
import Reactor
import TLS

/// A client's connection: one socket, its TLS, and what it has sent or is owed.
///
/// Owns heap bytes only while something is partial, held or unsent. `input` holds, oldest first, the request that is
/// being forwarded (kept until its response begins, so that it can be sent again, or its id echoed) and whatever the
/// client pipelined behind it.
struct ClientConnection: ~Copyable {
    enum Phase: UInt8 {
        case handshaking
        /// Between requests, or inside a head or a small body that is gathered whole.
        case reading
        /// An exchange is under way; its state says how far.
        case exchanging
        /// An HTTP/2 connection: its streams are clients of their own.
        case http2
        /// Answered and half closed: reads on so that the answer is not lost to a reset (RFC 9112 section 9.6).
        case lingering
        /// The proxy in front has yet to say who the client is (PROXY protocol). There is no TLS before that.
        case awaitingProxyHeader
    }

    // In this order the parts pack without holes: an idle stream pays for each of these bytes.
    var input = ByteBuffer()
    /// Bytes of `input` without which another parse cannot get further.
    var needed: UInt32 = 0
    var output = ByteBuffer()
    let descriptor: Descriptor
    var tls: TLSSession?
    var deadline = Instant.never
    var exchange = Handle.none
    /// The client's own, as far as that is known: the socket's peer, or whom that speaks for.
    var address: SocketAddress
    var phase: Phase
    /// The last event said there may be bytes; cleared by a short read (edge-triggered).
    var mayRead = false
    var mayWrite = true
    /// FIN or worse was seen.
    var hasEnded = false
    /// The client came over TLS.
    var isSecure = false
    /// A stream whose body has no announced length: its bytes are framed as chunks.
    var framesChunks = false
    /// A stream whose final response head has gone to the session.
    var hasHead = false
    /// A send failed: it is gone, whatever reading may still say.
    var isBroken = false
    /// Nothing more will be asked on this connection: close it once the output is out.
    var closesAfterOutput = false
    /// Part of a head or of a small body is here: its time runs from its first byte.
    var isGathering = false
    /// What is gathered is a small body; its head is here.
    var isGatheringBody = false
    /// At least one request was read.
    var hasServed = false
    /// In the worker's list of those to look at again this turn.
    var isResuming = false
    let listener: UInt16
    /// Slot of the HTTP/2 connection this is, or is a stream of.
    var http2Connection = UInt32.max
    /// The HTTP/2 stream this client stands for; 0: a connection of its own.
    var stream: Int32 = 0
    /// Body bytes of a stream that have not moved on, for which its window is still to be opened.
    var unreturnedWindow: UInt32 = 0

    init(descriptor: Descriptor, address: SocketAddress, listener: Int, phase: Phase) {
        self.descriptor = descriptor
        self.address = address
        self.listener = UInt16(truncatingIfNeeded: listener)
        self.phase = phase
    }

    mutating func note(_ readiness: Readiness) {
        if readiness.isReadable || readiness.hasEnded || readiness.hasFailed { mayRead = true }
        if readiness.isWritable { mayWrite = true }
        if readiness.hasEnded || readiness.hasFailed { hasEnded = true }
    }
}
