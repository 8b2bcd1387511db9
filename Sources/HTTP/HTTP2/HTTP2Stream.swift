import Reactor

/// The state of a stream, in addition to nghttp2's. Both a server's and a client's session use it.
struct HTTP2Stream: ~Copyable {
    struct State: OptionSet {
        let rawValue: UInt16

        /// An event has reported the request (server) or the response's head (client).
        static let reported = State(rawValue: 1)
        /// The owner no longer uses the stream: no more events are reported and no calls have an effect. It was
        /// answered or refused without an event, reset or cancelled by the owner, or its response has ended (client).
        static let detached = State(rawValue: 2)
        /// The request is complete.
        static let requestComplete = State(rawValue: 4)
        /// A final response head was submitted.
        static let responseBegun = State(rawValue: 8)
        /// The response's last bytes are among the pending ones.
        static let responseComplete = State(rawValue: 16)
        /// The response's last frame was sent.
        static let responseSent = State(rawValue: 32)
        /// nghttp2 asked for body bytes while none were pending, and has deferred the stream.
        static let deferred = State(rawValue: 64)
        /// The session itself resets the stream, or has not sent its request because of GOAWAY (client).
        static let declined = State(rawValue: 128)
        /// The response was aborted: RST_STREAM follows the pending bytes.
        static let aborted = State(rawValue: 256)
        /// The entry keeps a small buffer between streams. The only flag that outlives the stream.
        static let cachesBuffer = State(rawValue: 512)
    }

    /// The stream identifier; 0 while the entry is free.
    var id: Int32 = 0
    var state: State = []
    /// The size of its request's head, in units of `headUnit` bytes.
    var headUnits: UInt16 = 0
    /// The request's body bytes that were reported and not consumed.
    var unconsumed: Int32 = 0
    /// The number of trailer bytes at the end of `pending`.
    var trailerBytes: Int32 = 0
    /// Remaining bytes of a content-length body; negative if the request has no content-length.
    var remainingLength: Int64 = -1
    /// The bytes to send: the response's body, then its trailer lines (server), or the request's body (client).
    var pending = ByteBuffer()
    /// The name of a client's request in events.
    var tag: UInt32 = 0
    /// Body bytes that came after the response was sent, and were thrown away.
    var discarded: UInt32 = 0

    /// The unit of `headUnits`, in bytes.
    static var headUnit: Int { 64 }

    init(cachesBuffer: Bool) { state = cachesBuffer ? .cachesBuffer : [] }

    /// The number of body bytes in `pending`.
    var pendingBodyBytes: Int { pending.count - Int(trailerBytes) }

    /// Whether events are reported for the stream of a server.
    var reportsEvents: Bool { state.contains(.reported) && !state.contains(.detached) }
}

/// The streams of a connection. Entries have a fixed address, are allocated when first needed and are used again. This
/// type owns and frees them.
@safe
struct HTTP2Streams: ~Copyable {
    private var entries = unsafe [UnsafeMutablePointer<HTTP2Stream>]()
    private var free = unsafe [UnsafeMutablePointer<HTTP2Stream>]()

    /// The number of entries that keep their buffer for the next stream.
    private let cachedBuffers: Int
    /// The largest buffer that is kept, in bytes.
    private let cachedBytes: Int
    static var cachedBytes: Int { 1_024 }

    init(cachedBuffers: Int = 16, cachedBytes: Int = HTTP2Streams.cachedBytes) {
        self.cachedBuffers = cachedBuffers
        self.cachedBytes = cachedBytes
    }

    deinit {
        for index in unsafe 0..<entries.count {
            unsafe entries[index].deinitialize(count: 1)
            unsafe entries[index].deallocate()
        }
    }

    /// The entry of a stream, by a linear search; nil if there is none.
    func find(_ id: Int32) -> UnsafeMutablePointer<HTTP2Stream>? {
        for index in unsafe 0..<entries.count where unsafe entries[index].pointee.id == id {
            return unsafe entries[index]
        }
        return nil
    }

    /// The number of streams that have an entry.
    var count: Int { unsafe entries.count - free.count }

    /// Takes a free entry for a stream, or allocates one. It must be released.
    mutating func acquire(_ id: Int32) -> UnsafeMutablePointer<HTTP2Stream> {
        let entry: UnsafeMutablePointer<HTTP2Stream>
        if let spare = unsafe free.popLast() {
            unsafe entry = spare
        } else {
            unsafe entry = .allocate(capacity: 1)
            unsafe entry.initialize(to: HTTP2Stream(cachesBuffer: entries.count < cachedBuffers))
            unsafe entries.append(entry)
        }
        unsafe entry.pointee.id = id
        return unsafe entry
    }

    /// Resets an entry and makes it free.
    mutating func release(_ entry: UnsafeMutablePointer<HTTP2Stream>) {
        unsafe entry.pointee.id = 0
        unsafe entry.pointee.state.formIntersection(.cachesBuffer)
        unsafe entry.pointee.headUnits = 0
        unsafe entry.pointee.remainingLength = -1
        unsafe entry.pointee.unconsumed = 0
        unsafe entry.pointee.trailerBytes = 0
        unsafe entry.pointee.tag = 0
        unsafe entry.pointee.discarded = 0
        if unsafe entry.pointee.state.contains(.cachesBuffer), unsafe entry.pointee.pending.allocated <= cachedBytes {
            unsafe entry.pointee.pending.clear()
        } else {
            unsafe entry.pointee.pending.release()
        }
        unsafe free.append(entry)
    }
}
