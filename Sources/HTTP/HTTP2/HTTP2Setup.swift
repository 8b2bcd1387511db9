import CNghttp2
import Reactor

/// Makes nghttp2's session for a server.
enum HTTP2Setup {
    /// Makes a session, which the caller frees, and appends its first frames (SETTINGS and the connection's
    /// WINDOW_UPDATE) to `connectionPreface`. Nil if memory ran out.
    static func makeSession(
        _ limits: HTTP2Limits, _ context: UnsafeMutablePointer<HTTP2Context>, connectionPreface: inout ByteBuffer
    ) -> OpaquePointer? {
        guard let callbacks = unsafe HTTP2Callbacks.make() else { return nil }
        defer { unsafe nghttp2_session_callbacks_del(callbacks) }
        guard let options = unsafe makeOptions(limits) else { return nil }
        defer { unsafe nghttp2_option_del(options) }
        var session: OpaquePointer?
        guard unsafe nghttp2_session_server_new2(&session, callbacks, context, options) == 0,
            let session = unsafe session
        else { return nil }
        guard unsafe submitSettings(session, limits) else {
            unsafe nghttp2_session_del(session)
            return nil
        }
        unsafe writePreface(session, limits, &connectionPreface)
        return unsafe session
    }

    /// Collects the session's first frames and sets SETTINGS_MAX_CONCURRENT_STREAMS in them. nghttp2 itself has no
    /// limit, because it would end the connection of a client that exceeds it. RFC 9113 section 5.1.2 requires only an
    /// error on the stream, which `HTTP2Context` causes.
    private static func writePreface(
        _ session: OpaquePointer, _ limits: HTTP2Limits, _ connectionPreface: inout ByteBuffer
    ) {
        while true {
            var bytes: UnsafePointer<UInt8>?
            let count = unsafe nghttp2_session_mem_send(session, &bytes)
            guard count > 0 else { return }
            guard connectionPreface.isEmpty else {
                unsafe connectionPreface.append(UnsafeBufferPointer(start: bytes, count: count).span)
                continue
            }
            let frame = unsafe UnsafeBufferPointer(start: bytes, count: count)
            // The value of the first entry comes after the frame's header and the entry's identifier (two bytes).
            let value = FrameCounter.headerBytes + 2
            unsafe connectionPreface.append(frame.span.extracting(..<value))
            for shift in [24, 16, 8, 0] {
                connectionPreface.append(UInt8(truncatingIfNeeded: limits.concurrentStreams >> UInt32(shift)))
            }
            unsafe connectionPreface.append(frame.span.extracting((value + 4)...))
        }
    }

    private static func makeOptions(_ limits: HTTP2Limits) -> OpaquePointer? {
        var options: OpaquePointer?
        guard unsafe nghttp2_option_new(&options) == 0, let options = unsafe options else { return nil }
        // Windows are returned when bytes were forwarded, not when they came.
        unsafe nghttp2_option_set_no_auto_window_update(options, 1)
        // nghttp2 keeps closed streams only for the priority tree, which is off.
        unsafe nghttp2_option_set_no_closed_streams(options, 1)
        unsafe nghttp2_option_set_max_outbound_ack(options, limits.queuedFrames)
        // `HTTP2Abuse` limits resets with the worker's clock; nghttp2's limit would read the system's.
        unsafe nghttp2_option_set_stream_reset_rate_limit(options, .max, .max)
        // nghttp2 counts a CONTINUATION frame once for each piece in which its header comes; `HTTP2Context` counts
        // frames.
        unsafe nghttp2_option_set_max_continuations(options, limits.blockContinuations * 16)
        return unsafe options
    }

    private static func submitSettings(_ session: OpaquePointer, _ limits: HTTP2Limits) -> Bool {
        let settings: InlineArray<5, nghttp2_settings_entry> = [
            // The first entry: `writePreface` replaces its value.
            setting(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, .max),
            setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.initialWindow),
            setting(NGHTTP2_SETTINGS_MAX_FRAME_SIZE, limits.maximumFrame),
            setting(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, UInt32(clamping: limits.headerListBytes)),
            // No priority tree (RFC 9218 section 2.1), so that a client cannot make the server store one.
            setting(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1),
        ]
        let isSubmitted = unsafe settings.span.withUnsafeBufferPointer {
            unsafe nghttp2_submit_settings(session, 0, $0.baseAddress, $0.count) == 0
        }
        let window = Int32(clamping: limits.connectionWindow)
        return unsafe isSubmitted && nghttp2_session_set_local_window_size(session, 0, 0, window) == 0
    }

    static func setting(_ name: nghttp2_settings_id, _ value: UInt32) -> nghttp2_settings_entry {
        nghttp2_settings_entry(settings_id: Int32(bitPattern: name.rawValue), value: value)
    }
}
