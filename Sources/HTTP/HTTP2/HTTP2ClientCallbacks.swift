import CNghttp2
import Reactor

/// The callbacks of nghttp2 for a client's session. Each forwards to the session's `HTTP2ClientContext`.
enum HTTP2ClientCallbacks {
    /// Makes a set of callbacks, which the caller deletes after making a session with it. Nil if memory ran out.
    static func make() -> OpaquePointer? {
        var callbacks: OpaquePointer?
        guard unsafe nghttp2_session_callbacks_new(&callbacks) == 0, let callbacks = unsafe callbacks else {
            return nil
        }
        unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, _, user in
            unsafe HTTP2ClientCallbacks.context(user)?.pointee.headBegins()
            return CallbackResult.proceed
        }
        unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _, _, name, nameCount, value, valueCount, _, user in
            guard let context = unsafe HTTP2ClientCallbacks.context(user) else { return CallbackResult.stop }
            let name = unsafe UnsafeBufferPointer(start: name, count: nameCount)
            let value = unsafe UnsafeBufferPointer(start: value, count: valueCount)
            let isWithinLimit = unsafe context.pointee.addField(name: name.span, value: value.span)
            return isWithinLimit ? CallbackResult.proceed : CallbackResult.resetStream
        }
        unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { session, frame, user in
            unsafe HTTP2ClientCallbacks.frameArrived(session, frame, user)
        }
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) {
            session, _, stream, data, count, user in
            guard let context = unsafe HTTP2ClientCallbacks.context(user), let data = unsafe data,
                let entry = unsafe HTTP2Callbacks.entry(session, stream)
            else { return CallbackResult.proceed }
            unsafe context.pointee.dataArrived(entry, data, count)
            return CallbackResult.proceed
        }
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { session, stream, code, user in
            guard let context = unsafe HTTP2ClientCallbacks.context(user),
                let entry = unsafe HTTP2Callbacks.entry(session, stream)
            else { return CallbackResult.proceed }
            unsafe nghttp2_session_set_stream_user_data(session, stream, nil)
            unsafe context.pointee.streamClosed(entry, code: code)
            return CallbackResult.proceed
        }
        unsafe nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks) { session, frame, _, _ in
            // nghttp2 closes the stream after this callback.
            guard let header = unsafe frame?.pointee.hd, header.type == FrameType.headers,
                let entry = unsafe HTTP2Callbacks.entry(session, header.stream_id)
            else { return CallbackResult.proceed }
            unsafe entry.pointee.state.insert(.declined)
            return CallbackResult.proceed
        }
        return unsafe callbacks
    }

    private static func context(_ user: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<HTTP2ClientContext>? {
        unsafe user?.assumingMemoryBound(to: HTTP2ClientContext.self)
    }

    private static func frameArrived(
        _ session: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?, _ user: UnsafeMutableRawPointer?
    ) -> CInt {
        guard let frame = unsafe frame, let context = unsafe context(user) else { return CallbackResult.stop }
        let header = unsafe frame.pointee.hd
        let endsStream = header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
        switch header.type {
        case FrameType.headers:
            guard let entry = unsafe HTTP2Callbacks.entry(session, header.stream_id) else { break }
            unsafe context.pointee.headArrived(entry, endsStream: endsStream)
        case FrameType.data where endsStream:
            guard let entry = unsafe HTTP2Callbacks.entry(session, header.stream_id) else { break }
            unsafe context.pointee.responseEnded(entry)
        case FrameType.goAway:
            let goAway = unsafe frame.pointee.goaway
            unsafe context.pointee.goAwayArrived(last: goAway.last_stream_id, code: goAway.error_code)
        default:
            break
        }
        return CallbackResult.proceed
    }

    /// Copies the next bytes of a request's body into a DATA frame.
    static func copyBody(
        _ space: UnsafeMutablePointer<UInt8>?, _ limit: Int, _ flags: UnsafeMutablePointer<UInt32>?,
        _ source: UnsafeMutablePointer<nghttp2_data_source>?
    ) -> Int {
        guard let flags = unsafe flags, let space = unsafe space,
            let entry = unsafe source?.pointee.ptr?.assumingMemoryBound(to: HTTP2Stream.self)
        else { return Int(CallbackResult.resetStream) }
        let count = unsafe min(limit, entry.pointee.pending.count)
        unsafe entry.pointee.pending.span.withUnsafeBufferPointer {
            if let start = $0.baseAddress { unsafe space.update(from: start, count: count) }
        }
        unsafe entry.pointee.pending.consume(count)
        if unsafe entry.pointee.pending.isEmpty { unsafe flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue }
        return count
    }
}
