import CNghttp2
import Reactor

/// The callbacks of nghttp2 for a server's session. Each forwards to the session's `HTTP2Context`.
enum HTTP2Callbacks {
    /// Makes a set of callbacks, which the caller deletes after making a session with it. Nil if memory ran out.
    static func make() -> OpaquePointer? {
        var callbacks: OpaquePointer?
        guard unsafe nghttp2_session_callbacks_new(&callbacks) == 0, let callbacks = unsafe callbacks else {
            return nil
        }
        unsafe nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks) { session, header, user in
            guard let header = unsafe header, let context = unsafe HTTP2Callbacks.context(user) else {
                return CallbackResult.stop
            }
            guard unsafe HTTP2Callbacks.mayBegin(session, header, context) else { return CallbackResult.stop }
            return unsafe context.pointee.frameBegins(type: header.pointee.type)
        }
        unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { session, frame, user in
            unsafe HTTP2Callbacks.headersBegin(session, frame, user)
        }
        unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            session, frame, name, nameCount, value, valueCount, _, user in
            unsafe HTTP2Callbacks.field(session, frame, name, nameCount, value, valueCount, user)
        }
        unsafe nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks) {
            session, frame, _, _, _, _, _, user in
            guard let frame = unsafe frame, let context = unsafe HTTP2Callbacks.context(user) else {
                return CallbackResult.stop
            }
            return unsafe HTTP2Callbacks.resetStream(session, frame, context.pointee.discardMalformedBlock())
        }
        unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { session, frame, user in
            unsafe HTTP2Callbacks.frameArrived(session, frame, user)
        }
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) {
            session, _, stream, data, count, user in
            unsafe HTTP2Callbacks.dataArrived(session, stream, data, count, user)
        }
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { session, stream, code, user in
            unsafe HTTP2Callbacks.streamClosed(session, stream, code, user)
        }
        unsafe nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { session, frame, user in
            unsafe HTTP2Callbacks.frameSent(session, frame, user)
        }
        unsafe nghttp2_session_callbacks_set_send_data_callback(callbacks) { _, frame, header, count, source, user in
            unsafe HTTP2Callbacks.sendData(frame, header, count, source, user)
        }
        return unsafe callbacks
    }

    typealias UserData = UnsafeMutableRawPointer?
    typealias Frame = UnsafePointer<nghttp2_frame>?

    private static func context(_ user: UserData) -> UnsafeMutablePointer<HTTP2Context>? {
        unsafe user?.assumingMemoryBound(to: HTTP2Context.self)
    }

    /// The stream's entry; nil if the stream is closed or was refused.
    static func entry(_ session: OpaquePointer?, _ stream: Int32) -> UnsafeMutablePointer<HTTP2Stream>? {
        unsafe nghttp2_session_get_stream_user_data(session, stream)?.assumingMemoryBound(to: HTTP2Stream.self)
    }

    /// Whether a frame may come on its stream, as far as nghttp2 leaves that to us: it ignores PRIORITY frames as soon as
    /// there is no priority tree, and HEADERS on streams that it does not know any more.
    @inline(__always)
    private static func mayBegin(
        _ session: OpaquePointer?, _ header: UnsafePointer<nghttp2_frame_hd>,
        _ context: UnsafeMutablePointer<HTTP2Context>
    ) -> Bool {
        switch unsafe header.pointee.type {
        // RFC 9113 section 6.3.
        case FrameType.priority: return unsafe header.pointee.stream_id != 0
        case FrameType.headers:
            let frame = unsafe header.pointee
            if unsafe context.pointee.streamOrder.opensNext(frame.stream_id) { return true }
            let isOpen = unsafe entry(session, frame.stream_id) != nil
            let endsStream = frame.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
            return unsafe context.pointee.streamOrder.accepts(
                frame.stream_id, endsStream: endsStream, isOpen: isOpen)
        default: return true
        }
    }

    private static func submitReset(_ session: OpaquePointer?, _ stream: Int32, _ code: HTTP2ErrorCode) {
        _ = unsafe nghttp2_submit_rst_stream(session, 0, stream, code.rawValue)
    }

    /// Resets a stream with PROTOCOL_ERROR for a malformed header block (RFC 9113 section 8.1.1). By itself nghttp2
    /// would use INTERNAL_ERROR.
    private static func resetStream(
        _ session: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>, _ result: CInt
    ) -> CInt {
        if result == CallbackResult.resetStream {
            unsafe submitReset(session, frame.pointee.hd.stream_id, .protocolError)
        }
        return result
    }

    private static func headersBegin(_ session: OpaquePointer?, _ frame: Frame, _ user: UserData) -> CInt {
        guard let frame = unsafe frame, let context = unsafe context(user) else { return CallbackResult.stop }
        unsafe context.pointee.handledFrames &+= 1
        let stream = unsafe frame.pointee.hd.stream_id
        let isRequest = unsafe frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST
        if isRequest, unsafe context.pointee.isFull {
            unsafe submitReset(session, stream, .refusedStream)
            return unsafe context.pointee.countRefusal() ? CallbackResult.resetStream : CallbackResult.stop
        }
        if let entry = unsafe context.pointee.headersBegin(stream: stream, isRequest: isRequest) {
            unsafe nghttp2_session_set_stream_user_data(session, stream, entry)
        }
        return CallbackResult.proceed
    }

    private static func field(
        _ session: OpaquePointer?, _ frame: Frame, _ name: UnsafePointer<UInt8>?, _ nameCount: Int,
        _ value: UnsafePointer<UInt8>?, _ valueCount: Int, _ user: UserData
    ) -> CInt {
        guard let frame = unsafe frame, let context = unsafe context(user) else { return CallbackResult.stop }
        let name = unsafe UnsafeBufferPointer(start: name, count: nameCount)
        let value = unsafe UnsafeBufferPointer(start: value, count: valueCount)
        let result = unsafe context.pointee.addField(name: name.span, value: value.span)
        return result == 0 ? 0 : unsafe resetStream(session, frame, result)
    }

    private static func frameArrived(_ session: OpaquePointer?, _ frame: Frame, _ user: UserData) -> CInt {
        guard let frame = unsafe frame, let context = unsafe context(user) else { return CallbackResult.stop }
        let header = unsafe frame.pointee.hd
        let endsStream = header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
        switch header.type {
        case FrameType.headers:
            guard let entry = unsafe entry(session, header.stream_id) else { return CallbackResult.proceed }
            if unsafe frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST {
                return unsafe requestArrived(session, entry, context, endsStream: endsStream)
            }
            if unsafe !context.pointee.trailersArrived(entry) {
                unsafe submitReset(session, header.stream_id, .enhanceYourCalm)
            }
        case FrameType.data where endsStream:
            guard let entry = unsafe entry(session, header.stream_id) else { return CallbackResult.proceed }
            unsafe context.pointee.requestEnded(entry, trailers: .empty)
        case FrameType.data:
            if unsafe header.length <= frame.pointee.data.padlen { return unsafe context.pointee.countEmptyData() }
        case FrameType.goAway:
            unsafe context.pointee.events?.pointee.append(.goAway)
        default:
            break
        }
        return CallbackResult.proceed
    }

    private static func requestArrived(
        _ session: OpaquePointer?, _ entry: UnsafeMutablePointer<HTTP2Stream>,
        _ context: UnsafeMutablePointer<HTTP2Context>, endsStream: Bool
    ) -> CInt {
        switch unsafe context.pointee.requestArrived(entry, endsStream: endsStream) {
        case .reported: return CallbackResult.proceed
        case .methodRefused: unsafe respond(session, entry.pointee.id, status: "405", isMethodRefused: true)
        case .tooLarge: unsafe respond(session, entry.pointee.id, status: "431", isMethodRefused: false)
        case .overLimit:
            unsafe submitReset(session, entry.pointee.id, .refusedStream)
            return unsafe context.pointee.countRefusal() ? CallbackResult.proceed : CallbackResult.stop
        case .malformed: unsafe submitReset(session, entry.pointee.id, .protocolError)
        case .stop: return CallbackResult.stop
        }
        return CallbackResult.proceed
    }

    /// Answers a request that is not reported, without a body. 405 has an `Allow` (RFC 9110 section 15.5.6).
    private static func respond(_ session: OpaquePointer?, _ stream: Int32, status: StaticString, isMethodRefused: Bool)
    {
        let fields: InlineArray<4, nghttp2_nv> = unsafe [
            .constant(":status", status), .constant("content-length", "0"), .constant("server", "berth"),
            .constant("allow", Method.forwarded),
        ]
        let span = unsafe fields.span
        unsafe span.withUnsafeBufferPointer { fields in
            let count = isMethodRefused ? 4 : 3
            _ = unsafe nghttp2_submit_response(session, stream, fields.baseAddress, count, nil)
        }
    }

    private static func dataArrived(
        _ session: OpaquePointer?, _ stream: Int32, _ data: UnsafePointer<UInt8>?, _ count: Int, _ user: UserData
    ) -> CInt {
        guard let context = unsafe context(user) else { return CallbackResult.stop }
        let bytes = unsafe UnsafeBufferPointer(start: data, count: count)
        if let entry = unsafe entry(session, stream) {
            if unsafe context.pointee.discarded(entry, count) { unsafe submitReset(session, stream, .noError) }
            if unsafe context.pointee.dataArrived(entry, bytes.span) { return CallbackResult.proceed }
        }
        // Only the connection's window is returned; the stream's stays closed.
        _ = unsafe nghttp2_session_consume_connection(session, count)
        return CallbackResult.proceed
    }

    private static func streamClosed(
        _ session: OpaquePointer?, _ stream: Int32, _ code: UInt32, _ user: UserData
    ) -> CInt {
        guard let context = unsafe context(user), let entry = unsafe entry(session, stream) else {
            return CallbackResult.proceed
        }
        unsafe nghttp2_session_set_stream_user_data(session, stream, nil)
        let left = unsafe context.pointee.streamClosed(entry, code: code)
        if left > 0 { _ = unsafe nghttp2_session_consume_connection(session, left) }
        return CallbackResult.proceed
    }

    private static func frameSent(_ session: OpaquePointer?, _ frame: Frame, _ user: UserData) -> CInt {
        guard let frame = unsafe frame, let context = unsafe context(user) else { return CallbackResult.stop }
        let header = unsafe frame.pointee.hd
        switch header.type {
        case FrameType.data, FrameType.headers:
            if header.type == FrameType.data { unsafe context.pointee.dataSent() }
            guard header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0,
                let entry = unsafe entry(session, header.stream_id)
            else { return CallbackResult.proceed }
            // The response is complete, so the rest of the request is declined (RFC 9113 section 8.1).
            if unsafe context.pointee.responseEnded(entry) { unsafe submitReset(session, header.stream_id, .noError) }
        case FrameType.reset:
            let state = unsafe entry(session, header.stream_id)?.pointee.state ?? []
            if state.isDisjoint(with: [.detached, .declined]) {
                unsafe context.pointee.resetInduced(code: frame.pointee.rst_stream.error_code)
            }
        case FrameType.goAway:
            unsafe context.pointee.goAwaySent(code: frame.pointee.goaway.error_code)
        default:
            break
        }
        return CallbackResult.proceed
    }

    private static func sendData(
        _ frame: UnsafeMutablePointer<nghttp2_frame>?, _ header: UnsafePointer<UInt8>?, _ count: Int,
        _ source: UnsafeMutablePointer<nghttp2_data_source>?, _ user: UserData
    ) -> CInt {
        guard let frame = unsafe frame, let context = unsafe context(user),
            let entry = unsafe source?.pointee.ptr?.assumingMemoryBound(to: HTTP2Stream.self)
        else { return CallbackResult.stop }
        // The stream may have been reset while the frame waited for space in the output.
        guard unsafe entry.pointee.id == frame.pointee.hd.stream_id, unsafe count <= entry.pointee.pendingBodyBytes,
            unsafe !entry.pointee.state.contains(.detached)
        else { return CallbackResult.resetStream }
        // A frame header has nine bytes (RFC 9113 section 4.1). Frames are never padded.
        let header = unsafe UnsafeBufferPointer(start: header, count: 9)
        let isWritten = unsafe context.pointee.writeData(entry, header: header.span, count: count)
        return isWritten ? CallbackResult.proceed : CallbackResult.wouldBlock
    }

    /// Returns how many of a stream's pending bytes its next DATA frame has.
    static func nextDataLength(
        _ session: OpaquePointer?, _ stream: Int32, _ limit: Int, _ flags: UnsafeMutablePointer<UInt32>?,
        _ source: UnsafeMutablePointer<nghttp2_data_source>?
    ) -> Int {
        guard let flags = unsafe flags,
            let entry = unsafe source?.pointee.ptr?.assumingMemoryBound(to: HTTP2Stream.self),
            unsafe entry.pointee.id == stream
        else { return Int(CallbackResult.resetStream) }
        let body = unsafe entry.pointee.pendingBodyBytes
        let count = min(body, limit)
        if count == 0, unsafe entry.pointee.state.contains(.aborted) {
            unsafe entry.pointee.state.formUnion([.responseSent, .declined])
            unsafe submitReset(session, stream, .internalError)
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        let isLast = unsafe count == body && entry.pointee.state.contains(.responseComplete)
        guard count > 0 || isLast else {
            unsafe entry.pointee.state.insert(.deferred)
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        unsafe flags.pointee |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue
        if isLast {
            unsafe flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
            if unsafe entry.pointee.trailerBytes > 0, unsafe submitTrailers(session, entry) {
                unsafe flags.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
            }
        }
        return count
    }

    /// Submits the stream's trailer fields. False if there are none that may be sent.
    private static func submitTrailers(
        _ session: OpaquePointer?, _ entry: UnsafeMutablePointer<HTTP2Stream>
    ) -> Bool {
        let range = unsafe entry.pointee.pendingBodyBytes..<entry.pointee.pending.count
        let (id, text) = unsafe (entry.pointee.id, entry.pointee.pending.span)
        return ResponseFields.with(capacity: HTTP1ResponseReader.lines(text, range)) { fields in
            unsafe text.withUnsafeBufferPointer { bytes in
                guard let base = bytes.baseAddress,
                    unsafe fields.appendLines(text, base, from: range.lowerBound, to: range.upperBound) != nil
                else { return false }
                let trailers = unsafe fields.all
                return unsafe trailers.count > 0
                    && nghttp2_submit_trailer(session, id, trailers.baseAddress, trailers.count) == 0
            }
        }
    }
}
