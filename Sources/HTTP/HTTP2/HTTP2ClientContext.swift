import ASCII
import CNghttp2
import Reactor

/// The state that nghttp2's callbacks use in a client's session. The pointers are set during a call into nghttp2, and
/// nil otherwise.
@safe
struct HTTP2ClientContext: ~Copyable {
    /// The caller's list for new events.
    var events: UnsafeMutablePointer<HTTP2ClientEvents>?
    /// The first of the bytes being received.
    var input: UnsafePointer<UInt8>?
    /// The number of the bytes being received.
    var inputCount = 0
    var streams = HTTP2Streams(cachedBuffers: .max, cachedBytes: 16_384)
    /// The last stream that the server has processed or will process, according to its GOAWAY (RFC 9113 section 6.8).
    private(set) var lastProcessed = Int32.max
    /// Whether the server has sent GOAWAY.
    private(set) var hasReceivedGoAway = false
    private let headerListBytes: Int

    // The head that is being received. It may span several calls. The ranges refer to `values`.
    private var status: UInt16 = 0
    private var values = ByteBuffer()
    private var contentType = ByteRange.empty
    private var sessionID = ByteRange.empty
    private var headBytes = 0

    init(limits: HTTP2ClientLimits) { headerListBytes = Int(limits.headerListBytes) }

    /// A header block begins.
    mutating func headBegins() {
        status = 0
        values.clear()
        contentType = .empty
        sessionID = .empty
        headBytes = 0
    }

    /// Adds one field of the open head. False if the head exceeds its limit.
    mutating func addField(name: Span<UInt8>, value: Span<UInt8>) -> Bool {
        headBytes &+= name.count &+ value.count &+ 4
        guard headBytes <= headerListBytes else { return false }
        switch name.count {
        case 7 where name[0] == UInt8(ascii: ":"): status = UInt16(clamping: value.decimal(0..<value.count) ?? 0)
        case 12 where FieldName(name, at: 0, length: 12, hasUnderscore: false).kind == .contentType:
            contentType = store(value)
        case 14 where FieldName(name, at: 0, length: 14, hasUnderscore: false).kind == .mcpSessionID:
            sessionID = store(value)
        default: break
        }
        return true
    }

    private mutating func store(_ value: Span<UInt8>) -> ByteRange {
        values.append(value)
        return ByteRange(start: values.count - value.count, count: value.count)
    }

    /// A header block is complete: an interim head, a final head or trailers.
    mutating func headArrived(_ entry: UnsafeMutablePointer<HTTP2Stream>, endsStream: Bool) {
        if status >= 200, unsafe !entry.pointee.state.contains(.reported) {
            unsafe entry.pointee.state.insert(.reported)
            let start = unsafe events?.pointee.store(values) ?? 0
            unsafe report(
                entry,
                .response(
                    tag: entry.pointee.tag, status: status, contentType: contentType.shifted(by: start),
                    sessionID: sessionID.shifted(by: start)))
        }
        if endsStream { unsafe responseEnded(entry) }
    }

    /// Body bytes have come. They are within the input.
    mutating func dataArrived(_ entry: UnsafeMutablePointer<HTTP2Stream>, _ data: UnsafePointer<UInt8>, _ count: Int) {
        guard let input = unsafe input else { return }
        let start = unsafe data - input
        precondition(start >= 0 && count <= inputCount - start, "body bytes that were not received")
        unsafe report(entry, .data(tag: entry.pointee.tag, bytes: ByteRange(start: start, count: count)))
    }

    /// The response is complete.
    mutating func responseEnded(_ entry: UnsafeMutablePointer<HTTP2Stream>) {
        unsafe report(entry, .ended(tag: entry.pointee.tag))
        unsafe entry.pointee.state.insert(.detached)
    }

    /// GOAWAY has come: streams beyond `last` are not processed.
    mutating func goAwayArrived(last: Int32, code: UInt32) {
        hasReceivedGoAway = true
        lastProcessed = min(lastProcessed, last)
        unsafe events?.pointee.append(.goAway(code: code))
    }

    /// nghttp2 has closed the stream.
    mutating func streamClosed(_ entry: UnsafeMutablePointer<HTTP2Stream>, code: UInt32) {
        let tag = unsafe entry.pointee.tag
        // Not processed: beyond the last stream of GOAWAY, or never sent because GOAWAY had come.
        let isProcessed = unsafe entry.pointee.id <= lastProcessed && !entry.pointee.state.contains(.declined)
        unsafe report(entry, isProcessed ? .reset(tag: tag, code: code) : .unprocessed(tag: tag))
        unsafe streams.release(entry)
    }

    private mutating func report(_ entry: UnsafeMutablePointer<HTTP2Stream>, _ event: HTTP2ClientEvent) {
        if unsafe !entry.pointee.state.contains(.detached) { unsafe events?.pointee.append(event) }
    }
}

extension ByteRange {
    fileprivate func shifted(by offset: Int) -> ByteRange { ByteRange(start: lowerBound + offset, count: range.count) }
}
