import HTTP
import Kernel
import MCP
import Reactor

/// One request with its response.
///
/// A slab entry of fixed size: an idle event stream costs this, its two connections and nothing else. Ranges and
/// heads belong to the worker's scratch and never stay here.
struct Exchange: ~Copyable {
    enum Phase: UInt8 {
        /// In the queue for a connection.
        case waiting
        /// A connection is being opened for it.
        case connecting
        /// The request, or its head and some body, has gone to the server; no response head yet.
        case sent
        /// The response's head has gone to the client.
        case relaying
    }

    /// How the client is told where the body ends.
    enum ClientFraming: UInt8 {
        /// Content-Length, or no body at all.
        case counted
        case chunked
        case untilClose
    }

    // In this order the parts pack without holes: an idle stream pays for each of these bytes.

    /// The target of a GET that may open a legacy stream, and behind it the gathered first event: one read more than
    /// 4 KiB at most. Empty for everybody else.
    var pending = ByteBuffer()
    /// Bytes at the front of the client's input that belong to this request.
    var replayBytes: Int32
    var request: BodyReader
    var response = BodyReader.complete
    let client: Handle
    var upstream = Handle.none
    /// Neighbours in the upstream's queue, by slot.
    var previous = UInt32.max
    var next = UInt32.max
    var deadline = Instant.never
    /// Servers that could not be reached for it, one bit for each of the first 64.
    var tried: UInt64 = 0
    /// Two instants that are never needed together: until when it may wait, from its first time in the queue on; and
    /// when the server was last heard on an event stream.
    private var instant = Instant.never
    /// Body bytes the client has sent of a request that streams.
    var requestBytes: UInt64 = 0
    /// Key minted for session-hash placement; goes into the id if this turns out to open a session.
    var affinityKey: UInt64 = 0
    /// The session id the client sent, as a range of the held bytes.
    var sessionID = ByteRange.empty
    var boundary = EventStream.BoundaryTracker()
    /// Bytes of `pending` that are the target.
    var targetCount: UInt16 = 0
    /// Indices in the snapshot; the endpoint is -1 until one is chosen.
    let upstreamIndex: Int16
    var server: Int16 = -1
    var phase = Phase.waiting
    let kind: RequestKind
    let method: Method
    /// Its session ties it to `server`: nowhere else will do.
    var isPinned = false
    var isQueued = false
    /// A reused connection failed it: the next one must be new.
    var wantsFresh = false
    let clientIsHTTP10: Bool
    /// The client's wish; reality may be less.
    var keepsClient: Bool
    /// All of the request was in hand when it was dispatched: it is held and can be sent again.
    let isWhole: Bool
    var isEventStream = false
    /// The response of a legacy GET whose first event is still being gathered.
    var scansEndpoint = false
    var hasBegunRequestTrailers = false
    var hasBegunResponseTrailers = false
    var hasEndedRequest = false
    var clientFraming = ClientFraming.counted
    var attempts: UInt8 = 0
    var informationalCount: UInt8 = 0
    var waitsUntil: Instant {
        get { instant }
        set { instant = newValue }
    }

    var lastUpstreamActivity: Instant {
        get { instant }
        set { instant = newValue }
    }

    init(
        client: Handle, upstreamIndex: Int, kind: RequestKind, head: borrowing RequestHead, isWhole: Bool, length: Int
    ) {
        self.client = client
        self.upstreamIndex = Int16(truncatingIfNeeded: upstreamIndex)
        self.kind = kind
        method = head.method
        clientIsHTTP10 = head.minorVersion == 0
        keepsClient = head.isKeepAlive
        self.isWhole = isWhole
        replayBytes = Int32(truncatingIfNeeded: length)
        request = BodyReader(head.framing)
    }

    /// The request goes out, perhaps not for the first time: its body is read from the start.
    mutating func rewindRequest(_ framing: BodyFraming) {
        request = BodyReader(framing)
        requestBytes = 0
        hasBegunRequestTrailers = false
        hasEndedRequest = false
    }
}
