import CNghttp2
package import Reactor

/// The client's side of an HTTP/2 connection (RFC 9113) over nghttp2: requests and bytes in, events and bytes out.
/// Responses are read as fast as they come. No call keeps a pointer to its arguments. It stays on one thread.
@safe
package struct HTTP2ClientSession: ~Copyable {
    private let session: OpaquePointer
    private let context: UnsafeMutablePointer<HTTP2ClientContext>
    private let forms: HTTP2RequestForms

    /// Nil if there is no memory. The connection's preface and SETTINGS are the first thing that `send` gives.
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

    /// Makes a request, which leaves with the next `send`. `form` is an index into the forms; `path`, if not empty, is
    /// asked for in place of the form's; `lines` are HTTP/1.1 field lines to be added. An empty `body` means none.
    /// Events name the request by `tag`. False if the connection takes no more requests.
    package mutating func request(
        form: Int, path: borrowing ByteBuffer, lines: borrowing ByteBuffer, body: borrowing ByteBuffer, tag: UInt32
    ) -> Int32? {
        guard takesRequests else { return nil }
        let entry = unsafe context.pointee.streams.take(0)
        unsafe entry.pointee.tag = tag
        unsafe entry.pointee.pending.append(body)
        let fields = unsafe forms.fields(of: form)
        let session = unsafe self.session
        let hasBody = !body.isEmpty
        let stream = unsafe RequestFields.with(fields, path: path.span, lines: lines.span) { fields in
            var provider = unsafe nghttp2_data_provider()
            unsafe provider.source.ptr = UnsafeMutableRawPointer(entry)
            unsafe provider.read_callback = { _, _, space, limit, flags, source, _ in
                unsafe HTTP2ClientCallbacks.read(space, limit, flags, source)
            }
            guard hasBody else {
                return unsafe nghttp2_submit_request(session, nil, fields.baseAddress, fields.count, nil, entry)
            }
            return unsafe nghttp2_submit_request(session, nil, fields.baseAddress, fields.count, &provider, entry)
        }
        guard stream > 0 else {
            unsafe context.pointee.streams.give(back: entry)
            return nil
        }
        unsafe entry.pointee.id = stream
        return stream
    }

    /// Feeds received bytes, all of them; their events are appended to `events`. False: the connection is in error, no
    /// more events come of it and what was under way is lost.
    package mutating func receive(_ bytes: borrowing ByteBuffer, events: inout HTTP2ClientEvents) -> Bool {
        unsafe withUnsafeMutablePointer(to: &events) { events in
            unsafe context.pointee.events = unsafe events
            let taken = unsafe bytes.span.withUnsafeBufferPointer { bytes in
                unsafe context.pointee.input = bytes.baseAddress
                unsafe context.pointee.inputCount = bytes.count
                return unsafe nghttp2_session_mem_recv(session, bytes.baseAddress, bytes.count)
            }
            unsafe context.pointee.input = nil
            unsafe context.pointee.events = nil
            return taken >= 0 && !hasGivenUp
        }
    }

    /// nghttp2 has seen an error and ends the connection: no requests are taken, and not because the server said so or
    /// all stream numbers are used up.
    private var hasGivenUp: Bool {
        if takesRequests { return false }
        let isUsedUp = unsafe nghttp2_session_get_next_stream_id(session) > UInt32(Int32.max)
        return unsafe !isUsedUp && !context.pointee.hasGoneAway
    }

    /// Appends what may be sent to `wire` until about `limit` bytes were added (a frame more at most). Requests that
    /// turn out not to be possible any more are told as events.
    package mutating func send(into wire: inout ByteBuffer, limit: Int, events: inout HTTP2ClientEvents) {
        let end = wire.count + min(max(0, limit), .max - wire.count)
        unsafe withUnsafeMutablePointer(to: &events) { events in
            unsafe context.pointee.events = unsafe events
            while wire.count < end {
                var bytes: UnsafePointer<UInt8>?
                let count = unsafe nghttp2_session_mem_send(session, &bytes)
                guard count > 0 else { break }
                unsafe wire.append(UnsafeBufferPointer(start: bytes, count: count).span)
            }
            unsafe context.pointee.events = nil
        }
    }

    /// Gives a request up with RST_STREAM(CANCEL): nothing more is told of it.
    package mutating func cancel(stream: Int32) {
        guard let entry = unsafe context.pointee.streams.find(stream) else { return }
        unsafe entry.pointee.marks.insert(.reset)
        _ = unsafe nghttp2_submit_rst_stream(session, 0, stream, HTTP2ErrorCode.cancel.rawValue)
    }

    /// Whether a request can still be made: no GOAWAY came, and stream numbers are left.
    package var takesRequests: Bool { unsafe nghttp2_session_check_request_allowed(session) != 0 }

    /// Streams that the server lets be open at a time; what it has said so far.
    package var maximumStreams: Int {
        let limit = unsafe nghttp2_session_get_remote_settings(session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
        return Int(limit)
    }

    /// Streams that are open, those whose response has ended before their request included.
    package var streams: Int { unsafe context.pointee.streams.count }

    /// Whether `send` has something to give.
    package var wantsWrite: Bool { unsafe nghttp2_session_want_write(session) != 0 }

    /// Nothing is left to read or to write: the connection may be closed.
    package var isFinished: Bool { unsafe !wantsWrite && nghttp2_session_want_read(session) == 0 }
}
