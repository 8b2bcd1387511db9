import HTTP
import Kernel
import Reactor
import Testing

/// An event with a copy of its bytes.
enum RecordedEvent: Equatable {
    case request(Int32, String, endsStream: Bool)
    case data(Int32, [UInt8])
    case end(Int32, trailers: String)
    case reset(Int32, code: UInt32)
    case drained(Int32)
    case closed(Int32)
    case goAway
}

/// The session under test with a buffer for each direction.
final class ServerSessionHarness {
    private var session: HTTP2Session
    var now = Instant(nanoseconds: 1_000_000_000)
    /// The events that were not taken yet.
    var seen: [RecordedEvent] = []
    private(set) var protocolEvents: [HTTP2ProtocolEvent] = []
    /// The last result of `receive`.
    private(set) var isSound = true
    private var events = HTTP2Events()
    /// The requests whose lines were noted.
    private(set) var notedHeads = 0

    init(limits: HTTP2Limits = HTTP2Limits()) {
        guard let session = HTTP2Session(limits: limits, now: now) else { fatalError("no memory") }
        self.session = session
    }

    /// A server's side after the exchange of connection prefaces.
    static func prepared(_ limits: HTTP2Limits = HTTP2Limits()) -> ServerSessionHarness {
        let server = ServerSessionHarness(limits: limits)
        server.receive(RawFrame.preface)
        _ = server.send()
        return server
    }

    /// Passes all bytes to the session. False if the connection has failed.
    @discardableResult
    func receive(_ bytes: [UInt8]) -> Bool {
        var buffer = ByteBuffer()
        buffer.append(bytes)
        repeat {
            isSound = session.receive(&buffer, now: now, events: &events)
            collect()
        } while !buffer.isEmpty
        return isSound
    }

    /// Passes bytes to one call. Returns the number of bytes it left.
    func receiveOnce(_ bytes: [UInt8]) -> Int {
        var buffer = ByteBuffer()
        buffer.append(bytes)
        isSound = session.receive(&buffer, now: now, events: &events)
        collect()
        return buffer.count
    }

    @discardableResult
    func receive(_ frames: RawFrame...) -> Bool { receive(frames.flatMap(\.bytes)) }

    /// Returns the bytes that may be sent, about `limit` at most.
    func send(limit: Int = 1 << 30) -> [UInt8] {
        var wire = ByteBuffer()
        session.send(into: &wire, limit: limit, events: &events)
        collect()
        return allBytes(of: wire)
    }

    /// Returns the bytes that may be sent, as frames.
    func sendFrames() -> [RawFrame] { RawFrame.all(in: send()) }

    func takeEvents() -> [RecordedEvent] {
        defer { seen = [] }
        return seen
    }

    @discardableResult
    func respond(_ stream: Int32, _ head: String, endsStream: Bool = false) -> Bool {
        var buffer = ByteBuffer()
        buffer.append("junk")
        buffer.append(latin1(head))
        let range = 4..<buffer.count
        buffer.append("more junk\r\n")
        return session.respond(stream: stream, head: buffer, range, endsStream: endsStream)
    }

    /// Responds with a head of the proxy's lines and, between these, the fields of a server's that go on.
    func respond(
        _ stream: Int32, _ before: String, _ server: ParsedResponse, _ after: String, keepsSession: Bool
    ) -> Bool {
        var text = ByteBuffer()
        text.append(latin1(before + after))
        return session.respond(
            stream: stream, head: text, forwarding: server.head.fields, of: server.bytes, at: latin1(before).count,
            keepsSession: keepsSession)
    }

    @discardableResult
    func write(_ stream: Int32, _ body: [UInt8]) -> Bool {
        var buffer = ByteBuffer()
        buffer.append(body)
        return session.write(stream: stream, buffer, 0..<buffer.count)
    }

    func endResponse(_ stream: Int32, trailers: String) {
        var buffer = ByteBuffer()
        buffer.append(latin1(trailers))
        session.endResponse(stream: stream, trailers: buffer, 0..<buffer.count)
    }

    func endResponse(stream: Int32) { session.endResponse(stream: stream) }
    func reset(stream: Int32, code: HTTP2ErrorCode) { session.reset(stream: stream, code: code) }
    func consumed(stream: Int32, _ count: Int) { session.consumed(stream: stream, count) }
    func pendingBytes(stream: Int32) -> Int { session.pendingBytes(stream: stream) }
    func credit(stream: Int32) -> Int { session.credit(stream: stream) }
    var bufferedBytes: Int { session.bufferedBytes }
    func goAway(isFinal: Bool) { session.goAway(isFinal: isFinal) }
    var wantsWrite: Bool { session.wantsWrite }
    var isFinished: Bool { session.isFinished }
    var streams: Int { session.streams }
    var abuse: HTTP2Abuse { session.abuse }

    private func collect() {
        for index in 0..<events.count {
            switch events[index] {
            case .request(let stream, let head, let endsStream):
                let bytes = bytes(of: head.text)
                #expect(read(bytes, head, in: events) == read(bytes), "the noted lines are those of the text")
                if !head.lines.isEmpty { notedHeads += 1 }
                seen.append(.request(stream, text(of: head.text), endsStream: endsStream))
            case .data(let stream, let range): seen.append(.data(stream, bytes(of: range)))
            case .requestEnd(let stream, let trailers): seen.append(.end(stream, trailers: text(of: trailers)))
            case .reset(let stream, let code): seen.append(.reset(stream, code: code))
            case .drained(let stream): seen.append(.drained(stream))
            case .closed(let stream): seen.append(.closed(stream))
            case .protocolEvent(let protocolEvent): protocolEvents.append(protocolEvent)
            case .goAway: seen.append(.goAway)
            }
        }
        events.removeAll()
    }

    private func bytes(of range: ByteRange) -> [UInt8] {
        var bytes: [UInt8] = []
        for index in range.range { bytes.append(events.bytes.span[index]) }
        return bytes
    }

    private func text(of range: ByteRange) -> String {
        String(String.UnicodeScalarView(bytes(of: range).map { Unicode.Scalar($0) }))
    }
}

func allBytes(of buffer: borrowing ByteBuffer) -> [UInt8] {
    var bytes: [UInt8] = []
    for index in 0..<buffer.count { bytes.append(buffer.span[index]) }
    return bytes
}
