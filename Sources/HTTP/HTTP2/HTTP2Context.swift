import CNghttp2
import Kernel
import Reactor

/// What nghttp2's callbacks see of a session. The pointers are set during one call and nil between two.
@safe
struct HTTP2Context: ~Copyable {
    let limits: HTTP2Limits
    var now: Instant
    var events: UnsafeMutablePointer<HTTP2Events>?
    var wire: UnsafeMutablePointer<ByteBuffer>?
    /// How long the wire may become.
    var wireLimit = 0
    var block = HTTP1RequestWriter()
    /// CONTINUATION frames of the block.
    private var continuations = 0
    var streams = HTTP2Streams()
    var abuse = HTTP2Abuse()
    var frameCounter = FrameCounter()
    /// Frames that nghttp2 has told of, of those that this call is about.
    var handledFrames = 0
    /// Response bytes that wait in all streams for their windows, or for the connection.
    var buffered = 0
    /// Bytes of the heads of open streams, in `HTTP2Stream.headUnit`s.
    private var headUnits = 0

    init(limits: HTTP2Limits, now: Instant) {
        self.limits = limits
        self.now = now
    }

    /// Passes a bound's verdict on to nghttp2: it stops reading at once.
    private mutating func exceed(_ kind: HTTP2Abuse.Kind) -> CInt {
        abuse.verdict = kind
        return CallbackResult.stop
    }

    /// Counts the frame that begins, if frames of its kind are counted.
    mutating func frameBegins(type: UInt8) -> CInt {
        // What follows a block's HEADERS is CONTINUATION until its end: any other frame finds an open one given up.
        if type != FrameType.continuation, block.isOpen, let events = unsafe events {
            unsafe block.abandon(&events.pointee.bytes)
        }
        // HEADERS on a stream that is gone begin a frame and no header block: those count when their block begins.
        if type != FrameType.headers { handledFrames &+= 1 }
        let kind: HTTP2Abuse.Kind? =
            switch type {
            case FrameType.data, FrameType.headers: nil
            case FrameType.reset: abuse.resetGauge.add(limits.resets, now: now) ? nil : .resets
            case FrameType.settings: abuse.settingsGauge.add(limits.settings, now: now) ? nil : .settings
            case FrameType.ping: abuse.pingGauge.add(limits.pings, now: now) ? nil : .pings
            case FrameType.windowUpdate:
                abuse.windowUpdateGauge.add(limits.windowUpdates, now: now) ? nil : .windowUpdates
            case FrameType.continuation:
                continues() ? nil : .continuations
            default: abuse.priorityGauge.add(limits.priorities, now: now) ? nil : .priorities
            }
        guard let kind else { return CallbackResult.proceed }
        return exceed(kind)
    }

    /// Counts a CONTINUATION frame. False if it is one too many.
    private mutating func continues() -> Bool {
        continuations &+= 1
        return abuse.continuationGauge.add(limits.continuations, now: now) && continuations <= limits.blockContinuations
    }

    /// Counts the frames that nghttp2 was given and said nothing of. Fewer than none: it has come to say something of
    /// one that began in an earlier call.
    mutating func ignored(_ frames: Int) {
        guard frames != 0, abuse.verdict == .none else { return }
        if frames < 0 {
            abuse.ignoredGauge.refund(UInt64(-frames), limits.ignoredFrames)
        } else if !abuse.ignoredGauge.add(limits.ignoredFrames, now: now, times: frames) {
            abuse.verdict = .ignoredFrames
        }
    }

    /// As many streams are open as may be.
    var isFull: Bool { streams.count >= Int(limits.concurrentStreams) }

    /// A stream is refused that is one too many. False if that happens too often.
    mutating func refused() -> Bool {
        note(.refused)
        if abuse.refusalGauge.add(limits.refusals, now: now) { return true }
        abuse.verdict = .refusals
        return false
    }

    /// A header block begins. A request's gets an entry, which is returned.
    mutating func headersBegin(stream: Int32, isRequest: Bool) -> UnsafeMutablePointer<HTTP2Stream>? {
        guard let events = unsafe events else { return nil }
        continuations = 0
        block.begin(stream: stream, isTrailers: !isRequest, at: unsafe events.pointee.bytes.count)
        return isRequest ? unsafe streams.take(stream) : nil
    }

    /// One field of the open block.
    mutating func field(name: Span<UInt8>, value: Span<UInt8>) -> CInt {
        guard let events = unsafe events, block.isOpen else { return CallbackResult.proceed }
        switch unsafe block.add(name: name, value: value, to: &events.pointee.bytes, limits: limits) {
        case .good: return CallbackResult.proceed
        case .malformed: return malformed()
        case .flood: return exceed(.headerList)
        }
    }

    /// The open block is malformed: its stream is to be reset.
    mutating func malformed() -> CInt {
        if let events = unsafe events { unsafe block.abandon(&events.pointee.bytes) }
        return CallbackResult.resetStream
    }

    /// What a complete request leads to.
    enum Request {
        case announced
        /// To be answered with this status right here.
        case refused(StaticString)
        /// There are too many bytes of others under way.
        case overLimit
        case malformed
        case stop
    }

    mutating func requestArrived(_ entry: UnsafeMutablePointer<HTTP2Stream>, endsStream: Bool) -> Request {
        guard let events = unsafe events, block.isOpen else { return .malformed }
        if endsStream { unsafe entry.pointee.marks.insert(.received) }
        let isConnect = block.isConnect
        if block.isTooLarge || isConnect {
            unsafe block.abandon(&events.pointee.bytes)
            unsafe entry.pointee.marks.insert(.reset)
            if !isConnect {
                abuse.largeHeads &+= 1
                note(.largeHead)
            }
            // 501: we are no tunnel.
            return .refused(isConnect ? "501" : "431")
        }
        unsafe entry.pointee.outstanding = block.length
        guard let head = unsafe block.endRequest(endsStream: endsStream, in: &events.pointee.bytes) else {
            return .malformed
        }
        let units = Int(head.count) / HTTP2Stream.headUnit + 1
        guard headUnits + units <= limits.openHeadBytes / HTTP2Stream.headUnit else {
            unsafe events.pointee.bytes.truncate(to: head.lowerBound)
            unsafe entry.pointee.marks.insert(.reset)
            return .overLimit
        }
        headUnits += units
        unsafe entry.pointee.headUnits = UInt16(clamping: units)
        unsafe entry.pointee.marks.insert(.announced)
        unsafe events.pointee.append(.request(stream: entry.pointee.id, head: head, endsStream: endsStream))
        guard abuse.headTextGauge.add(limits.headText, now: now, times: Int(head.count)) else {
            _ = exceed(.headText)
            return .stop
        }
        return .announced
    }

    /// Trailers are complete. False if they are too large.
    mutating func trailersArrived(_ entry: UnsafeMutablePointer<HTTP2Stream>) -> Bool {
        guard let events = unsafe events, block.isOpen else { return true }
        guard !block.isTooLarge else {
            abuse.largeHeads &+= 1
            note(.largeHead)
            unsafe block.abandon(&events.pointee.bytes)
            return false
        }
        let trailers = unsafe block.endTrailers(in: events.pointee.bytes)
        unsafe requestEnded(entry, trailers: trailers)
        return true
    }

    mutating func requestEnded(_ entry: UnsafeMutablePointer<HTTP2Stream>, trailers: ByteRange) {
        unsafe entry.pointee.marks.insert(.received)
        guard let events = unsafe events, unsafe entry.pointee.isReported else { return }
        unsafe events.pointee.append(.requestEnd(stream: entry.pointee.id, trailers: trailers))
    }

    /// A DATA frame without data came that does not end its stream.
    mutating func emptyDataArrived() -> CInt {
        abuse.emptyDataGauge.add(limits.emptyData, now: now) ? CallbackResult.proceed : exceed(.emptyData)
    }

    /// Body bytes. False if nobody wants them.
    mutating func dataArrived(_ entry: UnsafeMutablePointer<HTTP2Stream>, _ bytes: Span<UInt8>) -> Bool {
        // nghttp2 lets no more come than was announced.
        if unsafe entry.pointee.outstanding > 0 { unsafe entry.pointee.outstanding &-= Int64(bytes.count) }
        guard let events = unsafe events, unsafe entry.pointee.isReported else { return false }
        unsafe events.pointee.bytes.append(bytes)
        unsafe events.pointee.appendData(stream: entry.pointee.id, count: bytes.count)
        unsafe entry.pointee.unconsumed &+= Int32(truncatingIfNeeded: bytes.count)
        return true
    }

    /// Response bytes that a stream may be given that has `body` bytes waiting and may send `window` now. What waits
    /// beyond the window only bridges the time until it opens.
    func credit(beside body: Int, window: Int) -> Int {
        let share = max((limits.bufferedBytes &- buffered) / 4, limits.streamFloor)
        let room = min(share, limits.streamBytes, max(0, window) &+ limits.lowWatermarkBytes) &- body
        // A read of a few bytes is not worth its call, and some wait already.
        return room < limits.streamFloor / 2 ? 0 : room
    }

    /// A DATA frame was sent: the client may open its windows for it.
    mutating func dataSent() { abuse.windowUpdateGauge.refund(4, limits.windowUpdates) }

    /// The last frame of a response was sent. True if the rest of its request is to be declined.
    mutating func responseEnded(_ entry: UnsafeMutablePointer<HTTP2Stream>) -> Bool {
        unsafe entry.pointee.marks.insert(.ended)
        if unsafe entry.pointee.isReported {
            abuse.resetGauge.refund(1, limits.resets)
            abuse.ignoredGauge.refund(2, limits.ignoredFrames)
        }
        // All bytes that were announced have come: the frame that says so is on its way. Clients that send it by itself
        // (httpx) take a reset that is faster for a fault of their own.
        guard unsafe !entry.pointee.marks.contains(.received), unsafe entry.pointee.outstanding != 0 else {
            return false
        }
        unsafe entry.pointee.marks.insert(.declined)
        return true
    }

    /// A stream was reset by us that nobody asked us to reset: the client has induced it.
    mutating func resetInduced(code: UInt32) {
        // Those are counted when they are decided.
        if code == HTTP2ErrorCode.refusedStream.rawValue { return }
        if code == HTTP2ErrorCode.protocolError.rawValue {
            abuse.malformed &+= 1
            note(.malformed)
        }
        if !abuse.resetGauge.add(limits.resets, now: now) { abuse.verdict = .resets }
    }

    private func note(_ protocolEvent: HTTP2ProtocolEvent) {
        unsafe events?.pointee.append(.protocolEvent(protocolEvent))
    }

    /// GOAWAY was sent.
    func goAwaySent(code: UInt32) {
        if code != HTTP2ErrorCode.noError.rawValue, abuse.verdict == .none { note(.broken) }
    }

    /// The stream is gone from nghttp2. Returns the body bytes that were never consumed.
    mutating func streamClosed(_ entry: UnsafeMutablePointer<HTTP2Stream>, code: UInt32) -> Int {
        if let events = unsafe events {
            if unsafe block.stream == entry.pointee.id { unsafe block.abandon(&events.pointee.bytes) }
            let id = unsafe entry.pointee.id
            if unsafe entry.pointee.isReported {
                let isEnded = unsafe entry.pointee.marks.contains(.ended)
                unsafe events.pointee.append(isEnded ? .closed(stream: id) : .reset(stream: id, code: code))
            }
        }
        let left = unsafe Int(entry.pointee.unconsumed)
        buffered &-= unsafe entry.pointee.pending.count
        headUnits &-= unsafe Int(entry.pointee.headUnits)
        unsafe streams.give(back: entry)
        return left
    }

    /// Writes a DATA frame: its header and as many pending bytes of the stream as it says. False if the wire is long
    /// enough already.
    mutating func writeData(
        _ entry: UnsafeMutablePointer<HTTP2Stream>, header: Span<UInt8>, count: Int
    ) -> Bool {
        guard let wire = unsafe wire, unsafe wire.pointee.count < wireLimit else { return false }
        let before = unsafe entry.pointee.body
        unsafe wire.pointee.reserve(header.count + count)
        unsafe wire.pointee.append(header)
        unsafe wire.pointee.append(entry.pointee.pending, 0..<count)
        unsafe entry.pointee.pending.consume(count)
        buffered &-= count
        guard unsafe !entry.pointee.marks.contains(.finished) else { return true }
        let after = before - count
        if after == 0 || (before > limits.lowWatermarkBytes && after <= limits.lowWatermarkBytes) {
            unsafe events?.pointee.append(.drained(stream: entry.pointee.id))
        }
        // A stream that goes on may be idle for hours.
        if after == 0 { unsafe entry.pointee.pending.release() }
        return true
    }
}

extension HTTP2Stream {
    /// Whether the proxy hears of what happens to it.
    var isReported: Bool { marks.contains(.announced) && !marks.contains(.reset) }
}

/// What a callback tells nghttp2.
enum CallbackResult {
    static var proceed: CInt { 0 }
    /// The connection is not worth another byte.
    static var stop: CInt { NGHTTP2_ERR_CALLBACK_FAILURE.rawValue }
    static var later: CInt { NGHTTP2_ERR_WOULDBLOCK.rawValue }
    static var resetStream: CInt { NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue }
}

/// Frame types (RFC 9113 section 6) that are told apart.
enum FrameType {
    static var data: UInt8 { 0 }
    static var headers: UInt8 { 1 }
    static var reset: UInt8 { 3 }
    static var settings: UInt8 { 4 }
    static var ping: UInt8 { 6 }
    static var goAway: UInt8 { 7 }
    static var windowUpdate: UInt8 { 8 }
    static var continuation: UInt8 { 9 }
}
