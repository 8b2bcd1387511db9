import HTTP
import Kernel
import Reactor

/// A client: a connection with a socket of its own, or one stream of an HTTP/2 connection.
///
/// `transport.input` holds, oldest first, the request that is being forwarded (kept until its response begins, so that it
/// can be sent again, or its JSON-RPC id echoed) and whatever the client pipelined behind it.
struct ClientConnection: TurnTaking, ~Copyable {
    enum Phase: UInt8 {
        /// The proxy in front has yet to say who the client is (PROXY protocol). There is no TLS before that.
        case awaitingProxyHeader
        case handshaking
        /// Between requests, or inside a head or a small body that is gathered whole.
        case reading
        /// An exchange is under way; its state says how far.
        case exchanging
        /// An HTTP/2 connection: its streams are clients of their own.
        case http2
        /// Answered and half closed: reads on so that the answer is not lost to a reset (RFC 9112 section 9.6).
        case lingering
    }

    /// What has arrived of a request that is not complete yet. Its time runs from its first byte.
    enum Gathering: UInt8 {
        case nothing, head
        /// A small body; its head is here.
        case body
        /// A small body whose length is not known; its head is here.
        case chunkedBody

        var isBody: Bool { self == .body || self == .chunkedBody }
    }

    // In this order the parts pack without holes: every idle stream pays for each of these bytes.
    var transport: Transport
    var deadline = Instant.never
    var exchange = Handle.none
    /// The client's own address, as far as it is known: the socket's peer, or whom that speaks for.
    var address: SocketAddress
    var phase: Phase
    var gathering = Gathering.nothing
    /// The client came over TLS, to us or to a balancer in front that says so.
    var isSecure: Bool
    /// A send failed: the client is gone, whatever reading may still say.
    var isBroken = false
    /// Nothing more will be asked on this connection: it closes once the output is out.
    var closesAfterOutput = false
    /// At least one request was read.
    var hasServed = false
    /// In the worker's queue of those to look at again, or in that for expensive work.
    var awaitsTurn = false
    let listener: UInt16
    /// Bytes of input without which another parse cannot get further; what is left of a lingering close; of an HTTP/2
    /// stream that is being answered, the response bytes that waited when its write timeout was armed, and those that came since.
    var needed: UInt32 = 0
    /// Slot of the HTTP/2 connection that this is, or is a stream of.
    var http2Connection = UInt32.max
    var kind = ClientKind.socket
    /// Of a body that is gathered: when it began to be, in seconds of the worker's clock, modulo 2^16. Of an answer: how far the
    /// client was behind the least rate when it last had taken all, in units of `lagUnit`. There is never both.
    var pace: UInt16 = 0

    /// A 64th of a second: an answer has a lag of 17 minutes at most.
    static var lagUnit: UInt64 { 15_625_000 }

    /// Of a client that lingers.
    var lingerBudget: LingerBudget {
        get { LingerBudget(packed: needed) }
        set { needed = newValue.packed }
    }

    init(_ transport: consuming Transport, address: SocketAddress, listener: Int, phase: Phase, isSecure: Bool) {
        self.transport = transport
        self.address = address
        self.listener = UInt16(truncatingIfNeeded: listener)
        self.phase = phase
        self.isSecure = isSecure
    }
}
