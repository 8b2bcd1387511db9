/// Counts the frames that go by (RFC 9113 section 4.1), whatever is in them.
///
/// nghttp2 tells of the frames that it heeds. Those of unknown types and those on streams that are gone it drops without
/// a word, and they cost as much as others: who counts all frames knows of these too.
struct FrameCounter {
    /// Bytes until the next frame's header begins: at first, of the preface.
    private var left = 24
    /// Bytes of the next header that have come.
    private var gathered = 0
    /// What they say so far of its payload's length.
    private var length = 0
    /// What they say of its type.
    private var type: UInt8 = 0

    static var headerBytes: Int { 9 }
    /// A header block's frame may begin a request: that costs as much as this many frames of other types.
    static var headersWeight: Int { 16 }

    /// Some bytes, the headers of frames that ended in them, and what those are likely to cost.
    struct Stretch {
        var bytes = 0
        var frames = 0
        var weight = 0

        fileprivate mutating func add(_ type: UInt8) {
            frames &+= 1
            weight &+= FrameCounter.isOfHeaders(type) ? FrameCounter.headersWeight : 1
        }
    }

    private static func isOfHeaders(_ type: UInt8) -> Bool {
        type == FrameType.headers || type == FrameType.continuation
    }

    /// Walks through `bytes` until their end, until a header block would follow another frame or, once headers of `limit`
    /// weight have been passed, until the next would begin. So what follows a request's head, its body or the reset that
    /// takes it back, is seen together with it.
    mutating func count(_ bytes: Span<UInt8>, limit: Int) -> Stretch {
        var stretch = Stretch()
        while true {
            let skipped = min(left, bytes.count &- stretch.bytes)
            stretch.bytes &+= skipped
            left &-= skipped
            let index = stretch.bytes
            guard left == 0, index < bytes.count, stretch.weight < limit else { return stretch }
            if gathered == 0, bytes.count &- index >= Self.headerBytes {
                if stretch.weight > 0, Self.isOfHeaders(bytes[index &+ 3]) { return stretch }
                left = Int(bytes[index]) << 16 | Int(bytes[index &+ 1]) << 8 | Int(bytes[index &+ 2])
                stretch.bytes &+= Self.headerBytes
                stretch.add(bytes[index &+ 3])
            } else if gather(bytes, &stretch.bytes) {
                stretch.add(type)
            }
        }
    }

    /// Takes in what there is of a header that comes in pieces. True if that completes it.
    private mutating func gather(_ bytes: Span<UInt8>, _ index: inout Int) -> Bool {
        while gathered < Self.headerBytes, index < bytes.count {
            if gathered < 3 { length = length << 8 | Int(bytes[index]) }
            if gathered == 3 { type = bytes[index] }
            gathered &+= 1
            index &+= 1
        }
        guard gathered == Self.headerBytes else { return false }
        left = length
        gathered = 0
        length = 0
        return true
    }
}
