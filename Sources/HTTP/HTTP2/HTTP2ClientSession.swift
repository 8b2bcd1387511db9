import CNghttp2
package import Reactor

/// The client's side of an HTTP/2 connection (RFC 9113), over nghttp2: requests and received bytes in, events and bytes
/// to send out. Responses are consumed as soon as they come. No call keeps a pointer to its arguments. A session must
/// be used on one thread only.
@safe
package struct HTTP2ClientSession: ~Copyable {
    private let session: OpaquePointer
    private let context: UnsafeMutablePointer<HTTP2ClientContext>
    private let forms: HTTP2RequestForms

    /// Nil if memory ran out. The first `send` appends the connection preface and SETTINGS (RFC 9113 section 3.4).
    package init?(forms: HTTP2RequestForms, limits: HTTP2ClientLimits) {
        guard let callbacks = unsafe HTTP2ClientCallbacks.make() else { return nil }
        defer { unsafe nghttp2_session_callbacks_del(callbacks) }
        let context = UnsafeMutablePointer<HTTP2ClientContext>.allocate(capacity: 1)
        unsafe context.initialize(to: HTTP2ClientContext(limits: limits))
        var session: OpaquePointer?
        guard unsafe nghttp2_session_client_new(&session, callbacks, context) == 0, let session = unsafe session,
            unsafe Self.submitSettings(session, limits)
        else {
            unsafe nghttp2_session_del(session)
            unsafe context.deinitialize(count: 1)
            unsafe context.deallocate()
            return nil
        }
        self.forms = forms
        unsafe self.context = unsafe context
        unsafe self.session = unsafe session
    }

    deinit {
        unsafe nghttp2_session_del(session)
        unsafe context.deinitialize(count: 1)
        unsafe context.deallocate()
    }

    private static func submitSettings(_ session: OpaquePointer, _ limits: HTTP2ClientLimits) -> Bool {
        let settings: InlineArray<3, nghttp2_settings_entry> = [
            HTTP2Setup.setting(NGHTTP2_SETTINGS_ENABLE_PUSH, 0),
            HTTP2Setup.setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.initialWindow),
            HTTP2Setup.setting(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits.headerListBytes),
        ]
        let isSubmitted = unsafe settings.span.withUnsafeBufferPointer {
            unsafe nghttp2_submit_settings(session, 0, $0.baseAddress, $0.count) == 0
        }
        let window = Int32(clamping: limits.connectionWindow)
        return unsafe isSubmitted && nghttp2_session_set_local_window_size(session, 0, 0, window) == 0
    }

    /// Makes a request, which the next `send` appends. `form` is an index into the forms; `path`, if not empty,
    /// replaces the form's; `lines` are HTTP/1.1 field lines to add. An empty `body` means none. Events name the
    /// request by `tag`. Returns the stream; nil if the connection accepts no more requests.
    package mutating func request(
        form: Int, path: borrowing ByteBuffer, lines: borrowing ByteBuffer, body: borrowing ByteBuffer, tag: UInt32
    ) -> Int32? {
        guard acceptsRequests else { return nil }
        let entry = unsafe context.pointee.streams.acquire(0)
        unsafe entry.pointee.tag = tag
        unsafe entry.pointee.pending.append(body)
        let fields = unsafe forms.fields(of: form)
        let session = unsafe self.session
        let hasBody = !body.isEmpty
        let stream = unsafe RequestFields.with(fields, path: path.span, lines: lines.span) { fields in
            var provider = unsafe nghttp2_data_provider()
            unsafe provider.source.ptr = UnsafeMutableRawPointer(entry)
            unsafe provider.read_callback = { _, _, space, limit, flags, source, _ in
                unsafe HTTP2ClientCallbacks.copyBody(space, limit, flags, source)
            }
            guard hasBody else {
                return unsafe nghttp2_submit_request(session, nil, fields.baseAddress, fields.count, nil, entry)
            }
            return unsafe nghttp2_submit_request(session, nil, fields.baseAddress, fields.count, &provider, entry)
        }
        guard stream > 0 else {
            unsafe context.pointee.streams.release(entry)
            return nil
        }
        unsafe entry.pointee.id = stream
        return stream
    }

    /// Processes all received bytes and appends their events to `events`. False if the connection has failed: there are
    /// no more events, and its open requests are lost.
    package mutating func receive(_ bytes: borrowing ByteBuffer, events: inout HTTP2ClientEvents) -> Bool {
        unsafe withUnsafeMutablePointer(to: &events) { events in
            unsafe context.pointee.events = unsafe events
            let processed = unsafe bytes.span.withUnsafeBufferPointer { bytes in
                unsafe context.pointee.input = bytes.baseAddress
                unsafe context.pointee.inputCount = bytes.count
                return unsafe nghttp2_session_mem_recv(session, bytes.baseAddress, bytes.count)
            }
            unsafe context.pointee.input = nil
            unsafe context.pointee.events = nil
            return processed >= 0 && !hasFailed
        }
    }

    /// Whether nghttp2 ends the connection because of an error. Then it accepts no requests although the server has
    /// sent no GOAWAY and stream identifiers are left.
    private var hasFailed: Bool {
        if acceptsRequests { return false }
        let areIdentifiersUsedUp = unsafe nghttp2_session_get_next_stream_id(session) > UInt32(Int32.max)
        return unsafe !areIdentifiersUsedUp && !context.pointee.hasReceivedGoAway
    }

    /// Appends the frames that may be sent to `output`, until at least `limit` bytes were added; the last frame may
    /// exceed it. Requests that cannot be sent any more are reported as events.
    package mutating func send(into output: inout ByteBuffer, limit: Int, events: inout HTTP2ClientEvents) {
        let end = output.count + min(max(0, limit), .max - output.count)
        unsafe withUnsafeMutablePointer(to: &events) { events in
            unsafe context.pointee.events = unsafe events
            while output.count < end {
                var bytes: UnsafePointer<UInt8>?
                let count = unsafe nghttp2_session_mem_send(session, &bytes)
                guard count > 0 else { break }
                unsafe output.append(UnsafeBufferPointer(start: bytes, count: count).span)
            }
            unsafe context.pointee.events = nil
        }
    }

    /// Cancels a request with RST_STREAM(CANCEL). It has no more events.
    package mutating func cancel(stream: Int32) {
        guard let entry = unsafe context.pointee.streams.find(stream) else { return }
        unsafe entry.pointee.state.insert(.detached)
        _ = unsafe nghttp2_submit_rst_stream(session, 0, stream, HTTP2ErrorCode.cancel.rawValue)
    }

    /// Whether a request can be made: no GOAWAY has come, and stream identifiers are left.
    package var acceptsRequests: Bool { unsafe nghttp2_session_check_request_allowed(session) != 0 }

    /// The most streams that the server allows to be open at the same time, according to its SETTINGS so far.
    package var maximumStreams: Int {
        let limit = unsafe nghttp2_session_get_remote_settings(session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
        return Int(limit)
    }

    /// The number of open streams, including those whose response has ended before their request.
    package var streams: Int { unsafe context.pointee.streams.count }

    /// Whether `send` would append bytes.
    package var wantsWrite: Bool { unsafe nghttp2_session_want_write(session) != 0 }

    /// Whether nothing is left to read or write, so that the connection can be closed.
    package var isFinished: Bool { unsafe !wantsWrite && nghttp2_session_want_read(session) == 0 }
}
