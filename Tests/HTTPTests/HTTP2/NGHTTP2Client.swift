import CNghttp2
import HTTP

/// A response as the client received it.
struct ReceivedResponse: Equatable {
    var interim: [[String]] = []
    /// "name: value", `:status` among them.
    var head: [String] = []
    var body: [UInt8] = []
    var trailers: [String] = []
    var isComplete = false
    /// The error code the stream was closed with.
    var closed: UInt32?
}

/// A client that uses nghttp2's client session directly.
final class NGHTTP2Client {
    private var session: OpaquePointer?
    private(set) var responses: [Int32: ReceivedResponse] = [:]
    private(set) var goAway: UInt32?
    private var block: [String] = []
    private var bodies: [Int32: Body] = [:]

    private struct Body {
        var bytes: ArraySlice<UInt8>
        var isLast: Bool
        var trailers: [(String, String)] = []
    }

    /// `window` is the receive window of each response. With `reads` false nothing is consumed.
    init(window: UInt32 = 65_535, reads: Bool = true) {
        var callbacks: OpaquePointer?
        nghttp2_session_callbacks_new(&callbacks)
        defer { nghttp2_session_callbacks_del(callbacks) }
        setCallbacks(callbacks)
        var options: OpaquePointer?
        nghttp2_option_new(&options)
        defer { nghttp2_option_del(options) }
        nghttp2_option_set_no_auto_window_update(options, reads ? 0 : 1)
        nghttp2_session_client_new2(&session, callbacks, Unmanaged.passUnretained(self).toOpaque(), options)
        var setting = nghttp2_settings_entry(
            settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue), value: window)
        nghttp2_submit_settings(session, 0, &setting, 1)
    }

    deinit { nghttp2_session_del(session) }

    private static func me(_ user: UnsafeMutableRawPointer?) -> NGHTTP2Client? {
        user.map { Unmanaged<NGHTTP2Client>.fromOpaque($0).takeUnretainedValue() }
    }

    private func setCallbacks(_ callbacks: OpaquePointer?) {
        nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _, _, name, nameCount, value, valueCount, _, user in
            let name = String(decoding: UnsafeBufferPointer(start: name, count: nameCount), as: UTF8.self)
            let value = String(decoding: UnsafeBufferPointer(start: value, count: valueCount), as: UTF8.self)
            NGHTTP2Client.me(user)?.block.append("\(name): \(value)")
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, user in
            guard let me = NGHTTP2Client.me(user), let frame else { return 0 }
            me.received(frame.pointee)
            return 0
        }
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, stream, bytes, count, user in
            NGHTTP2Client.me(user)?.responses[stream, default: ReceivedResponse()].body += UnsafeBufferPointer(
                start: bytes, count: count)
            return 0
        }
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, stream, code, user in
            NGHTTP2Client.me(user)?.responses[stream, default: ReceivedResponse()].closed = code
            return 0
        }
    }

    private func received(_ frame: nghttp2_frame) {
        let stream = frame.hd.stream_id
        if frame.hd.type == NGHTTP2_HEADERS.rawValue {
            var response = responses[stream] ?? ReceivedResponse()
            if block.first?.hasPrefix(":status: 1") == true {
                response.interim.append(block)
            } else if response.head.isEmpty {
                response.head = block
            } else {
                response.trailers = block
            }
            block = []
            responses[stream] = response
        }
        if frame.hd.type == NGHTTP2_GOAWAY.rawValue { goAway = frame.goaway.error_code }
        let endsStream = frame.hd.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
        let mayEnd = frame.hd.type == NGHTTP2_HEADERS.rawValue || frame.hd.type == NGHTTP2_DATA.rawValue
        if mayEnd && endsStream { responses[stream, default: ReceivedResponse()].isComplete = true }
    }

    /// Begins a request, perhaps with a body, which `send` can continue.
    func request(
        _ method: String = "GET", _ path: String = "/mcp", _ fields: [(String, String)] = [], body: [UInt8]? = nil,
        isLast: Bool = true, trailers: [(String, String)] = []
    ) -> Int32 {
        let all = [(":method", method), (":scheme", "https"), (":authority", "a.example"), (":path", path)] + fields
        return withFields(all) { list in
            guard let body else { return nghttp2_submit_request(session, nil, list.baseAddress, list.count, nil, nil) }
            var provider = nghttp2_data_provider()
            provider.read_callback = { session, stream, target, limit, flags, _, user in
                NGHTTP2Client.me(user)?.read(stream, target, limit, flags) ?? -1
            }
            let id = nghttp2_submit_request(session, nil, list.baseAddress, list.count, &provider, nil)
            bodies[id] = Body(bytes: body[...], isLast: isLast, trailers: trailers)
            return id
        }
    }

    func send(_ stream: Int32, _ bytes: [UInt8], isLast: Bool) {
        bodies[stream]?.bytes += bytes
        bodies[stream]?.isLast = isLast
        nghttp2_session_resume_data(session, stream)
    }

    private func read(
        _ stream: Int32, _ target: UnsafeMutablePointer<UInt8>?, _ limit: Int, _ flags: UnsafeMutablePointer<UInt32>?
    ) -> Int {
        guard let body = bodies[stream], let target, let flags else { return -1 }
        let some = body.bytes.prefix(limit)
        guard !some.isEmpty || body.isLast else { return Int(NGHTTP2_ERR_DEFERRED.rawValue) }
        for (index, byte) in some.enumerated() { target[index] = byte }
        bodies[stream]?.bytes = body.bytes.dropFirst(some.count)
        guard body.isLast, some.count == body.bytes.count else { return some.count }
        flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
        if !body.trailers.isEmpty {
            flags.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
            _ = withFields(body.trailers) { nghttp2_submit_trailer(session, stream, $0.baseAddress, $0.count) }
        }
        return some.count
    }

    func cancel(_ stream: Int32) {
        nghttp2_submit_rst_stream(session, 0, stream, NGHTTP2_CANCEL.rawValue)
    }

    func sendGoAway() { nghttp2_submit_goaway(session, 0, 0, 0, nil, 0) }

    /// Consumes bytes of a response that is not consumed automatically.
    func consume(_ stream: Int32, _ count: Int) { nghttp2_session_consume(session, stream, count) }

    /// Returns all bytes to send.
    func send() -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            var chunk: UnsafePointer<UInt8>?
            let count = nghttp2_session_mem_send(session, &chunk)
            guard count > 0 else { return bytes }
            bytes += UnsafeBufferPointer(start: chunk, count: count)
        }
    }

    /// False if the server violated the protocol.
    @discardableResult
    func receive(_ bytes: [UInt8]) -> Bool {
        nghttp2_session_mem_recv(session, bytes, bytes.count) == bytes.count
    }

    private func withFields<Result>(
        _ fields: [(String, String)], _ body: (UnsafeBufferPointer<nghttp2_nv>) -> Result
    ) -> Result {
        var text: [UInt8] = []
        var places: [(Int, Int, Int, Int)] = []
        for (name, value) in fields {
            places.append((text.count, name.utf8.count, text.count + name.utf8.count, value.utf8.count))
            text += Array(name.utf8) + Array(value.utf8)
        }
        return text.withUnsafeMutableBufferPointer { text in
            let list = places.map { place in
                nghttp2_nv(
                    name: text.baseAddress.map { $0 + place.0 }, value: text.baseAddress.map { $0 + place.2 },
                    namelen: place.1, valuelen: place.3, flags: 0)
            }
            return list.withUnsafeBufferPointer(body)
        }
    }
}

/// A client and the session under test, joined without a network.
final class NGHTTP2Pair {
    let client: NGHTTP2Client
    let server: ServerSessionHarness

    init(client: NGHTTP2Client = NGHTTP2Client(), limits: HTTP2Limits = HTTP2Limits()) {
        self.client = client
        server = ServerSessionHarness(limits: limits)
        exchange()
    }

    /// Transfers bytes both ways until neither side has more; at most `pieces` bytes at once to the server.
    func exchange(pieces: Int = .max) {
        for _ in 0..<1_000 {
            let up = client.send()
            var rest = up[...]
            while !rest.isEmpty {
                server.receive(Array(rest.prefix(pieces)))
                rest = rest.dropFirst(pieces)
            }
            let down = server.send()
            if !down.isEmpty { client.receive(down) }
            if up.isEmpty, down.isEmpty { return }
        }
        fatalError("the two never stop talking")
    }
}
