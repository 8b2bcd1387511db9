/// Counts the frames in a connection's bytes (RFC 9113 section 4.1), whatever their type.
///
/// nghttp2 calls back for the frames that it handles. It drops frames of unknown types and frames on closed streams
/// without a callback, but they cost as much as others. The difference between all frames and handled frames is the
/// number of ignored ones.
struct FrameCounter {
    /// The bytes until the next frame's header; at first the 24 of the connection preface (RFC 9113 section 3.4).
    private var untilHeader = 24
    /// The number of bytes of an incomplete frame header that have come.
    private var partialBytes = 0
    /// The payload length of an incomplete header, as far as its bytes have come.
    private var length = 0
    /// The type of an incomplete header.
    private var type: UInt8 = 0
    /// The flags of an incomplete header.
    private var flags: UInt8 = 0
    /// The frames that have begun; those of one header block count as one.
    private var begun: UInt32 = 0
    /// A header block lacks its last frame (RFC 9113 section 4.3).
    private var isBlockOpen = false
    /// The last frame that began has data.
    private var isData = false

    /// The length of a frame header.
    static var headerBytes: Int { 9 }
    /// The weight of a HEADERS or CONTINUATION frame. It may begin a request, which costs as much as this many frames
    /// of other types.
    static var headersWeight: Int { 16 }

    /// The number of the header block or frame that is not whole yet; nil if there is none. DATA frames are bodies, which have a
    /// time of their own: they count only with `countsData`.
    func unfinished(countsData: Bool) -> UInt32? {
        isBlockOpen || partialBytes > 0 || (untilHeader > 0 && (countsData || !isData)) ? begun : nil
    }

    /// A frame's header is whole.
    @inline(__always)
    private mutating func note(type: UInt8, flags: UInt8) {
        isData = type == FrameType.data
        if Self.isHeaderBlock(type) { isBlockOpen = flags & 4 == 0 }
    }

    /// Consecutive bytes, the number of frame headers that end in them, and the weight of those frames.
    struct Batch {
        var bytes = 0
        var frames = 0
        var weight = 0

        fileprivate mutating func add(_ type: UInt8) {
            frames &+= 1
            weight &+= FrameCounter.isHeaderBlock(type) ? FrameCounter.headersWeight : 1
        }
    }

    private static func isHeaderBlock(_ type: UInt8) -> Bool {
        type == FrameType.headers || type == FrameType.continuation
    }

    /// Counts frames from the start of `bytes`. The batch ends with the bytes, before a header block that follows
    /// another frame or the end of one, or before the next frame once the weight has reached `limit`. So a request's head is in
    /// one batch with the body or the RST_STREAM that follows it, and whether nghttp2 takes a request behind a GOAWAY
    /// does not depend on how the bytes were cut.
    mutating func count(_ bytes: Span<UInt8>, limit: Int) -> Batch {
        var batch = Batch()
        while true {
            let skipped = min(untilHeader, bytes.count &- batch.bytes)
            batch.bytes &+= skipped
            untilHeader &-= skipped
            let index = batch.bytes
            guard untilHeader == 0, index < bytes.count, batch.weight < limit else { return batch }
            if partialBytes == 0, bytes.count &- index >= Self.headerBytes {
                if batch.bytes > 0, Self.isHeaderBlock(bytes[index &+ 3]) { return batch }
                untilHeader = Int(bytes[index]) << 16 | Int(bytes[index &+ 1]) << 8 | Int(bytes[index &+ 2])
                batch.bytes &+= Self.headerBytes
                batch.add(bytes[index &+ 3])
                if !isBlockOpen { begun &+= 1 }
                note(type: bytes[index &+ 3], flags: bytes[index &+ 4])
            } else if readPartialHeader(bytes, &batch.bytes) {
                batch.add(type)
            }
        }
    }

    /// Reads the available bytes of a header that comes in pieces. True if the header is now complete.
    private mutating func readPartialHeader(_ bytes: Span<UInt8>, _ index: inout Int) -> Bool {
        if partialBytes == 0, !isBlockOpen { begun &+= 1 }
        while partialBytes < Self.headerBytes, index < bytes.count {
            if partialBytes < 3 { length = length << 8 | Int(bytes[index]) }
            if partialBytes == 3 { type = bytes[index] }
            if partialBytes == 4 { flags = bytes[index] }
            partialBytes &+= 1
            index &+= 1
        }
        guard partialBytes == Self.headerBytes else { return false }
        untilHeader = length
        note(type: type, flags: flags)
        partialBytes = 0
        length = 0
        return true
    }
}
