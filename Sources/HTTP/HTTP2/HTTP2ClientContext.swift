import ASCII
import CNghttp2
import Reactor

/// What nghttp2's callbacks see of a client's session. The pointers are set during one call and nil between two.
@safe
struct HTTP2ClientContext: ~Copyable {
    var events: UnsafeMutablePointer<HTTP2ClientEvents>?
    /// The bytes being received: where they begin, and how many they are.
    var input: UnsafePointer<UInt8>?
    var inputCount = 0
    var streams = HTTP2Streams(keepers: .max, keptBytes: 16_384)
    /// GOAWAY came: streams beyond this one were not processed.
    private(set) var lastProcessed = Int32.max
    private(set) var hasGoneAway = false
    private let headerListBytes: Int

    // The head that is being received: no other frame comes between the frames of one (RFC 9113 section 4.3), but other
    // calls may. Ranges are into `values`.
    private var status: UInt16 = 0
    private var values = ByteBuffer()
    private var contentType = ByteRange.empty
    private var sessionID = ByteRange.empty
    private var headBytes = 0

    init(limits: HTTP2ClientLimits) { headerListBytes = Int(limits.headerListBytes) }

    mutating func headBegins() {
        status = 0
        values.clear()
        contentType = .empty
        sessionID = .empty
        headBytes = 0
    }

    /// One field of the open head. False if there are too many.
    mutating func field(name: Span<UInt8>, value: Span<UInt8>) -> Bool {
        headBytes &+= name.count &+ value.count &+ 4
        guard headBytes <= headerListBytes else { return false }
        switch name.count {
        case 7 where name[0] == UInt8(ascii: ":"): status = UInt16(clamping: value.decimal(0..<value.count) ?? 0)
        case 12 where FieldName(name, at: 0, length: 12, hasUnderscore: false).kind == .contentType:
            contentType = keep(value)
        case 14 where FieldName(name, at: 0, length: 14, hasUnderscore: false).kind == .mcpSessionID:
            sessionID = keep(value)
        default: break
        }
        return true
    }

    private mutating func keep(_ value: Span<UInt8>) -> ByteRange {
        values.append(value)
        return ByteRange(start: values.count - value.count, count: value.count)
    }

    /// The head is complete: an interim one, a final one, or trailers.
    mutating func headArrived(_ entry: UnsafeMutablePointer<HTTP2Stream>, endsStream: Bool) {
        if status >= 200, unsafe !entry.pointee.marks.contains(.announced) {
            unsafe entry.pointee.marks.insert(.announced)
            let start = unsafe events?.pointee.keep(values) ?? 0
            unsafe tell(
                entry,
                .response(
                    tag: entry.pointee.tag, status: status, contentType: contentType.moved(by: start),
                    sessionID: sessionID.moved(by: start)))
        }
        if endsStream { unsafe responseEnded(entry) }
    }

    /// Body bytes, which are somewhere in the input.
    mutating func dataArrived(_ entry: UnsafeMutablePointer<HTTP2Stream>, _ data: UnsafePointer<UInt8>, _ count: Int) {
        guard let input = unsafe input else { return }
        let start = unsafe data - input
        precondition(start >= 0 && count <= inputCount - start, "body bytes that were not received")
        unsafe tell(entry, .data(tag: entry.pointee.tag, bytes: ByteRange(start: start, count: count)))
    }

    mutating func responseEnded(_ entry: UnsafeMutablePointer<HTTP2Stream>) {
        unsafe tell(entry, .ended(tag: entry.pointee.tag))
        unsafe entry.pointee.marks.insert(.reset)
    }

    mutating func goAwayArrived(last: Int32, code: UInt32) {
        hasGoneAway = true
        lastProcessed = min(lastProcessed, last)
        unsafe events?.pointee.append(.goAway(code: code))
    }

    /// The stream is gone from nghttp2.
    mutating func streamClosed(_ entry: UnsafeMutablePointer<HTTP2Stream>, code: UInt32) {
        let tag = unsafe entry.pointee.tag
        // Beyond what GOAWAY named, or held back because GOAWAY had come.
        let isProcessed = unsafe entry.pointee.id <= lastProcessed && !entry.pointee.marks.contains(.declined)
        unsafe tell(entry, isProcessed ? .reset(tag: tag, code: code) : .unprocessed(tag: tag))
        unsafe streams.give(back: entry)
    }

    private mutating func tell(_ entry: UnsafeMutablePointer<HTTP2Stream>, _ event: HTTP2ClientEvent) {
        if unsafe !entry.pointee.marks.contains(.reset) { unsafe events?.pointee.append(event) }
    }
}

extension ByteRange {
    fileprivate func moved(by offset: Int) -> ByteRange { ByteRange(start: lowerBound + offset, count: range.count) }
}
