import Kernel
import Simulation
import TestSupport

/// An HTTP/2 client of the proxy, frame by frame and by hand. It keeps what it hears stream by stream, acknowledges what
/// is to be acknowledged, opens windows as it reads unless it is told not to, and sends bodies as the windows allow.
final class ScriptedHTTP2Client {
    struct Stream {
        let method: String
        /// The response so far. `isComplete` says that the stream was ended.
        var response = Message()
        /// The code of the proxy's RST_STREAM.
        var reset: UInt32?
        /// The client has given it up.
        var isCancelled = false
        /// Body bytes that may still be sent.
        fileprivate var window: Int

        /// Nothing more will be heard of it.
        var isOver: Bool { response.isComplete || reset != nil || isCancelled }
    }

    private struct Upload {
        let stream: UInt32
        var rest: ArraySlice<UInt8>
        /// When the next piece may be sent; a piece is what is sent at once.
        var piece: Int
        var isPausing = false
        let interval: Interval
    }

    let peer: SimulatedPeer
    private(set) var streams: [UInt32: Stream] = [:]
    /// The codes of GOAWAY frames, with the last stream each names.
    private(set) var goAways: [(lastStream: UInt32, code: UInt32)] = []
    private(set) var pongs = 0
    /// Something on the wire is not HTTP/2, or not allowed here.
    private(set) var isBroken = false
    /// Streams whose windows stay shut; with `holdsWindows`, all of them, and the connection's.
    var stalled: Set<UInt32> = []
    var holdsWindows = false
    /// Called when GOAWAY comes.
    var onGoAway: (() -> Void)?

    private var reader = HTTP2FrameReader()
    private let headers = HeaderBlockReader()
    private var block: [UInt8] = []
    private var blockFlags: UInt8 = 0
    private var blockStream: UInt32 = 0
    private var uploads: [Upload] = []
    private var nextStream: UInt32 = 1
    private var window = 65_535
    private var initialWindow = 65_535
    private var concurrentStreams = UInt32.max
    /// What the proxy may still send: on the connection, and what it was promised for each new stream.
    private var openedWindow: Int
    private let openedStreamWindow: Int
    private var openedWindows: [UInt32: Int] = [:]

    /// Sends the preface, SETTINGS, and what opens the connection's window to `connectionWindow`.
    init(_ peer: SimulatedPeer, settings: [(HTTP2Frame.Setting, UInt32)], connectionWindow: Int) {
        self.peer = peer
        openedWindow = max(65_535, connectionWindow)
        openedStreamWindow = Int(settings.first { $0.0 == .initialWindow }?.1 ?? 65_535)
        peer.perform(.text(HTTP2Frame.preface), .send(HTTP2Frame.settings(settings)))
        if connectionWindow > 65_535 { openWindow(0, by: connectionWindow - 65_535) }
        peer.onReceive = { [weak self] in self?.hear($0) ?? [] }
        peer.onEnd = { [.close] }
    }

    // MARK: Asking

    /// Opens a stream with a whole head; a body, if there is one, follows in pieces as the windows allow.
    @discardableResult
    func ask(
        _ method: String, _ path: String, _ fields: [HeaderField] = [], body: [UInt8]? = nil, host: String = "mcp.test",
        inPiecesOf piece: Int = .max, every interval: Interval = Interval(nanoseconds: 0)
    ) -> UInt32 {
        let stream = nextStream
        nextStream += 2
        streams[stream] = Stream(method: method, window: initialWindow)
        openedWindows[stream] = openedStreamWindow
        let scheme = peer.layer == nil ? "http" : "https"
        let head = [
            HeaderField(":method", method), HeaderField(":scheme", scheme), HeaderField(":authority", host),
            HeaderField(":path", path),
        ]
        peer.perform(.send(HTTP2Frame.head(HeaderBlock.encode(head + fields), stream: stream, ends: body == nil)))
        if let body {
            uploads.append(Upload(stream: stream, rest: body[...], piece: piece, interval: interval))
            peer.perform(.run { [weak self] _ in self?.upload() })
        }
        return stream
    }

    func send(_ frame: [UInt8]) { peer.perform(.send(frame)) }

    func openWindow(_ stream: UInt32, by count: Int) {
        send(HTTP2Frame.make(.windowUpdate, stream: stream, HTTP2Frame.bytes(UInt32(count))))
    }

    /// Opens what was held shut.
    func releaseWindows() {
        holdsWindows = false
        stalled = []
        openWindow(0, by: 1 << 20)
        openedWindow += 1 << 20
        for stream in streams.keys.sorted() where streams[stream]?.isOver == false {
            openWindow(stream, by: 1 << 20)
            openedWindows[stream, default: 0] += 1 << 20
        }
    }

    /// RST_STREAM.
    func cancel(_ stream: UInt32, code: UInt32 = 8) {
        streams[stream]?.isCancelled = true
        uploads.removeAll { $0.stream == stream }
        send(HTTP2Frame.make(.reset, stream: stream, HTTP2Frame.bytes(code)))
    }

    func ping() { send(HTTP2Frame.make(.ping, stream: 0, [UInt8](repeating: 7, count: 8))) }

    func leave() { peer.perform(.close) }

    // MARK: Figures

    subscript(stream: UInt32) -> Stream { streams[stream] ?? Stream(method: "", window: 0) }

    var isOver: Bool { peer.hasEnded || peer.isDone }
    var openStreams: Int { streams.values.count { !$0.isOver } }
    /// New streams are accept.
    var takesRequests: Bool { goAways.isEmpty && !isOver && openStreams < Int(concurrentStreams) }
    func isDone(_ stream: UInt32) -> Bool { isOver || self[stream].isOver }

    // MARK: Sending bodies

    private func upload() {
        var index = 0
        while index < uploads.count {
            let stream = uploads[index].stream
            let credit = min(window, streams[stream]?.window ?? 0, 16_384, uploads[index].piece)
            let rest = uploads[index].rest
            guard streams[stream]?.isOver == false else {
                uploads.remove(at: index)
                continue
            }
            guard !uploads[index].isPausing, credit > 0 || rest.isEmpty else {
                index += 1
                continue
            }
            let bytes = Array(rest.prefix(credit))
            let isLast = bytes.count == rest.count
            peer.perform(
                .send(HTTP2Frame.make(.data, flags: isLast ? HTTP2Frame.endStream : 0, stream: stream, bytes)))
            window -= bytes.count
            streams[stream]?.window -= bytes.count
            uploads[index].rest = rest.dropFirst(bytes.count)
            if isLast {
                uploads.remove(at: index)
            } else if uploads[index].interval.nanoseconds > 0 {
                pause(index)
            }
        }
    }

    private func pause(_ index: Int) {
        let stream = uploads[index].stream
        uploads[index].isPausing = true
        peer.after(uploads[index].interval) { [weak self] in
            guard let self, let index = uploads.firstIndex(where: { $0.stream == stream }) else { return }
            uploads[index].isPausing = false
            upload()
        }
    }

    // MARK: Hearing

    private func hear(_ bytes: [UInt8]) -> [SimulatedPeer.Action] {
        reader.read(bytes).flatMap { hear($0) }
    }

    private func hear(_ frame: HTTP2Frame) -> [SimulatedPeer.Action] {
        switch HTTP2Frame.Kind(rawValue: frame.kind) {
        case .data: return hearData(frame)
        case .headers, .continuation: hearHeaders(frame)
        case .reset:
            if streams[frame.stream] == nil { isBroken = true }
            streams[frame.stream]?.reset = frame.number
        case .settings:
            guard !frame.isAcknowledgement else { return [] }
            hearSettings(frame)
            upload()
            return [.send(HTTP2Frame.make(.settings, flags: HTTP2Frame.acknowledgement, stream: 0))]
        case .ping:
            if frame.isAcknowledgement { pongs += 1 } else { return [pong(frame)] }
        case .goAway:
            goAways.append((frame.number & 0x7fff_ffff, HTTP2Frame.number(frame.payload.dropFirst(4))))
            onGoAway?()
        case .windowUpdate:
            let count = Int(frame.number & 0x7fff_ffff)
            if frame.stream == 0 { window += count } else { streams[frame.stream]?.window += count }
            upload()
        case .priority, .pushPromise, nil: isBroken = true
        }
        return []
    }

    private func pong(_ frame: HTTP2Frame) -> SimulatedPeer.Action {
        .send(HTTP2Frame.make(.ping, flags: HTTP2Frame.acknowledgement, stream: 0, frame.payload))
    }

    private func hearSettings(_ frame: HTTP2Frame) {
        for start in stride(from: 0, to: frame.payload.count - 5, by: 6) {
            let value = HTTP2Frame.number(frame.payload[(start + 2)...])
            switch HTTP2Frame.Setting(rawValue: UInt16(frame.payload[start]) << 8 | UInt16(frame.payload[start + 1])) {
            case .initialWindow:
                for stream in streams.keys { streams[stream]?.window += Int(value) - initialWindow }
                initialWindow = Int(value)
            case .concurrentStreams: concurrentStreams = value
            default: break
            }
        }
    }

    private func hearData(_ frame: HTTP2Frame) -> [SimulatedPeer.Action] {
        let (stream, count) = (frame.stream, frame.payload.count)
        openedWindow -= count
        openedWindows[stream, default: 0] -= count
        guard openedWindow >= 0, openedWindows[stream, default: 0] >= 0, let state = streams[stream] else {
            isBroken = true
            return []
        }
        // Frames that were on their way when the client gave the stream up are not looked at; the connection's window
        // is theirs all the same.
        if !state.isCancelled {
            if !state.response.hasHead || state.isOver { isBroken = true }
            streams[stream]?.response.body += frame.payload
            if frame.endsStream { streams[stream]?.response.isComplete = true }
        }
        guard count > 0, !holdsWindows else { return [] }
        var updates: [SimulatedPeer.Action] = [update(0, count)]
        openedWindow += count
        if !stalled.contains(stream), !frame.endsStream, !state.isCancelled {
            updates.append(update(stream, count))
            openedWindows[stream, default: 0] += count
        }
        return updates
    }

    private func update(_ stream: UInt32, _ count: Int) -> SimulatedPeer.Action {
        .send(HTTP2Frame.make(.windowUpdate, stream: stream, HTTP2Frame.bytes(UInt32(count))))
    }

    private func hearHeaders(_ frame: HTTP2Frame) {
        if HTTP2Frame.Kind(rawValue: frame.kind) == .headers {
            block = []
            blockFlags = frame.flags
            blockStream = frame.stream
        } else if frame.stream != blockStream {
            isBroken = true
        }
        block += frame.payload
        guard frame.flags & HTTP2Frame.endHeaders != 0 else { return }
        guard let fields = try? headers.decode(block), var state = streams[blockStream] else { return isBroken = true }
        guard !state.isCancelled else { return }
        if state.isOver { isBroken = true }
        if state.response.hasHead {
            state.response.trailers = fields
        } else {
            takeHead(fields, &state.response)
        }
        if blockFlags & HTTP2Frame.endStream != 0 { state.response.isComplete = true }
        streams[blockStream] = state
    }

    private func takeHead(_ fields: [HeaderField], _ response: inout Message) {
        guard let status = fields.first(where: { $0.name == ":status" }).flatMap({ Int($0.value) }) else {
            return isBroken = true
        }
        if status < 200 {
            response.informationalCount.append(status)
        } else {
            response.hasHead = true
            response.startLine = "HTTP/2 \(status)"
            response.fields = fields
        }
    }
}
