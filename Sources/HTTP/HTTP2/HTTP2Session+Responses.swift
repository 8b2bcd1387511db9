import CNghttp2
package import Reactor

// Responses: their heads, bodies, trailers and ends.
extension HTTP2Session {
    /// Submits a response's head, interim (1xx) or final: `head[range]` is its HTTP/1.1 text (status line, fields,
    /// blank line). Connection-specific fields are dropped (RFC 9113 section 8.2.2), and names become lower case. False
    /// if the stream is closed or already has a final head, or if the text is no head or that of a 101.
    package mutating func respond(
        stream: Int32, head: borrowing ByteBuffer, _ range: Range<Int>, endsStream: Bool
    ) -> Bool {
        submit(stream: stream, head.span, range, endsStream: endsStream) != nil
    }

    /// Submits the head at the front of `text`, which other bytes may follow; a body follows the response. Returns the
    /// head's length and whether it is interim; nil where the other method returns false.
    package mutating func respond(
        stream: Int32, front text: borrowing ByteBuffer
    ) -> (length: Int, isInformational: Bool)? {
        submit(stream: stream, text.span, 0..<text.count, endsStream: false)
    }

    /// Submits the head that `text` is, and in it, at the offset `gap` where a line begins, those fields of the server's head that are
    /// forwarded; their bytes are in `received`. So they are neither written as text nor read again. A body follows. False where the
    /// first method returns false.
    package mutating func respond(
        stream: Int32, head text: borrowing ByteBuffer, forwarding fields: borrowing FieldTable,
        of received: borrowing ByteBuffer, at gap: Int, keepsSession: Bool
    ) -> Bool {
        let source = received.span
        return submit(stream: stream, text.span, 0..<text.count, endsStream: false, at: gap, adding: fields.count) {
            head in
            unsafe source.withUnsafeBufferPointer { bytes in
                guard let base = bytes.baseAddress else { return false }
                return unsafe head.append(fields, base, keepsSession: keepsSession)
            }
        } != nil
    }

    /// What came of a head.
    private enum Submission {
        case submitted(end: Int)
        /// By nghttp2.
        case refused
        /// There are more fields than there is space for; nothing was submitted.
        case noSpace
    }

    /// `adding`: the most fields that `insert` appends at `gap`. It returns false if there is no space for them.
    private mutating func submit(
        stream: Int32, _ text: Span<UInt8>, _ range: Range<Int>, endsStream: Bool, at gap: Int = 0, adding: Int = 0,
        _ insert: (inout ResponseFields) -> Bool = { _ in true }
    ) -> (length: Int, isInformational: Bool)? {
        guard let (entry, status) = unsafe unanswered(stream, text, range) else { return nil }
        let isInformational = status < 200
        let first = HTTP1ResponseReader.skipLine(text, at: range.lowerBound, end: range.upperBound)
        func submit(capacity: Int) -> Submission {
            ResponseFields.with(capacity: capacity) { fields in
                unsafe text.withUnsafeBufferPointer { bytes in
                    guard let base = bytes.baseAddress else { return .refused }
                    guard unsafe fields.append(.status(base + range.lowerBound + 9)),
                        unsafe gap <= first || fields.appendLines(text, base, from: first, to: gap) != nil,
                        insert(&fields),
                        let end = unsafe fields.appendLines(text, base, from: max(gap, first), to: range.upperBound)
                    else { return .noSpace }
                    let isSubmitted = unsafe self.submit(
                        entry, fields, isInformational: isInformational, endsStream: endsStream)
                    return isSubmitted ? .submitted(end: end) : .refused
                }
            }
        }
        var outcome = submit(capacity: ResponseFields.usualCount)
        if case .noSpace = outcome {
            outcome = submit(capacity: 1 + HTTP1ResponseReader.lines(text, range) + adding)
        }
        guard case .submitted(let end) = outcome else { return nil }
        return (end - range.lowerBound, isInformational)
    }

    /// The entry of a stream that has no final head, and the status of the head that `text[range]` begins with; nil if there is no such
    /// stream, or the text is no head or that of a 101.
    private func unanswered(
        _ stream: Int32, _ text: Span<UInt8>, _ range: Range<Int>
    ) -> (UnsafeMutablePointer<HTTP2Stream>, status: UInt16)? {
        guard let entry = unsafe HTTP2Callbacks.entry(session, stream),
            unsafe entry.pointee.state.isDisjoint(with: [.responseBegun, .detached]), range.upperBound <= text.count,
            let status = HTTP1ResponseReader.status(text, at: range.lowerBound, end: range.upperBound), status != 101
        else { return nil }
        return unsafe (entry, status)
    }

    /// Has nghttp2 copy the fields of a head. False if it does not take them.
    private func submit(
        _ entry: UnsafeMutablePointer<HTTP2Stream>, _ head: ResponseFields, isInformational: Bool, endsStream: Bool
    ) -> Bool {
        let (stream, fields) = unsafe (entry.pointee.id, head.all)
        if isInformational {
            return unsafe nghttp2_submit_headers(session, 0, stream, nil, fields.baseAddress, fields.count, nil) == 0
        }
        let isSubmitted: Bool
        if endsStream {
            isSubmitted = unsafe nghttp2_submit_response(session, stream, fields.baseAddress, fields.count, nil) == 0
        } else {
            var provider = unsafe nghttp2_data_provider()
            unsafe provider.source.ptr = UnsafeMutableRawPointer(entry)
            unsafe provider.read_callback = { session, stream, _, limit, flags, source, _ in
                unsafe HTTP2Callbacks.nextDataLength(session, stream, limit, flags, source)
            }
            isSubmitted =
                unsafe nghttp2_submit_response(session, stream, fields.baseAddress, fields.count, &provider) == 0
        }
        if isSubmitted {
            unsafe entry.pointee.state.formUnion(endsStream ? [.responseBegun, .responseComplete] : .responseBegun)
        }
        return isSubmitted
    }

    /// Queues body bytes of the response until the client's window allows them. False if the stream is closed, or the
    /// response has not begun or has ended.
    package mutating func write(stream: Int32, _ bytes: borrowing ByteBuffer, _ range: Range<Int>) -> Bool {
        guard let entry = unsafe writableEntry(stream) else { return false }
        if unsafe entry.pointee.pending.allocated == 0 {
            unsafe entry.pointee.pending.reserve(max(range.count, HTTP2Streams.cachedBytes))
        }
        unsafe entry.pointee.pending.append(bytes, range)
        unsafe context.pointee.bufferedBytes &+= range.count
        unsafe resumeBody(entry)
        return true
    }

    /// Ends the response after its pending bytes.
    package mutating func endResponse(stream: Int32) {
        guard let entry = unsafe writableEntry(stream) else { return }
        unsafe entry.pointee.state.insert(.responseComplete)
        unsafe resumeBody(entry)
    }

    /// Ends the response with trailer fields after its pending bytes: `trailers[range]` is HTTP/1.1 field lines.
    package mutating func endResponse(stream: Int32, trailers: borrowing ByteBuffer, _ range: Range<Int>) {
        guard let entry = unsafe writableEntry(stream) else { return }
        unsafe entry.pointee.pending.append(trailers, range)
        unsafe context.pointee.bufferedBytes &+= range.count
        unsafe entry.pointee.trailerBytes = Int32(truncatingIfNeeded: range.count)
        endResponse(stream: stream)
    }

    /// Ends an incomplete response: RST_STREAM(INTERNAL_ERROR) follows its pending bytes, and its last event is
    /// `closed`. A response that has not begun is reset at once.
    package mutating func abort(stream: Int32) {
        guard let entry = unsafe writableEntry(stream) else {
            reset(stream: stream, code: .internalError)
            return
        }
        unsafe entry.pointee.state.insert(.aborted)
        unsafe resumeBody(entry)
    }

    /// Whether the stream exists and still reports events.
    package func isOpen(stream: Int32) -> Bool {
        guard let entry = unsafe HTTP2Callbacks.entry(session, stream) else { return false }
        return unsafe !entry.pointee.state.contains(.detached)
    }

    /// Whether the last frame of the stream's response was sent.
    package func hasSentResponse(stream: Int32) -> Bool {
        guard let entry = unsafe HTTP2Callbacks.entry(session, stream) else { return false }
        return unsafe entry.pointee.state.contains(.responseSent)
    }

    /// The stream's entry if its response has begun and not ended.
    private func writableEntry(_ stream: Int32) -> UnsafeMutablePointer<HTTP2Stream>? {
        guard let entry = unsafe HTTP2Callbacks.entry(session, stream) else { return nil }
        let state = unsafe entry.pointee.state
        return unsafe state.contains(.responseBegun)
            && state.isDisjoint(with: [.responseComplete, .detached, .aborted]) ? entry : nil
    }

    /// Makes nghttp2 ask for body bytes again, if it has deferred the stream.
    private func resumeBody(_ entry: UnsafeMutablePointer<HTTP2Stream>) {
        guard unsafe entry.pointee.state.contains(.deferred) else { return }
        unsafe entry.pointee.state.remove(.deferred)
        _ = unsafe nghttp2_session_resume_data(session, entry.pointee.id)
    }

    /// Ends the stream at once with RST_STREAM. Pending bytes are not sent, and there are no more events.
    package mutating func reset(stream: Int32, code: HTTP2ErrorCode) {
        guard let entry = unsafe HTTP2Callbacks.entry(session, stream) else { return }
        // The pending bytes stay until nghttp2 closes the stream, because one of its frames may be partly sent.
        unsafe entry.pointee.state.insert(.detached)
        _ = unsafe nghttp2_submit_rst_stream(session, 0, stream, code.rawValue)
    }

    /// The response's body bytes that wait for the client's window or for the connection.
    package func pendingBytes(stream: Int32) -> Int {
        guard let entry = unsafe HTTP2Callbacks.entry(session, stream) else { return 0 }
        return unsafe entry.pointee.state.contains(.detached) ? 0 : entry.pointee.pendingBodyBytes
    }

    /// The response bytes that may be written to a stream now; 0 means that `drained` follows. Writing more is
    /// possible, but exceeds the memory limit.
    package func credit(stream: Int32) -> Int {
        guard let entry = unsafe HTTP2Callbacks.entry(session, stream),
            unsafe !entry.pointee.state.contains(.detached)
        else { return unsafe context.pointee.limits.streamBytes }
        let window = unsafe nghttp2_session_get_stream_remote_window_size(session, stream)
        return unsafe context.pointee.credit(pending: entry.pointee.pendingBodyBytes, window: Int(window))
    }
}
