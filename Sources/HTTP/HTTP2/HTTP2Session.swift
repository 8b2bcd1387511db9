import CNghttp2
package import Kernel
package import Reactor

/// The server's side of an HTTP/2 connection (RFC 9113), over nghttp2: received bytes in, events out; responses in,
/// bytes to send out. Requests are reported as HTTP/1.1 heads, and responses are passed as such.
///
/// Calls for a closed stream have no effect. No call keeps a pointer to its arguments. A session must be used on one
/// thread only.
@safe
package struct HTTP2Session: ~Copyable {
    /// nghttp2's session; freed in `deinit`.
    let session: OpaquePointer
    /// The state of the callbacks, which nghttp2 has a pointer to; freed in `deinit`.
    let context: UnsafeMutablePointer<HTTP2Context>
    private var isTerminated = false
    /// The first bytes to send: SETTINGS and the connection's WINDOW_UPDATE.
    private var connectionPreface = ByteBuffer()

    /// Nil if memory ran out. The first `send` appends SETTINGS (RFC 9113 section 3.4).
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

    /// Processes and consumes received bytes and appends their events to `events`. It leaves bytes if they are more
    /// than one call processes (`HTTP2Limits.framesPerCall`, `headTextPerCall`). The caller passes those again, with
    /// `isRest`.
    ///
    /// False if the connection has failed or is abused: its streams are lost, and there are no more events. The caller
    /// sends the bytes of a last `send` (GOAWAY), then closes. An error that nghttp2 itself has detected shows in
    /// `isFinished` after the next `send`.
    package mutating func receive(
        _ bytes: inout ByteBuffer, isRest: Bool = false, now: Instant, events: inout HTTP2Events
    ) -> Bool {
        guard !isTerminated else {
            bytes.clear()
            return false
        }
        unsafe context.pointee.now = now
        let isValid = unsafe withUnsafeMutablePointer(to: &events) { events in
            unsafe context.pointee.events = unsafe events
            unsafe context.pointee.headerBlock.resume(&events.pointee.bytes)
            let isValid = process(&bytes, weight: isRest ? restLimit : frameLimit)
            unsafe context.pointee.headerBlock.suspend(&events.pointee.bytes)
            unsafe context.pointee.events = nil
            return isValid
        }
        if isValid { return true }
        terminate()
        bytes.clear()
        return false
    }

    /// Passes bytes to nghttp2 until frames of weight `limit` are processed: each header block together with the frames
    /// that follow it, other frames a few at a time. False if the connection has failed.
    private func process(_ bytes: inout ByteBuffer, weight limit: Int) -> Bool {
        var weight = 0
        let before = headText
        while !bytes.isEmpty, weight < limit, headText &- before < headTextLimit {
            unsafe context.pointee.handledFrames = 0
            let batch = unsafe context.pointee.frameCounter.count(
                bytes.span, limit: min(2 * FrameCounter.headersWeight, limit))
            let processed = unsafe bytes.span.withUnsafeBufferPointer {
                unsafe nghttp2_session_mem_recv(session, $0.baseAddress, batch.bytes)
            }
            if processed == Int(NGHTTP2_ERR_FLOODED.rawValue) {
                unsafe context.pointee.abuse.exceededLimit = .queuedFrames
            }
            guard processed >= 0 else { return false }
            if unsafe nghttp2_session_get_outbound_queue_size(session) > queueLimit {
                unsafe context.pointee.abuse.exceededLimit = .queuedFrames
            }
            unsafe context.pointee.countIgnored(batch.frames - context.pointee.handledFrames)
            guard !isAbused else { return false }
            bytes.consume(batch.bytes)
            weight += batch.weight
        }
        return true
    }

    /// Appends the frames that may be sent to `output`, until at least `limit` bytes were added; the last frame may
    /// exceed it.
    package mutating func send(into output: inout ByteBuffer, limit: Int, events: inout HTTP2Events) {
        let end = output.count + min(max(0, limit), .max - output.count)
        if !connectionPreface.isEmpty { output.take(&connectionPreface) }
        unsafe withUnsafeMutablePointer(to: &events) { events in
            unsafe withUnsafeMutablePointer(to: &output) { output in
                unsafe context.pointee.events = unsafe events
                unsafe context.pointee.output = unsafe output
                unsafe context.pointee.outputLimit = end
                unsafe collectFrames(into: output, until: end)
                if isAbused, !isTerminated {
                    terminate()
                    unsafe collectFrames(into: output, until: end)
                }
                unsafe context.pointee.events = nil
                unsafe context.pointee.output = nil
            }
        }
    }

    private func collectFrames(into output: UnsafeMutablePointer<ByteBuffer>, until end: Int) {
        while unsafe output.pointee.count < end {
            var bytes: UnsafePointer<UInt8>?
            let count = unsafe nghttp2_session_mem_send(session, &bytes)
            guard count > 0 else { return }
            unsafe output.pointee.append(UnsafeBufferPointer(start: bytes, count: count).span)
        }
    }

    private var isAbused: Bool { unsafe context.pointee.abuse.exceededLimit != .none }
    private var queueLimit: Int { unsafe context.pointee.limits.queuedFrames }
    private var frameLimit: Int { unsafe context.pointee.limits.framesPerCall }
    private var restLimit: Int { unsafe context.pointee.limits.framesPerRest }
    private var headText: UInt32 { unsafe context.pointee.abuse.headTextLimiter.count }
    private var headTextLimit: UInt32 { unsafe context.pointee.limits.headTextPerCall }

    /// Makes nghttp2 send GOAWAY and nothing after it.
    private mutating func terminate() {
        isTerminated = true
        let code: HTTP2ErrorCode = isAbused ? .enhanceYourCalm : .protocolError
        _ = unsafe nghttp2_session_terminate_session(session, code.rawValue)
    }

    /// The number of what the client has begun to send and not ended: a header block, or a frame. Nil: nothing, or a part of a
    /// body, as long as there are streams that it may be for.
    package var unfinished: UInt32? { unsafe context.pointee.frameCounter.unfinished(countsData: streams == 0) }

    /// What is unfinished takes too long: the connection fails, as one that is abused does.
    package mutating func failUnfinished() {
        guard !isTerminated else { return }
        unsafe context.pointee.abuse.exceededLimit = .slowHead
        terminate()
    }

    /// Returns flow-control window for `count` body bytes, which were forwarded. Bytes that are unconsumed when a
    /// stream closes are returned without this.
    package mutating func consumed(stream: Int32, _ count: Int) {
        guard let entry = unsafe HTTP2Callbacks.entry(session, stream) else { return }
        let consumed = unsafe min(max(0, count), Int(entry.pointee.unconsumed))
        guard consumed > 0 else { return }
        unsafe entry.pointee.unconsumed &-= Int32(truncatingIfNeeded: consumed)
        _ = unsafe nghttp2_session_consume(session, stream, consumed)
    }

    /// Sends GOAWAY (RFC 9113 section 6.8). The final one makes the session ignore new streams, which the client can
    /// open on another connection. The other one is the notice sent a round trip earlier, so that the client opens no
    /// more streams before the final one. Open streams continue.
    package mutating func goAway(isFinal: Bool) {
        if isFinal {
            let last = unsafe nghttp2_session_get_last_proc_stream_id(session)
            _ = unsafe nghttp2_submit_goaway(session, 0, last, HTTP2ErrorCode.noError.rawValue, nil, 0)
        } else {
            _ = unsafe nghttp2_submit_shutdown_notice(session)
        }
    }

    /// Whether `send` would append bytes.
    package var wantsWrite: Bool { unsafe !connectionPreface.isEmpty || nghttp2_session_want_write(session) != 0 }

    /// Whether nothing is left to read or write, so that the connection can be closed.
    package var isFinished: Bool {
        if wantsWrite { return false }
        return unsafe isTerminated || nghttp2_session_want_read(session) == 0
    }

    /// The response bytes that wait in all streams, including streams that are being reset.
    package var bufferedBytes: Int { unsafe context.pointee.bufferedBytes }

    /// The number of open streams.
    package var streams: Int { unsafe context.pointee.streams.count }

    /// The counters of the client's expensive actions.
    package var abuse: HTTP2Abuse { unsafe context.pointee.abuse }
}
