import Kernel
import Proxy
import TLS
import TestSupport

/// An HTTP/2 client that sends exactly the frames of a test and records what it receives, by stream.
final class HTTP2Client {
    struct Stream {
        var informationalCount: [[HeaderField]] = []
        var status = 0
        var fields: [HeaderField] = []
        var body: [UInt8] = []
        var received = 0
        var trailers: [HeaderField] = []
        var hasHead = false
        var hasEnded = false
        /// The code of the peer's RST_STREAM.
        var reset: UInt32?
        /// Bytes that may still be sent.
        var window: Int

        var isOver: Bool { hasEnded || reset != nil }
        var text: String { String(decoding: body, as: UTF8.self) }

        func values(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }
    }

    struct GoAway: Equatable {
        var lastStream: UInt32
        var code: UInt32
    }

    typealias Frame = HTTP2FrameType

    static let endStream: UInt8 = 1
    static let endHeaders: UInt8 = 4

    let client: Client
    private(set) var streams: [UInt32: Stream] = [:]
    private(set) var goAways: [GoAway] = []
    private(set) var pongs = 0
    private(set) var settings: [UInt16: UInt32] = [:]
    /// Whether the connection has ended, in any way.
    private(set) var isOver = false
    /// Streams whose windows are not returned.
    var stalled: Set<UInt32> = []
    /// Whether the bytes of bodies are compared with `Pattern` and counted rather than stored.
    var comparesBodies = false
    private(set) var hasWrongBytes = false
    /// Called with every piece of a body.
    var onData: ((_ stream: UInt32, _ bytes: [UInt8]) -> Void)?

    private let reader = HeaderBlockReader()
    private var next: UInt32 = 1
    private var window = 65_535
    private var block: [UInt8] = []
    private var blockFlags: UInt8 = 0
    private var initialWindow = 65_535
    private var unreturnedWindow = 0

    /// Sends the preface and SETTINGS, and opens the connection's window.
    init(_ client: Client, settings: [(UInt16, UInt32)] = [], connectionWindow: Int = 64 << 20) {
        self.client = client
        client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        var payload: [UInt8] = []
        for (name, value) in settings { payload += Self.bytes(UInt32(name)).dropFirst(2) + Self.bytes(value) }
        send(Frame.settings, stream: 0, payload)
        if connectionWindow > 65_535 { openWindow(0, by: UInt32(connectionWindow - 65_535)) }
    }

    // MARK: - Sending

    static func bytes(_ value: UInt32) -> [UInt8] {
        [UInt8(value >> 24), UInt8(value >> 16 & 255), UInt8(value >> 8 & 255), UInt8(value & 255)]
    }

    static func frame(_ type: UInt8, flags: UInt8 = 0, stream: UInt32, _ payload: [UInt8] = []) -> [UInt8] {
        Array(bytes(UInt32(payload.count)).dropFirst()) + [type, flags] + bytes(stream) + payload
    }

    func send(_ type: UInt8, flags: UInt8 = 0, stream: UInt32, _ payload: [UInt8] = []) {
        client.send(Self.frame(type, flags: flags, stream: stream, payload))
    }

    func openWindow(_ stream: UInt32, by count: UInt32) { send(Frame.windowUpdate, stream: stream, Self.bytes(count)) }

    func reset(_ stream: UInt32, code: UInt32 = 8) { send(Frame.reset, stream: stream, Self.bytes(code)) }

    static func head(
        _ method: String, _ path: String, _ fields: [HeaderField] = [], authority: String = "a"
    ) -> [HeaderField] {
        [
            HeaderField(":method", method), HeaderField(":scheme", "https"), HeaderField(":path", path),
            HeaderField(":authority", authority),
        ] + fields
    }

    /// Returns the next stream identifier and makes its record.
    func take() -> UInt32 {
        let stream = next
        next += 2
        streams[stream] = Stream(window: initialWindow)
        return stream
    }

    /// Opens a stream with exactly these fields.
    @discardableResult
    func open(_ fields: [HeaderField], ends: Bool = true) -> UInt32 {
        let stream = take()
        sendBlock(HeaderBlock.encode(fields), stream: stream, ends: ends)
        return stream
    }

    /// Sends a header block in as many frames as necessary.
    func sendBlock(_ block: [UInt8], stream: UInt32, ends: Bool) {
        client.send(Self.blockFrames(block, stream: stream, ends: ends))
    }

    static func blockFrames(_ block: [UInt8], stream: UInt32, ends: Bool, piece: Int = 16_384) -> [UInt8] {
        var bytes: [UInt8] = []
        var start = 0
        repeat {
            let end = min(start + piece, block.count)
            let isFirst = start == 0
            let flags = (isFirst && ends ? endStream : 0) | (end == block.count ? endHeaders : 0)
            bytes += frame(
                isFirst ? Frame.headers : Frame.continuation, flags: flags, stream: stream, Array(block[start..<end]))
            start = end
        } while start < block.count
        return bytes
    }

    @discardableResult
    func get(_ path: String, _ fields: [HeaderField] = []) -> UInt32 { open(Self.head("GET", path, fields)) }

    /// Sends a body as the windows allow; stops early if the stream ends. Returns the number of bytes sent.
    @discardableResult
    func send(_ body: [UInt8], on stream: UInt32, ends: Bool = true) throws -> Int {
        var offset = 0
        while offset < body.count {
            let credit = min(window, streams[stream]?.window ?? 0, 16_384, body.count - offset)
            guard let state = streams[stream], !state.isOver, !isOver else { return offset }
            guard credit > 0 else {
                try wait("a window for a body") {
                    $0.window > 0 && ($0.streams[stream]?.window ?? 0) > 0 || $0.isDone(stream)
                }
                continue
            }
            let isLast = offset + credit == body.count
            send(
                Frame.data, flags: isLast && ends ? Self.endStream : 0, stream: stream,
                Array(body[offset..<offset + credit]))
            offset += credit
            window -= credit
            streams[stream]?.window -= credit
        }
        if body.isEmpty, ends { send(Frame.data, flags: Self.endStream, stream: stream) }
        return offset
    }

    // MARK: - Receiving

    func isDone(_ stream: UInt32) -> Bool { isOver || streams[stream]?.isOver ?? true }

    /// Waits for the stream's end and returns it.
    func response(_ stream: UInt32) throws -> Stream {
        try wait("a response on stream \(stream)") { $0.isDone(stream) }
        guard let response = streams[stream], response.isOver else { throw Client.Failure.ended("stream \(stream)") }
        return response
    }

    func head(_ stream: UInt32) throws -> Stream {
        try wait("a head on stream \(stream)") { $0.streams[stream]?.hasHead ?? false || $0.isDone(stream) }
        return streams[stream] ?? Stream(window: 0)
    }

    /// Reads until `condition` holds. Throws `TimedOut` after `limit`.
    func wait(_ what: String, within limit: Interval = defaultTimeout, _ condition: (HTTP2Client) -> Bool) throws {
        let deadline = Instant.now() + limit
        while !condition(self) {
            let left = deadline - Instant.now()
            guard left > .milliseconds(0), !isOver, client.receives(within: UInt64(left.milliseconds) + 1) else {
                throw TimedOut(description: "still not: \(what); over: \(isOver), \(goAways)")
            }
            try readFrame()
        }
    }

    /// Reads what has come, without waiting.
    func readAvailable() throws {
        while !isOver, client.receives(within: 0) { try readFrame() }
    }

    /// Reads until the connection ends.
    func readToEnd() throws { try wait("the connection's end") { $0.isOver } }

    private func readFrame() throws {
        do {
            let header = try client.take(9)
            let length = Int(header[0]) << 16 | Int(header[1]) << 8 | Int(header[2])
            let payload = try client.take(length)
            let stream = UInt32(header[5] & 127) << 24 | UInt32(header[6]) << 16 | UInt32(header[7]) << 8
            try note(header[3], flags: header[4], stream: stream | UInt32(header[8]), payload)
        } catch let failure as Client.Failure {
            switch failure {
            case .ended, .reset: isOver = true
            default: throw failure
            }
        }
    }

    private func note(_ type: UInt8, flags: UInt8, stream: UInt32, _ payload: [UInt8]) throws {
        switch type {
        case Frame.data: noteData(flags: flags, stream: stream, payload)
        case Frame.headers, Frame.continuation:
            if type == Frame.headers {
                block = []
                blockFlags = flags
            }
            block += payload
            if flags & Self.endHeaders != 0 { noteHead(stream, try reader.decode(block)) }
        case Frame.reset: streams[stream]?.reset = Self.number(payload)
        case Frame.settings: noteSettings(flags, payload)
        case Frame.ping:
            if flags & 1 != 0 { pongs += 1 } else { send(Frame.ping, flags: 1, stream: 0, payload) }
        case Frame.goAway:
            goAways.append(
                GoAway(lastStream: Self.number(payload) & 0x7fff_ffff, code: Self.number(payload.dropFirst(4))))
        case Frame.windowUpdate:
            let count = Int(Self.number(payload) & 0x7fff_ffff)
            if stream == 0 { window += count } else { streams[stream]?.window += count }
        default: break
        }
    }

    private func noteData(flags: UInt8, stream: UInt32, _ payload: [UInt8]) {
        if comparesBodies {
            let offset = streams[stream]?.received ?? 0
            if !payload.withUnsafeBytes({ Pattern.matches($0, at: offset) }) { hasWrongBytes = true }
        } else {
            streams[stream]?.body += payload
        }
        streams[stream]?.received += payload.count
        if flags & Self.endStream != 0 { streams[stream]?.hasEnded = true }
        onData?(stream, payload)
        guard !payload.isEmpty, !stalled.contains(stream) else { return }
        unreturnedWindow += payload.count
        if unreturnedWindow >= 16_384 {
            openWindow(0, by: UInt32(unreturnedWindow))
            unreturnedWindow = 0
        }
        if flags & Self.endStream == 0 { openWindow(stream, by: UInt32(payload.count)) }
    }

    private func noteHead(_ stream: UInt32, _ fields: [HeaderField]) {
        if streams[stream]?.hasHead == true {
            streams[stream]?.trailers = fields
        } else if let status = fields.first(where: { $0.name == ":status" }).flatMap({ Int($0.value) }) {
            if status < 200 {
                streams[stream]?.informationalCount.append(fields)
            } else {
                streams[stream]?.hasHead = true
                streams[stream]?.status = status
                streams[stream]?.fields = fields
            }
        }
        if blockFlags & Self.endStream != 0 { streams[stream]?.hasEnded = true }
    }

    private func noteSettings(_ flags: UInt8, _ payload: [UInt8]) {
        guard flags & 1 == 0 else { return }
        for start in stride(from: 0, to: payload.count - 5, by: 6) {
            let name = UInt16(payload[start]) << 8 | UInt16(payload[start + 1])
            settings[name] = Self.number(payload[(start + 2)...])
        }
        if let size = settings[4].map({ Int($0) }) {
            for stream in streams.keys { streams[stream]?.window += size - initialWindow }
            initialWindow = size
        }
        send(Frame.settings, flags: 1, stream: 0)
    }

    private static func number(_ bytes: some Collection<UInt8>) -> UInt32 {
        bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }
}

extension Rig {
    /// Connects over TLS with ALPN, or in plaintext with prior knowledge (RFC 9113 section 3.3).
    func http2(
        isSecure: Bool = true, settings: [(UInt16, UInt32)] = [], connectionWindow: Int = 64 << 20,
        receiveBuffer: CInt = 0
    ) throws -> HTTP2Client {
        let client =
            try isSecure
            ? Client(secure, tls: Certificates.client(protocols: ["h2"]), receiveBuffer: receiveBuffer)
            : Client(plain, receiveBuffer: receiveBuffer)
        return HTTP2Client(client, settings: settings, connectionWindow: connectionWindow)
    }

    static func forHTTP2(
        workers: Int = 1,
        answering script: @escaping RecordingReplica.Script = { _ in [.answer("ok")] },
        adjusting adjust: (_ listener: inout ListenerPlan, _ upstream: inout UpstreamPlan) -> Void = { _, _ in },
        streams: Int? = nil
    ) throws -> Rig {
        var tls = TLSOptions()
        tls.applicationProtocols = ["h2", "http/1.1"]
        return try Rig(workers: workers, tls: tls, streams: streams, answering: script, adjusting: adjust)
    }
}

extension Certificates {
    static func unverified(_ protocols: [String]) throws -> TLSClientContext {
        var options = TLSOptions()
        options.applicationProtocols = protocols
        return try TLSClientContext(trust: .anyone, options: options)
    }
}
