import Kernel
import Reactor

/// The state that nghttp2's callbacks use in a server's session. The pointers are set during a call into nghttp2, and
/// nil otherwise.
@safe
struct HTTP2Context: ~Copyable {
    let limits: HTTP2Limits
    /// The time of the current call.
    var now: Instant
    /// The caller's list for new events.
    var events: UnsafeMutablePointer<HTTP2Events>?
    /// The caller's buffer for bytes to send.
    var output: UnsafeMutablePointer<ByteBuffer>?
    /// The length of `output` at which no further DATA frame is written.
    var outputLimit = 0
    /// The header block that is being received.
    var headerBlock = HTTP1RequestWriter()
    /// The number of CONTINUATION frames of the header block.
    private var continuations = 0
    var streams = HTTP2Streams()
    var abuse = HTTP2Abuse()
    var frameCounter = FrameCounter()
    var streamOrder = StreamOrder()
    /// The number of frames that nghttp2 has called back for, of the bytes passed in one call.
    var handledFrames = 0
    /// Response bytes of all streams that wait for their windows or for the connection.
    var bufferedBytes = 0
    /// The size of the heads of open streams, in units of `HTTP2Stream.headUnit` bytes.
    private var headUnits = 0

    init(limits: HTTP2Limits, now: Instant) {
        self.limits = limits
        self.now = now
    }

    /// Records that a limit was exceeded. Returns the result that makes nghttp2 stop at once.
    private mutating func exceed(_ limit: HTTP2Abuse.Limit) -> CInt {
        abuse.exceededLimit = limit
        return CallbackResult.stop
    }

    /// Counts the frame that begins, if frames of its type are limited.
    mutating func frameBegins(type: UInt8) -> CInt {
        // Only CONTINUATION may follow within a header block. If another frame begins, nghttp2 has dropped the block.
        if type != FrameType.continuation, headerBlock.isOpen, let events = unsafe events {
            unsafe headerBlock.discard(&events.pointee.bytes)
        }
        // HEADERS are counted as handled when their header block begins, because those on closed streams begin none.
        if type != FrameType.headers { handledFrames &+= 1 }
        let exceeded: HTTP2Abuse.Limit? =
            switch type {
            case FrameType.data, FrameType.headers: nil
            case FrameType.reset: abuse.resetLimiter.add(limits.resets, now: now) ? nil : .resets
            case FrameType.settings: abuse.settingsLimiter.add(limits.settings, now: now) ? nil : .settings
            case FrameType.ping: abuse.pingLimiter.add(limits.pings, now: now) ? nil : .pings
            case FrameType.windowUpdate:
                countWindowUpdate() ? nil : .windowUpdates
            case FrameType.continuation:
                countContinuation() ? nil : .continuations
            default: abuse.priorityLimiter.add(limits.priorities, now: now) ? nil : .priorities
            }
        guard let exceeded else { return CallbackResult.proceed }
        return exceed(exceeded)
    }

    /// Counts a WINDOW_UPDATE frame, which costs nothing if DATA frames have allowed it. False if it exceeds the limit.
    private mutating func countWindowUpdate() -> Bool {
        let isWithinRate = abuse.windowUpdateLimiter.add(limits.windowUpdates, now: now)
        guard abuse.windowUpdateAllowance > 0 else { return isWithinRate }
        abuse.windowUpdateAllowance -= 1
        abuse.windowUpdateLimiter.refund(1, limits.windowUpdates)
        return true
    }

    /// Counts a CONTINUATION frame. False if it exceeds a limit.
    private mutating func countContinuation() -> Bool {
        continuations &+= 1
        return abuse.continuationLimiter.add(limits.continuations, now: now)
            && continuations <= limits.blockContinuations
    }

    /// Counts the frames that nghttp2 did not call back for. A negative number takes back frames that began in an
    /// earlier call and were handled in this one.
    mutating func countIgnored(_ frames: Int) {
        guard frames != 0, abuse.exceededLimit == .none else { return }
        if frames < 0 {
            abuse.ignoredFrameLimiter.refund(UInt64(-frames), limits.ignoredFrames)
        } else if !abuse.ignoredFrameLimiter.add(limits.ignoredFrames, now: now, times: frames) {
            abuse.exceededLimit = .ignoredFrames
        }
    }

    /// Whether as many streams are open as the limit allows.
    var isFull: Bool { streams.count >= Int(limits.concurrentStreams) }

    /// Counts a stream that is refused because too many are open. False if that exceeds a limit.
    mutating func countRefusal() -> Bool {
        report(.refused)
        if abuse.refusalLimiter.add(limits.refusals, now: now) { return true }
        abuse.exceededLimit = .refusals
        return false
    }

    /// A header block begins. Returns the new stream's entry if it is a request's.
    mutating func headersBegin(stream: Int32, isRequest: Bool) -> UnsafeMutablePointer<HTTP2Stream>? {
        guard let events = unsafe events else { return nil }
        continuations = 0
        unsafe headerBlock.begin(stream: stream, isTrailers: !isRequest, in: events.pointee)
        return isRequest ? unsafe streams.acquire(stream) : nil
    }

    /// Adds one field of the open header block.
    mutating func addField(name: Span<UInt8>, value: Span<UInt8>) -> CInt {
        guard let events = unsafe events, headerBlock.isOpen else { return CallbackResult.proceed }
        switch unsafe headerBlock.add(name: name, value: value, to: &events.pointee, limits: limits) {
        case .accepted: return CallbackResult.proceed
        case .malformed: return discardMalformedBlock()
        case .excessive: return exceed(.headerList)
        }
    }

    /// Discards the open header block, which is malformed. Returns the result that resets its stream.
    mutating func discardMalformedBlock() -> CInt {
        if let events = unsafe events { unsafe headerBlock.discard(&events.pointee.bytes) }
        return CallbackResult.resetStream
    }

    /// What is to be done about a request whose head is complete.
    enum RequestOutcome {
        /// It was reported as an event.
        case reported
        /// It is to be answered with 405, because CONNECT is for forward proxies, and is not reported.
        case methodRefused
        /// It is to be answered with 431 (RFC 6585 section 5) and is not reported.
        case tooLarge
        /// Its stream is to be refused, because the heads of all open streams are too large.
        case overLimit
        /// Its stream is to be reset.
        case malformed
        /// The connection is to be ended.
        case stop
    }

    /// The head of a request is complete.
    mutating func requestArrived(_ entry: UnsafeMutablePointer<HTTP2Stream>, endsStream: Bool) -> RequestOutcome {
        guard let events = unsafe events, headerBlock.isOpen else { return .malformed }
        if endsStream { unsafe entry.pointee.state.insert(.requestComplete) }
        let isConnect = headerBlock.isConnect
        if headerBlock.isTooLarge || isConnect {
            unsafe headerBlock.discard(&events.pointee.bytes)
            unsafe entry.pointee.state.insert(.detached)
            if !isConnect {
                abuse.largeHeads &+= 1
                report(.largeHead)
            }
            return isConnect ? .methodRefused : .tooLarge
        }
        unsafe entry.pointee.remainingLength = headerBlock.length
        guard let head = unsafe headerBlock.endRequest(endsStream: endsStream, in: &events.pointee) else {
            return .malformed
        }
        let units = Int(head.text.count) / HTTP2Stream.headUnit + 1
        guard headUnits + units <= limits.openHeadBytes / HTTP2Stream.headUnit else {
            unsafe events.pointee.bytes.truncate(to: head.text.lowerBound)
            unsafe entry.pointee.state.insert(.detached)
            return .overLimit
        }
        headUnits += units
        unsafe entry.pointee.headUnits = UInt16(clamping: units)
        unsafe entry.pointee.state.insert(.reported)
        unsafe events.pointee.append(.request(stream: entry.pointee.id, head: head, endsStream: endsStream))
        guard abuse.headTextLimiter.add(limits.headText, now: now, times: Int(head.text.count)) else {
            _ = exceed(.headText)
            return .stop
        }
        return .reported
    }

    /// The trailers are complete. False if they are too large.
    mutating func trailersArrived(_ entry: UnsafeMutablePointer<HTTP2Stream>) -> Bool {
        guard let events = unsafe events, headerBlock.isOpen else { return true }
        guard !headerBlock.isTooLarge else {
            abuse.largeHeads &+= 1
            report(.largeHead)
            unsafe headerBlock.discard(&events.pointee.bytes)
            return false
        }
        let trailers = unsafe headerBlock.endTrailers(in: events.pointee.bytes)
        unsafe requestEnded(entry, trailers: trailers)
        return true
    }

    /// The request is complete.
    mutating func requestEnded(_ entry: UnsafeMutablePointer<HTTP2Stream>, trailers: ByteRange) {
        unsafe entry.pointee.state.insert(.requestComplete)
        guard let events = unsafe events, unsafe entry.pointee.reportsEvents else { return }
        unsafe events.pointee.append(.requestEnd(stream: entry.pointee.id, trailers: trailers))
    }

    /// Counts a DATA frame without data that does not end its stream.
    mutating func countEmptyData() -> CInt {
        abuse.emptyDataLimiter.add(limits.emptyData, now: now) ? CallbackResult.proceed : exceed(.emptyData)
    }

    /// Body bytes have come. False if they are not reported.
    mutating func dataArrived(_ entry: UnsafeMutablePointer<HTTP2Stream>, _ bytes: Span<UInt8>) -> Bool {
        // nghttp2 has checked that they are not more than content-length allows.
        if unsafe entry.pointee.remainingLength > 0 { unsafe entry.pointee.remainingLength &-= Int64(bytes.count) }
        guard let events = unsafe events, unsafe entry.pointee.reportsEvents else { return false }
        unsafe events.pointee.bytes.append(bytes)
        unsafe events.pointee.appendData(stream: entry.pointee.id, count: bytes.count)
        unsafe entry.pointee.unconsumed &+= Int32(truncatingIfNeeded: bytes.count)
        return true
    }

    /// Body bytes have come behind the end of the response. True if they are too many, and the stream is to be declined.
    mutating func discarded(_ entry: UnsafeMutablePointer<HTTP2Stream>, _ count: Int) -> Bool {
        guard unsafe entry.pointee.state.contains(.responseSent), unsafe !entry.pointee.state.contains(.declined) else {
            return false
        }
        let total = unsafe UInt64(entry.pointee.discarded) + UInt64(count)
        unsafe entry.pointee.discarded = UInt32(clamping: total)
        guard total > UInt64(max(0, limits.discardedBytes)) else { return false }
        unsafe entry.pointee.state.insert(.declined)
        return true
    }

    /// The response bytes that may be written to a stream with `pending` body bytes and a send window of `window`
    /// bytes. At most `lowWatermarkBytes` wait beyond the window, which is enough until it opens.
    func credit(pending: Int, window: Int) -> Int {
        let share = max((limits.bufferedBytes &- bufferedBytes) / 4, limits.minimumStreamBytes)
        let credit = min(share, limits.streamBytes, max(0, window) &+ limits.lowWatermarkBytes) &- pending
        // A read of a few bytes is not worth its system call while others are pending.
        return credit < limits.minimumStreamBytes / 2 ? 0 : credit
    }

    /// A DATA frame was sent. The client may send WINDOW_UPDATE frames for it, whenever it reads it: the limiter itself
    /// would save no more than its burst.
    mutating func dataSent() {
        let unused = UInt64(abuse.windowUpdateAllowance) + 4
        abuse.windowUpdateAllowance = UInt32(min(unused, UInt64(limits.windowUpdateAllowance)))
    }

    /// The last frame of a response was sent. True if the rest of its request is to be declined with RST_STREAM (RFC 9113
    /// section 8.1). Many clients take that for an error, whatever its code, and lose the response: so the rest is thrown
    /// away as it comes, unless it is more than `discardedBytes`, or of a request that was not reported.
    mutating func responseEnded(_ entry: UnsafeMutablePointer<HTTP2Stream>) -> Bool {
        unsafe entry.pointee.state.insert(.responseSent)
        if unsafe entry.pointee.reportsEvents {
            abuse.resetLimiter.refund(1, limits.resets)
            abuse.ignoredFrameLimiter.refund(2, limits.ignoredFrames)
        }
        // If all bytes of content-length have come, only an empty last frame is missing. Clients that send it
        // separately (httpx) would report a reset before it as an error.
        guard unsafe !entry.pointee.state.contains(.requestComplete), unsafe entry.pointee.remainingLength != 0 else {
            return false
        }
        if limits.discardedBytes >= 0, unsafe entry.pointee.reportsEvents,
            unsafe entry.pointee.remainingLength <= limits.discardedBytes
        {
            return false
        }
        unsafe entry.pointee.state.insert(.declined)
        return true
    }

    /// RST_STREAM was sent because of an error of the client's. A client can cause such resets without sending any.
    mutating func resetInduced(code: UInt32) {
        // Refused streams were counted by `countRefusal`.
        if code == HTTP2ErrorCode.refusedStream.rawValue { return }
        if code == HTTP2ErrorCode.protocolError.rawValue {
            abuse.malformed &+= 1
            report(.malformed)
        }
        if !abuse.resetLimiter.add(limits.resets, now: now) { abuse.exceededLimit = .resets }
    }

    private func report(_ protocolEvent: HTTP2ProtocolEvent) {
        unsafe events?.pointee.append(.protocolEvent(protocolEvent))
    }

    /// GOAWAY was sent with this error code.
    func goAwaySent(code: UInt32) {
        if code != HTTP2ErrorCode.noError.rawValue, abuse.exceededLimit == .none { report(.broken) }
    }

    /// nghttp2 has closed the stream. Returns the number of its body bytes that were not consumed.
    mutating func streamClosed(_ entry: UnsafeMutablePointer<HTTP2Stream>, code: UInt32) -> Int {
        if let events = unsafe events {
            if unsafe headerBlock.stream == entry.pointee.id { unsafe headerBlock.discard(&events.pointee.bytes) }
            let id = unsafe entry.pointee.id
            if unsafe entry.pointee.reportsEvents {
                let isEnded = unsafe entry.pointee.state.contains(.responseSent)
                unsafe events.pointee.append(isEnded ? .closed(stream: id) : .reset(stream: id, code: code))
            }
        }
        let unconsumed = unsafe Int(entry.pointee.unconsumed)
        bufferedBytes &-= unsafe entry.pointee.pending.count
        headUnits &-= unsafe Int(entry.pointee.headUnits)
        unsafe streams.release(entry)
        return unconsumed
    }

    /// Writes a DATA frame: its header and `count` pending bytes of the stream. False if the output has reached its
    /// limit.
    mutating func writeData(
        _ entry: UnsafeMutablePointer<HTTP2Stream>, header: Span<UInt8>, count: Int
    ) -> Bool {
        guard let output = unsafe output, unsafe output.pointee.count < outputLimit else { return false }
        let before = unsafe entry.pointee.pendingBodyBytes
        unsafe output.pointee.reserve(header.count + count)
        unsafe output.pointee.append(header)
        unsafe output.pointee.append(entry.pointee.pending, 0..<count)
        unsafe entry.pointee.pending.consume(count)
        bufferedBytes &-= count
        guard unsafe !entry.pointee.state.contains(.responseComplete) else { return true }
        let after = before - count
        if after == 0 || (before > limits.lowWatermarkBytes && after <= limits.lowWatermarkBytes) {
            unsafe events?.pointee.append(.drained(stream: entry.pointee.id))
        }
        // The response continues, but an event stream may be idle for hours.
        if after == 0 { unsafe entry.pointee.pending.release() }
        return true
    }
}
