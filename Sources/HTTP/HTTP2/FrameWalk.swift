/// Counts the frames that go by (RFC 9113 section 4.1), whatever is in them.
///
/// nghttp2 tells of the frames that it heeds. Those of unknown types and those on streams that are gone it drops without
/// a word, and they cost as much as others: who counts all frames knows of these too.
struct FrameWalk {
    /// Bytes until the next frame's header begins: at first, of the preface.
    private var left = 24
    /// Bytes of the next header that have come.
    private var gathered = 0
    /// What they say so far of its payload's length.
    private var length = 0

    static var headerBytes: Int { 9 }

    /// Walks through `bytes` until their end or, if `limit` headers have been passed, until the next would begin: how
    /// many bytes that is, and how many headers ended in them.
    mutating func walk(_ bytes: Span<UInt8>, limit: Int) -> (bytes: Int, frames: Int) {
        var index = 0
        var frames = 0
        while true {
            let skipped = min(left, bytes.count &- index)
            index &+= skipped
            left &-= skipped
            guard left == 0, index < bytes.count, frames < limit else { return (index, frames) }
            if gathered == 0, bytes.count &- index >= Self.headerBytes {
                left = Int(bytes[index]) << 16 | Int(bytes[index &+ 1]) << 8 | Int(bytes[index &+ 2])
                index &+= Self.headerBytes
                frames &+= 1
            } else if gather(bytes, &index) {
                frames &+= 1
            }
        }
    }

    /// Takes in what there is of a header that comes in pieces. True if that completes it.
    private mutating func gather(_ bytes: Span<UInt8>, _ index: inout Int) -> Bool {
        while gathered < Self.headerBytes, index < bytes.count {
            if gathered < 3 { length = length << 8 | Int(bytes[index]) }
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
