import Reactor

/// What we keep of a stream, besides what nghttp2 does.
struct HTTP2Stream: ~Copyable {
    struct Marks: OptionSet {
        let rawValue: UInt16

        /// Its request was reported; so must its end be.
        static let announced = Marks(rawValue: 1)
        /// We answered it ourselves or were told to end it: nothing more is reported.
        static let reset = Marks(rawValue: 2)
        /// The request is complete.
        static let received = Marks(rawValue: 4)
        /// A final response head was given.
        static let answered = Marks(rawValue: 8)
        /// The response's end is known: it follows what is pending.
        static let finished = Marks(rawValue: 16)
        /// The response's end was sent.
        static let ended = Marks(rawValue: 32)
        /// nghttp2 asked for body bytes and there were none.
        static let waiting = Marks(rawValue: 64)
        /// What is left of the request was declined.
        static let declined = Marks(rawValue: 128)
        /// The response's end is not to come: RST_STREAM follows what is pending.
        static let broken = Marks(rawValue: 256)
        /// The entry is of the first few, which keep some memory between streams. Outlives the stream.
        static let keeper = Marks(rawValue: 512)
    }

    /// 0 while nobody has it.
    var id: Int32 = 0
    var marks: Marks = []
    /// What its request's head came to, in `headUnit`s, as long as the stream is open.
    var headUnits: UInt16 = 0
    /// Body bytes reported and not consumed.
    var unconsumed: Int32 = 0
    /// How many of the pending bytes, at their end, are trailer lines.
    var trailers: Int32 = 0
    /// Body bytes that were announced and have not come; negative if it was not said how many would.
    var outstanding: Int64 = -1
    var pending = ByteBuffer()
    /// What a client knows its request by.
    var tag: UInt32 = 0

    static var headUnit: Int { 64 }

    init(isKeeper: Bool) { marks = isKeeper ? .keeper : [] }

    /// Body bytes pending.
    var body: Int { pending.count - Int(trailers) }
}

/// The streams of a connection: entries that stay where they are, made when first needed and used again.
@safe
struct HTTP2Streams: ~Copyable {
    private var entries = unsafe [UnsafeMutablePointer<HTTP2Stream>]()
    private var free = unsafe [UnsafeMutablePointer<HTTP2Stream>]()

    /// The first few keep the memory of their pending bytes for the next stream, up to so many bytes.
    private let keepers: Int
    private let keptBytes: Int
    static var keptBytes: Int { 1_024 }

    init(keepers: Int = 16, keptBytes: Int = HTTP2Streams.keptBytes) {
        self.keepers = keepers
        self.keptBytes = keptBytes
    }

    deinit {
        for index in unsafe 0..<entries.count {
            unsafe entries[index].deinitialize(count: 1)
            unsafe entries[index].deallocate()
        }
    }

    /// The entry of a stream, found the long way.
    func find(_ id: Int32) -> UnsafeMutablePointer<HTTP2Stream>? {
        for index in unsafe 0..<entries.count where unsafe entries[index].pointee.id == id {
            return unsafe entries[index]
        }
        return nil
    }

    /// Streams that have an entry.
    var count: Int { unsafe entries.count - free.count }

    mutating func take(_ id: Int32) -> UnsafeMutablePointer<HTTP2Stream> {
        let entry: UnsafeMutablePointer<HTTP2Stream>
        if let spare = unsafe free.popLast() {
            unsafe entry = spare
        } else {
            unsafe entry = .allocate(capacity: 1)
            unsafe entry.initialize(to: HTTP2Stream(isKeeper: entries.count < keepers))
            unsafe entries.append(entry)
        }
        unsafe entry.pointee.id = id
        return unsafe entry
    }

    mutating func give(back entry: UnsafeMutablePointer<HTTP2Stream>) {
        unsafe entry.pointee.id = 0
        unsafe entry.pointee.marks.formIntersection(.keeper)
        unsafe entry.pointee.headUnits = 0
        unsafe entry.pointee.outstanding = -1
        unsafe entry.pointee.unconsumed = 0
        unsafe entry.pointee.trailers = 0
        unsafe entry.pointee.tag = 0
        if unsafe entry.pointee.marks.contains(.keeper), unsafe entry.pointee.pending.allocated <= keptBytes {
            unsafe entry.pointee.pending.clear()
        } else {
            unsafe entry.pointee.pending.release()
        }
        unsafe free.append(entry)
    }
}
