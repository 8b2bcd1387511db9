import CNghttp2
package import Kernel
package import Reactor

/// The server's side of an HTTP/2 connection (RFC 9113) over nghttp2: bytes in, events out, and back. Every stream is
/// shown as an HTTP/1.1 client: requests come as HTTP/1.1 heads, responses are given as such.
///
/// Calls for a stream that is gone do nothing. No call keeps a pointer to its arguments. It stays on one thread.
@safe
package struct HTTP2Session: ~Copyable {
    private let session: OpaquePointer
    private let context: UnsafeMutablePointer<HTTP2Context>
    private var isTerminated = false
    /// What `send` gives first.
    private var connectionPreface = ByteBuffer()

    /// Nil if there is no memory. SETTINGS are the first thing that `send` gives.
    package init?(limits: HTTP2Limits, now: Instant) {
        let context = UnsafeMutablePointer<HTTP2Context>.allocate(capacity: 1)
        unsafe context.initialize(to: HTTP2Context(limits: limits, now: now))
        guard let session = unsafe HTTP2Setup.makeSession(limits, context, connectionPreface: &connectionPreface) else {
            unsafe context.deinitialize(count: 1)
            unsafe context.deallocate()
            return nil
        }
        unsafe self.context = unsafe context
        unsafe self.session = unsafe session
    }

    deinit {
        unsafe nghttp2_session_del(session)
        unsafe context.deinitialize(count: 1)
        unsafe context.deallocate()
    }

    /// Feeds received bytes and consumes them; their events are appended to `events`. Bytes are left if there is more
    /// in them than one call takes (`HTTP2Limits.framesPerCall`, `headTextPerCall`): they are for the next, with `isRest`.
    ///
    /// False: the connection is in error or abused, its streams are lost, no more events come of it. What `send` still
    /// gives (GOAWAY) must go out, then close. An error that nghttp2 itself has seen shows after the next `send`, in
    /// `isFinished`.
    package mutating func receive(
        _ bytes: inout ByteBuffer, isRest: Bool = false, now: Instant, events: inout HTTP2Events
    ) -> Bool {
        guard !isTerminated else {
            bytes.clear()
            return false
        }
        unsafe context.pointee.now = now
        let isGood = unsafe withUnsafeMutablePointer(to: &events) { events in
            unsafe context.pointee.events = unsafe events
            unsafe context.pointee.block.resume(&events.pointee.bytes)
            let isGood = take(&bytes, frames: isRest ? restLimit : frameLimit)
            unsafe context.pointee.block.suspend(&events.pointee.bytes)
            unsafe context.pointee.events = nil
            return isGood
        }
        if isGood { return true }
        terminate()
        bytes.clear()
        return false
    }

    /// Gives nghttp2 as much as one call may take: header blocks one by one with the frames that follow, other frames a
    /// few at a time. False if the connection is lost.
    private func take(_ bytes: inout ByteBuffer, frames limit: Int) -> Bool {
        var weight = 0
        let before = headText
        while !bytes.isEmpty, weight < limit, headText &- before < headTextLimit {
            unsafe context.pointee.handledFrames = 0
            let part = unsafe context.pointee.frameCounter.count(
                bytes.span, limit: min(2 * FrameCounter.headersWeight, limit))
            let taken = unsafe bytes.span.withUnsafeBufferPointer {
                unsafe nghttp2_session_mem_recv(session, $0.baseAddress, part.bytes)
            }
            if taken == Int(NGHTTP2_ERR_FLOODED.rawValue) { unsafe context.pointee.abuse.verdict = .queuedFrames }
            guard taken >= 0 else { return false }
            if unsafe nghttp2_session_get_outbound_queue_size(session) > queueLimit {
                unsafe context.pointee.abuse.verdict = .queuedFrames
            }
            unsafe context.pointee.ignored(part.frames - context.pointee.handledFrames)
            guard !isAbused else { return false }
            bytes.consume(part.bytes)
            weight += part.weight
        }
        return true
    }

    /// Appends what may be sent to `wire` until about `limit` bytes were added (a frame more at most).
    package mutating func send(into wire: inout ByteBuffer, limit: Int, events: inout HTTP2Events) {
        let end = wire.count + min(max(0, limit), .max - wire.count)
        if !connectionPreface.isEmpty { wire.take(&connectionPreface) }
        unsafe withUnsafeMutablePointer(to: &events) { events in
            unsafe withUnsafeMutablePointer(to: &wire) { wire in
                unsafe context.pointee.events = unsafe events
                unsafe context.pointee.wire = unsafe wire
                unsafe context.pointee.wireLimit = end
                unsafe collect(into: wire, until: end)
                if isAbused, !isTerminated {
                    terminate()
                    unsafe collect(into: wire, until: end)
                }
                unsafe context.pointee.events = nil
                unsafe context.pointee.wire = nil
            }
        }
    }

    private func collect(into wire: UnsafeMutablePointer<ByteBuffer>, until end: Int) {
        while unsafe wire.pointee.count < end {
            var bytes: UnsafePointer<UInt8>?
            let count = unsafe nghttp2_session_mem_send(session, &bytes)
            guard count > 0 else { return }
            unsafe wire.pointee.append(UnsafeBufferPointer(start: bytes, count: count).span)
        }
    }

    private var isAbused: Bool { unsafe context.pointee.abuse.verdict != .none }
    private var queueLimit: Int { unsafe context.pointee.limits.queuedFrames }
    private var frameLimit: Int { unsafe context.pointee.limits.framesPerCall }
    private var restLimit: Int { unsafe context.pointee.limits.framesPerRest }
    private var headText: UInt32 { unsafe context.pointee.abuse.headTextGauge.count }
    private var headTextLimit: UInt32 { unsafe context.pointee.limits.headTextPerCall }

    /// Has nghttp2 say GOAWAY and nothing more.
    private mutating func terminate() {
        isTerminated = true
        let code: HTTP2ErrorCode = isAbused ? .enhanceYourCalm : .protocolError
        _ = unsafe nghttp2_session_terminate_session(session, code.rawValue)
    }

    /// Sends a response's head: `head[range]` is its HTTP/1.1 text (status line, fields, blank line), interim (1xx)
    /// or final. Connection-specific fields are dropped (RFC 9113 section 8.2.2), names become lower case. False if
    /// the stream is gone, has its final head already, or the text is no head or that of a 101.
    package mutating func respond(
        stream: Int32, head: borrowing ByteBuffer, _ range: Range<Int>, endsStream: Bool
    ) -> Bool {
        submit(stream: stream, head.span, range, endsStream: endsStream) != nil
    }

    /// The same for the head at the front of `text`, whatever follows it; the response goes on. Its length and whether
    /// it is interim, or nil where the other is false.
    package mutating func respond(
        stream: Int32, front text: borrowing ByteBuffer
    ) -> (length: Int, isInformational: Bool)? {
        submit(stream: stream, text.span, 0..<text.count, endsStream: false)
    }

    private mutating func submit(
        stream: Int32, _ text: Span<UInt8>, _ range: Range<Int>, endsStream: Bool
    ) -> (length: Int, isInformational: Bool)? {
        guard let entry = unsafe HTTP2Callbacks.entry(session, stream),
            unsafe entry.pointee.marks.isDisjoint(with: [.answered, .reset]), range.upperBound <= text.count,
            let status = HTTP1ResponseReader.status(text, at: range.lowerBound, end: range.upperBound), status != 101
        else { return nil }
        let session = unsafe self.session
        let isInformational = status < 200
        let digits = range.lowerBound + 9..<range.lowerBound + 12
        let end = unsafe ResponseFields.with(text, range, status: digits) { fields in
            if isInformational {
                return unsafe nghttp2_submit_headers(
                    session, 0, stream, nil, fields.baseAddress, fields.count, nil) == 0
            }
            if endsStream {
                return unsafe nghttp2_submit_response(session, stream, fields.baseAddress, fields.count, nil) == 0
            }
            var provider = unsafe nghttp2_data_provider()
            unsafe provider.source.ptr = UnsafeMutableRawPointer(entry)
            unsafe provider.read_callback = { session, stream, _, limit, flags, source, _ in
                unsafe HTTP2Callbacks.read(session, stream, limit, flags, source)
            }
            return unsafe nghttp2_submit_response(session, stream, fields.baseAddress, fields.count, &provider) == 0
        }
        guard let end else { return nil }
        if !isInformational {
            unsafe entry.pointee.marks.formUnion(endsStream ? [.answered, .finished] : .answered)
        }
        return (end - range.lowerBound, isInformational)
    }

    /// Queues body bytes of the response, until the client's window allows them. False if the stream is gone or has
    /// been finished.
    package mutating func write(stream: Int32, _ bytes: borrowing ByteBuffer, _ range: Range<Int>) -> Bool {
        guard let entry = unsafe writable(stream) else { return false }
        if unsafe entry.pointee.pending.allocated == 0 {
            unsafe entry.pointee.pending.reserve(max(range.count, HTTP2Streams.keptBytes))
        }
        unsafe entry.pointee.pending.append(bytes, range)
        unsafe context.pointee.buffered &+= range.count
        unsafe wake(entry)
        return true
    }

    /// Ends the response after what is pending.
    package mutating func finish(stream: Int32) {
        guard let entry = unsafe writable(stream) else { return }
        unsafe entry.pointee.marks.insert(.finished)
        unsafe wake(entry)
    }

    /// Ends the response after what is pending with trailer fields: `trailers[range]` is HTTP/1.1 field lines.
    package mutating func finish(stream: Int32, trailers: borrowing ByteBuffer, _ range: Range<Int>) {
        guard let entry = unsafe writable(stream) else { return }
        unsafe entry.pointee.pending.append(trailers, range)
        unsafe context.pointee.buffered &+= range.count
        unsafe entry.pointee.trailers = Int32(truncatingIfNeeded: range.count)
        finish(stream: stream)
    }

    /// The response will not be completed: RST_STREAM with INTERNAL_ERROR follows what is pending of it, and `closed`
    /// is its event. A response that has not begun is reset at once.
    package mutating func abort(stream: Int32) {
        guard let entry = unsafe writable(stream) else {
            reset(stream: stream, code: .internalError)
            return
        }
        unsafe entry.pointee.marks.insert(.broken)
        unsafe wake(entry)
    }

    /// Whether the stream is there to be answered.
    package func isOpen(stream: Int32) -> Bool {
        guard let entry = unsafe HTTP2Callbacks.entry(session, stream) else { return false }
        return unsafe !entry.pointee.marks.contains(.reset)
    }

    /// The stream's entry if its response has begun and not ended.
    private func writable(_ stream: Int32) -> UnsafeMutablePointer<HTTP2Stream>? {
        guard let entry = unsafe HTTP2Callbacks.entry(session, stream) else { return nil }
        let marks = unsafe entry.pointee.marks
        return unsafe marks.contains(.answered) && marks.isDisjoint(with: [.finished, .reset, .broken]) ? entry : nil
    }

    /// Tells nghttp2 that there is what it asked for.
    private func wake(_ entry: UnsafeMutablePointer<HTTP2Stream>) {
        guard unsafe entry.pointee.marks.contains(.waiting) else { return }
        unsafe entry.pointee.marks.remove(.waiting)
        _ = unsafe nghttp2_session_resume_data(session, entry.pointee.id)
    }

    /// Ends the stream at once with RST_STREAM: pending bytes are not sent, no event follows.
    package mutating func reset(stream: Int32, code: HTTP2ErrorCode) {
        guard let entry = unsafe HTTP2Callbacks.entry(session, stream) else { return }
        // The bytes stay until nghttp2 lets go of the stream: it may be in the midst of a frame of them.
        unsafe entry.pointee.marks.insert(.reset)
        _ = unsafe nghttp2_submit_rst_stream(session, 0, stream, code.rawValue)
    }

    /// Response body bytes that the client's window, or the connection, has not allowed yet.
    package func pendingBytes(stream: Int32) -> Int {
        guard let entry = unsafe HTTP2Callbacks.entry(session, stream) else { return 0 }
        return unsafe entry.pointee.marks.contains(.reset) ? 0 : entry.pointee.body
    }

    /// Gives the client room for `count` more body bytes: so many were passed on. What a stream leaves behind at its
    /// end is given back without this.
    package mutating func consumed(stream: Int32, _ count: Int) {
        guard let entry = unsafe HTTP2Callbacks.entry(session, stream) else { return }
        let some = unsafe min(max(0, count), Int(entry.pointee.unconsumed))
        guard some > 0 else { return }
        unsafe entry.pointee.unconsumed &-= Int32(truncatingIfNeeded: some)
        _ = unsafe nghttp2_session_consume(session, stream, some)
    }

    /// Announces the end with GOAWAY. With `isFinal` streams opened from now on are ignored, for the client to open
    /// elsewhere; without it is the notice that comes a round trip earlier (RFC 9113 section 6.8), so that no request
    /// is under way when the final one follows. Streams that are open go on.
    package mutating func goAway(isFinal: Bool) {
        if isFinal {
            let last = unsafe nghttp2_session_get_last_proc_stream_id(session)
            _ = unsafe nghttp2_submit_goaway(session, 0, last, HTTP2ErrorCode.noError.rawValue, nil, 0)
        } else {
            _ = unsafe nghttp2_submit_shutdown_notice(session)
        }
    }

    /// Whether `send` has something to give.
    package var wantsWrite: Bool { unsafe !connectionPreface.isEmpty || nghttp2_session_want_write(session) != 0 }

    /// Nothing is left to read or to write: the connection may be closed.
    package var isFinished: Bool {
        if wantsWrite { return false }
        return unsafe isTerminated || nghttp2_session_want_read(session) == 0
    }

    /// Response bytes that a stream may be given now; 0 means that `drained` will follow. Nothing breaks if it is given
    /// more, but memory.
    package func credit(stream: Int32) -> Int {
        guard let entry = unsafe HTTP2Callbacks.entry(session, stream),
            unsafe !entry.pointee.marks.contains(.reset)
        else { return unsafe context.pointee.limits.streamBytes }
        let window = unsafe nghttp2_session_get_stream_remote_window_size(session, stream)
        return unsafe context.pointee.credit(beside: entry.pointee.body, window: Int(window))
    }

    /// Response bytes that wait in all streams together, those that are being reset included.
    package var bufferedBytes: Int { unsafe context.pointee.buffered }

    /// Streams that are open.
    package var streams: Int { unsafe context.pointee.streams.count }

    /// What the client has done that costs more than it should.
    package var abuse: HTTP2Abuse { unsafe context.pointee.abuse }
}
