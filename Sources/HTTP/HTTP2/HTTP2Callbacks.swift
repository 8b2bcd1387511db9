import CNghttp2
import Reactor

/// The functions that nghttp2 calls, each of them the shortest way to `HTTP2Context`.
enum HTTP2Callbacks {
    /// A set of them, to be deleted once a session was made with it. Nil if there is no memory.
    static func make() -> OpaquePointer? {
        var callbacks: OpaquePointer?
        guard unsafe nghttp2_session_callbacks_new(&callbacks) == 0, let callbacks = unsafe callbacks else {
            return nil
        }
        unsafe nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks) { _, header, user in
            guard let header = unsafe header, let context = unsafe HTTP2Callbacks.context(user) else {
                return CallbackResult.stop
            }
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
            return unsafe HTTP2Callbacks.resetStream(session, frame, context.pointee.malformed())
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

    typealias User = UnsafeMutableRawPointer?
    typealias Frame = UnsafePointer<nghttp2_frame>?

    private static func context(_ user: User) -> UnsafeMutablePointer<HTTP2Context>? {
        unsafe user?.assumingMemoryBound(to: HTTP2Context.self)
    }

    static func entry(_ session: OpaquePointer?, _ stream: Int32) -> UnsafeMutablePointer<HTTP2Stream>? {
        unsafe nghttp2_session_get_stream_user_data(session, stream)?.assumingMemoryBound(to: HTTP2Stream.self)
    }

    private static func submitReset(_ session: OpaquePointer?, _ stream: Int32, _ code: HTTP2ErrorCode) {
        _ = unsafe nghttp2_submit_rst_stream(session, 0, stream, code.rawValue)
    }

    /// Has a stream reset for a malformed header block (RFC 9113 section 8.1.1); nghttp2 alone would say
    /// INTERNAL_ERROR.
    private static func resetStream(
        _ session: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>, _ result: CInt
    ) -> CInt {
        if result == CallbackResult.resetStream {
            unsafe submitReset(session, frame.pointee.hd.stream_id, .protocolError)
        }
        return result
    }

    private static func headersBegin(_ session: OpaquePointer?, _ frame: Frame, _ user: User) -> CInt {
        guard let frame = unsafe frame, let context = unsafe context(user) else { return CallbackResult.stop }
        unsafe context.pointee.handledFrames &+= 1
        let stream = unsafe frame.pointee.hd.stream_id
        let isRequest = unsafe frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST
        if isRequest, unsafe context.pointee.isFull {
            unsafe submitReset(session, stream, .refusedStream)
            return unsafe context.pointee.refused() ? CallbackResult.resetStream : CallbackResult.stop
        }
        if let entry = unsafe context.pointee.headersBegin(stream: stream, isRequest: isRequest) {
            unsafe nghttp2_session_set_stream_user_data(session, stream, entry)
        }
        return CallbackResult.proceed
    }

    private static func field(
        _ session: OpaquePointer?, _ frame: Frame, _ name: UnsafePointer<UInt8>?, _ nameCount: Int,
        _ value: UnsafePointer<UInt8>?, _ valueCount: Int, _ user: User
    ) -> CInt {
        guard let frame = unsafe frame, let context = unsafe context(user) else { return CallbackResult.stop }
        let name = unsafe UnsafeBufferPointer(start: name, count: nameCount)
        let value = unsafe UnsafeBufferPointer(start: value, count: valueCount)
        let result = unsafe context.pointee.field(name: name.span, value: value.span)
        return result == 0 ? 0 : unsafe resetStream(session, frame, result)
    }

    private static func frameArrived(_ session: OpaquePointer?, _ frame: Frame, _ user: User) -> CInt {
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
            if unsafe header.length <= frame.pointee.data.padlen { return unsafe context.pointee.emptyDataArrived() }
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
        case .announced: return CallbackResult.proceed
        case .refused(let status): unsafe answer(session, entry.pointee.id, status: status)
        case .overLimit:
            unsafe submitReset(session, entry.pointee.id, .refusedStream)
            return unsafe context.pointee.refused() ? CallbackResult.proceed : CallbackResult.stop
        case .malformed: unsafe submitReset(session, entry.pointee.id, .protocolError)
        case .stop: return CallbackResult.stop
        }
        return CallbackResult.proceed
    }

    /// Answers a request without a body, before anybody else has seen it.
    private static func answer(_ session: OpaquePointer?, _ stream: Int32, status: StaticString) {
        let fields: InlineArray<2, nghttp2_nv> = unsafe [
            .still(":status", status), .still("content-length", "0"),
        ]
        let span = unsafe fields.span
        unsafe span.withUnsafeBufferPointer { fields in
            _ = unsafe nghttp2_submit_response(session, stream, fields.baseAddress, fields.count, nil)
        }
    }

    private static func dataArrived(
        _ session: OpaquePointer?, _ stream: Int32, _ data: UnsafePointer<UInt8>?, _ count: Int, _ user: User
    ) -> CInt {
        guard let context = unsafe context(user) else { return CallbackResult.stop }
        let bytes = unsafe UnsafeBufferPointer(start: data, count: count)
        if let entry = unsafe entry(session, stream), unsafe context.pointee.dataArrived(entry, bytes.span) {
            return CallbackResult.proceed
        }
        // The stream's own window stays shut.
        _ = unsafe nghttp2_session_consume_connection(session, count)
        return CallbackResult.proceed
    }

    private static func streamClosed(
        _ session: OpaquePointer?, _ stream: Int32, _ code: UInt32, _ user: User
    ) -> CInt {
        guard let context = unsafe context(user), let entry = unsafe entry(session, stream) else {
            return CallbackResult.proceed
        }
        unsafe nghttp2_session_set_stream_user_data(session, stream, nil)
        let left = unsafe context.pointee.streamClosed(entry, code: code)
        if left > 0 { _ = unsafe nghttp2_session_consume_connection(session, left) }
        return CallbackResult.proceed
    }

    private static func frameSent(_ session: OpaquePointer?, _ frame: Frame, _ user: User) -> CInt {
        guard let frame = unsafe frame, let context = unsafe context(user) else { return CallbackResult.stop }
        let header = unsafe frame.pointee.hd
        switch header.type {
        case FrameType.data, FrameType.headers:
            if header.type == FrameType.data { unsafe context.pointee.dataSent() }
            guard header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0,
                let entry = unsafe entry(session, header.stream_id)
            else { return CallbackResult.proceed }
            // The answer is complete; whatever else the client meant to say is not needed (RFC 9113 section 8.1).
            if unsafe context.pointee.responseEnded(entry) { unsafe submitReset(session, header.stream_id, .noError) }
        case FrameType.reset:
            let marks = unsafe entry(session, header.stream_id)?.pointee.marks ?? []
            if marks.isDisjoint(with: [.reset, .declined]) {
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
        _ source: UnsafeMutablePointer<nghttp2_data_source>?, _ user: User
    ) -> CInt {
        guard let frame = unsafe frame, let context = unsafe context(user),
            let entry = unsafe source?.pointee.ptr?.assumingMemoryBound(to: HTTP2Stream.self)
        else { return CallbackResult.stop }
        // A frame that waited for room on the wire may find its stream reset.
        guard unsafe entry.pointee.id == frame.pointee.hd.stream_id, unsafe count <= entry.pointee.body,
            unsafe !entry.pointee.marks.contains(.reset)
        else { return CallbackResult.resetStream }
        // Nine bytes (RFC 9113 section 4.1); we never pad.
        let header = unsafe UnsafeBufferPointer(start: header, count: 9)
        let isWritten = unsafe context.pointee.writeData(entry, header: header.span, count: count)
        return isWritten ? CallbackResult.proceed : CallbackResult.later
    }

    /// Says how much of a stream's pending bytes goes into its next DATA frame.
    static func read(
        _ session: OpaquePointer?, _ stream: Int32, _ limit: Int, _ flags: UnsafeMutablePointer<UInt32>?,
        _ source: UnsafeMutablePointer<nghttp2_data_source>?
    ) -> Int {
        guard let flags = unsafe flags,
            let entry = unsafe source?.pointee.ptr?.assumingMemoryBound(to: HTTP2Stream.self),
            unsafe entry.pointee.id == stream
        else { return Int(CallbackResult.resetStream) }
        let body = unsafe entry.pointee.body
        let count = min(body, limit)
        if count == 0, unsafe entry.pointee.marks.contains(.broken) {
            unsafe entry.pointee.marks.formUnion([.ended, .declined])
            unsafe submitReset(session, stream, .internalError)
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        let isLast = unsafe count == body && entry.pointee.marks.contains(.finished)
        guard count > 0 || isLast else {
            unsafe entry.pointee.marks.insert(.waiting)
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        unsafe flags.pointee |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue
        if isLast {
            unsafe flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
            if unsafe entry.pointee.trailers > 0, unsafe submitTrailers(session, entry) {
                unsafe flags.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
            }
        }
        return count
    }

    /// False if there is no field in them.
    private static func submitTrailers(
        _ session: OpaquePointer?, _ entry: UnsafeMutablePointer<HTTP2Stream>
    ) -> Bool {
        let range = unsafe entry.pointee.body..<entry.pointee.pending.count
        let id = unsafe entry.pointee.id
        return unsafe ResponseFields.with(entry.pointee.pending.span, range, status: nil) { fields in
            guard fields.count > 0 else { return false }
            return unsafe nghttp2_submit_trailer(session, id, fields.baseAddress, fields.count) == 0
        } != nil
    }
}
