import HTTP
import Kernel
import MCP
import Reactor

/// One request with its response (RFC 9110 section 3).
///
/// A slab entry of fixed size: an idle event stream costs this, its two connections and nothing else. Ranges and heads
/// belong to the worker's scratch and never stay here.
struct Exchange: StreamKeyed, ~Copyable {
    /// How the client is told where the body ends.
    enum ClientFraming: UInt8 {
        /// Content-Length, or no body at all.
        case counted
        case chunked
        case untilClose
    }

    /// How far a chunked body has got on the side that gets it. No enum: two of them share a byte, and must come out of it
    /// at no cost.
    struct ChunkedBody: Equatable {
        fileprivate let bits: UInt8
        static var data: ChunkedBody { ChunkedBody(bits: 0) }
        static var trailers: ChunkedBody { ChunkedBody(bits: 1) }
        static var ended: ChunkedBody { ChunkedBody(bits: 2) }
    }

    /// What the response's body is.
    enum ResponseKind: UInt8 {
        case message
        case eventStream
        /// An event stream in a content coding: nothing can be put into it, nor read in it.
        case codedStream
        /// The stream of a legacy GET whose first event is still being gathered.
        case unseenEndpoint
        /// The stream of a legacy session, which ends with it.
        case legacyStream
    }

    /// Which connections will do.
    enum ConnectionChoice: UInt8 {
        case any
        /// A reused one failed the exchange: the next one must be new.
        case new
    }

    // In this order the parts pack without holes: every idle stream pays for each of these bytes.

    /// The target of a GET that may open a legacy stream, and behind it the gathered first event, one read more than
    /// 4 KiB at most; or the session id of a request that streams; or kept trailer lines. Empty for most.
    var pending = ByteBuffer()
    /// Bytes at the front of the client's input that belong to this request and are kept for another attempt.
    var replayBytes: Int32
    var request: BodyReader
    var response = BodyReader.complete
    let client: Handle
    /// The connection to the server.
    var connection = Handle.none
    var deadline = Instant.never
    var times: PhaseTimes
    /// The server's slot in the server table; -1 until one is selected.
    var server: Int32 = -1
    /// Servers that could not be reached for it: a bit for each of the first 64. Written and read by `Exchanges`, which
    /// has the others.
    var tried: UInt64 = 0
    /// Three instants that are never needed together: until when it may wait, from its first time in the queue on; how far
    /// its upload has got; and when the server last sent something on an event stream.
    private var instant = Instant.never
    /// Body bytes from the client in the lower 40 bits, the slot of its call in the others.
    private var packedRequest = UInt64(OpenCalls.none) << 40
    /// Two numbers that are never needed together: the key made here for session-hash, which goes into the id if the
    /// response opens a session; and the body bytes of the response.
    private var number: UInt64 = 0
    /// The session id that the client sent, as a range of its input or of `pending`.
    var sessionID = ByteRange.empty
    var boundary = EventStream.BoundaryTracker()
    /// Bytes of `pending` that are the target.
    var targetCount: UInt16 = 0
    /// The upstream's slot; `UInt16.max` before it is routed.
    var upstream = UInt16.max
    /// Of the response, ours or the server's; 0 until there is one.
    var status: UInt16 = 0
    /// Interim responses of the server so far.
    var interim = InterimBudget()
    var state = ExchangeState()
    let kind: RequestKind
    let method: Method
    /// Its session ties it to `server`: no other will do.
    var isPinned = false
    var connectionChoice = ConnectionChoice.any
    let clientIsHTTP10: Bool
    /// The client's connection goes on after this exchange, as far as is known.
    var keepsClient: Bool
    /// All of the request was there when it was dispatched: it is kept and can be sent again.
    let isWhole: Bool
    var responseKind = ResponseKind.message
    /// How far the bodies of request and response have got, two bits each, and what is said of its session below.
    private var packedBodies: UInt8 = 0
    var clientFraming = ClientFraming.counted
    var attempts: UInt8 = 0

    var requestBody: ChunkedBody {
        get { ChunkedBody(bits: packedBodies & 3) }
        set { packedBodies = packedBodies & ~3 | newValue.bits }
    }

    var responseBody: ChunkedBody {
        get { ChunkedBody(bits: packedBodies >> 2 & 3) }
        set { packedBodies = packedBodies & ~12 | newValue.bits << 2 }
    }

    /// Its session was recovered: it has another id at its server than the client's.
    var isMapped: Bool {
        get { packedBodies & 16 != 0 }
        set { packedBodies = newValue ? packedBodies | 16 : packedBodies & ~16 }
    }

    /// Its response is read for what it says of the session.
    var isCaptured: Bool {
        get { packedBodies & 32 != 0 }
        set { packedBodies = newValue ? packedBodies | 32 : packedBodies & ~32 }
    }

    /// It waits for its session to be recovered.
    var awaitsRecovery: Bool {
        get { packedBodies & 64 != 0 }
        set { packedBodies = newValue ? packedBodies | 64 : packedBodies & ~64 }
    }

    /// Its session was recovered for it: that is done once.
    var wasRecovered: Bool {
        get { packedBodies & 128 != 0 }
        set { packedBodies = newValue ? packedBodies | 128 : packedBodies & ~128 }
    }

    /// Its response may begin a session.
    var mayOpenSession: Bool {
        switch kind {
        case .sessionless, .streamOpening, .resumption, .other: true
        case .modern, .legacyMessage, .session, .preflight: false
        }
    }

    var waitsUntil: Instant {
        get { instant }
        set { instant = newValue }
    }

    /// Of a request that streams and has no response yet: the moment up to which the bytes so far have paid for its time,
    /// never later than the present.
    var uploadPace: Instant {
        get { instant }
        set { instant = newValue }
    }

    var lastUpstreamActivity: Instant {
        get { instant }
        set { instant = newValue }
    }

    /// Body bytes from the client, at most 2^40 - 1.
    var requestBytes: UInt64 {
        get { packedRequest & Self.mostBytes }
        set { packedRequest = packedRequest & ~Self.mostBytes | min(newValue, Self.mostBytes) }
    }

    private static var mostBytes: UInt64 { (1 << 40) - 1 }

    /// Its slot among the calls in progress; `OpenCalls.none`: it has none.
    var call: UInt32 {
        get { UInt32(truncatingIfNeeded: packedRequest >> 40) }
        set { packedRequest = packedRequest & Self.mostBytes | UInt64(newValue) << 40 }
    }

    /// Until the response starts.
    var affinityKey: UInt64 {
        get { number }
        set { number = newValue }
    }

    /// The key of its session, once the session's stream is open: no server is looked for any more.
    var streamKey: UInt64 {
        get { tried }
        set { tried = newValue }
    }

    /// Its response is the stream that a session's client listens on.
    var isSessionStream: Bool {
        guard isEventStream, case .session = kind, case .get = method else { return false }
        return true
    }

    /// From when the response has started; body bytes as the server framed them are not counted, the payload is.
    var responseBytes: UInt64 {
        get { state.phase == .relaying ? number : 0 }
        set { number = newValue }
    }

    init(
        client: Handle, kind: RequestKind, head: borrowing RequestHead, isWhole: Bool, length: Int, now: Instant
    ) {
        self.client = client
        self.kind = kind
        method = head.method
        clientIsHTTP10 = head.minorVersion == 0
        keepsClient = head.isKeepAlive
        self.isWhole = isWhole
        replayBytes = Int32(truncatingIfNeeded: length)
        request = BodyReader(head.framing)
        times = PhaseTimes(startedAt: now)
    }

    /// Bytes a second that a body must come with, and an answer be taken with, in the long run: one that drips keeps a server's
    /// connection for nothing.
    static var leastUploadRate: UInt64 { 1_024 }

    /// So many bytes of a body that streams have come.
    mutating func noteUpload(of count: UInt64, at now: Instant) {
        let (nanoseconds, overflow) = count.multipliedReportingOverflow(by: 1_000_000_000 / Exchange.leastUploadRate)
        let earned = overflow ? Interval.unlimited : Interval(nanoseconds: nanoseconds)
        uploadPace = earned < now - uploadPace ? uploadPace + earned : now
    }

    /// It waits in its upstream's queue.
    var isQueued: Bool { state.phase == .queued }

    /// The response may begin a session of HTTP+SSE, whose first event names where messages go. Not every client of it says
    /// that it accepts event streams.
    var mayOpenLegacySession: Bool {
        // Matched rather than compared: `==` of another module's enum is a call through a witness table.
        switch kind {
        case .streamOpening: true
        case .other: if case .get = method { true } else { false }
        case .modern, .legacyMessage, .session, .resumption, .sessionless, .preflight: false
        }
    }

    var isEventStream: Bool { responseKind != .message }

    /// A part of the request's body is still to come from the client.
    var awaitsRequestBody: Bool { !isWhole && !request.isComplete }

    /// The request goes out, perhaps not for the first time: its body is read from the start.
    mutating func rewindRequest(_ framing: BodyFraming) {
        request = BodyReader(framing)
        requestBytes = 0
        requestBody = .data
    }
}
