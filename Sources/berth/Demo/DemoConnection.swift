import HTTP
import Kernel
import Reactor
import TLS

/// Why a call failed.
enum DemoError: Error {
    /// The demo is over.
    case stopped
    case timedOut
    case disconnected(String)
    /// A response that is not as expected.
    case unexpected(String)

    var description: String {
        switch self {
        case .stopped: "stopped"
        case .timedOut: "timed out"
        case .disconnected(let reason): "disconnected: \(reason)"
        case .unexpected(let what): what
        }
    }
}

/// The server to connect to, and the certificates to trust.
struct DemoTarget: Sendable {
    let address: SocketAddress
    /// Nil for plain HTTP.
    let context: TLSClientContext?
    let serverName: String

    var authority: String { context == nil ? address.description : "\(serverName):\(address.port)" }
}

/// A complete HTTP response.
struct DemoResponse {
    var status: UInt16
    var sessionID: String?
    var isEventStream = false
    var body: [UInt8] = []
}

/// One connection to the server with blocking requests: `exchange` sends a request and waits for the response.
struct DemoConnection: ~Copyable {
    private var world: Linux
    private let descriptor: Descriptor
    /// Nil once the connection is to ignore it, for the last request.
    private var stop: DemoStopFlag?
    private var transport: DemoTransport

    private static let parser = ResponseParser(limits: HeadLimits())
    private static let timeout = Interval.seconds(10)
    private static let closeTimeout = Interval.milliseconds(500)
    private static let maximumBodyBytes = 1_048_576
    /// The interval at which waits check the stop flag.
    private static let pollMilliseconds: UInt64 = 100

    /// Connects and completes the TLS handshake.
    init(_ target: DemoTarget, stop: DemoStopFlag) throws {
        var world = try Linux()
        guard case .started(let descriptor) = world.dial(target.address) else {
            throw DemoError.disconnected("no connection")
        }
        do {
            guard world.watch(descriptor, token: 0) else { throw DemoError.disconnected("no epoll") }
            var transport = try DemoTransport(descriptor, target)
            let deadline = world.now() + DemoConnection.timeout
            while transport.progress == .handshaking {
                try DemoConnection.flush(&transport, &world, stop, until: deadline)
                try DemoConnection.receive(&transport, &world, stop, until: deadline)
            }
            self.transport = transport
        } catch {
            world.close(descriptor, reset: false)
            throw error
        }
        self.world = world
        self.descriptor = descriptor
        self.stop = stop
    }

    /// Sends close_notify and closes. The connection must not be used afterwards.
    mutating func close() {
        transport.finish()
        if transport.hasUnsent { _ = transport.send(&world) }
        world.close(descriptor, reset: false)
    }

    /// Sends `request` and waits for its response.
    mutating func exchange(
        _ request: [UInt8], method: Method, timeout: Interval = DemoConnection.timeout
    ) throws -> DemoResponse {
        guard transport.queue(request) else { throw DemoError.disconnected("TLS ended") }
        let deadline = world.now() + timeout
        try DemoConnection.flush(&transport, &world, stop, until: deadline)
        return try readResponse(to: method, until: deadline)
    }

    /// Sends the last request, waits up to `closeTimeout` for its response and closes, even if the demo is being
    /// stopped.
    mutating func exchangeAndClose(_ request: [UInt8], method: Method) {
        stop = nil
        _ = try? exchange(request, method: method, timeout: DemoConnection.closeTimeout)
        close()
    }

    /// Waits. False if the demo was stopped meanwhile.
    mutating func pause(_ interval: Interval) -> Bool {
        let end = world.now() + interval
        while stop?.isSet != true {
            let left = end - world.now()
            if left.nanoseconds == 0 { return true }
            _ = world.wait(milliseconds: DemoConnection.waitMilliseconds(left))
        }
        return false
    }

    // MARK: Responses

    private mutating func readResponse(to method: Method, until deadline: Instant) throws -> DemoResponse {
        var head = ResponseHead()
        while true {
            switch DemoConnection.parser.parse(transport.received.span, answering: method, into: &head) {
            case .incomplete: try receive(until: deadline)
            case .invalid(let fault): throw DemoError.unexpected("unreadable response: \(fault)")
            case .complete(let count):
                var response = DemoResponse(status: head.status, isEventStream: head.isEventStream)
                if let id = head.sessionID { response.sessionID = DemoConnection.text(transport.received.span, id) }
                transport.received.consume(count)
                if head.isInformational { continue }
                response.body = try readBody(head.framing, until: deadline)
                return response
            }
        }
    }

    private mutating func readBody(_ framing: BodyFraming, until deadline: Instant) throws -> [UInt8] {
        switch framing {
        case .none: return []
        case .length(let length):
            guard length <= UInt64(DemoConnection.maximumBodyBytes) else {
                throw DemoError.unexpected("an answer of \(length) bytes")
            }
            while transport.received.count < Int(length) { try receive(until: deadline) }
            defer { transport.received.consume(Int(length)) }
            return DemoConnection.bytes(transport.received.span, 0..<Int(length))
        case .chunked: return try readChunks(until: deadline)
        case .untilClose: throw DemoError.unexpected("a body without an end")
        }
    }

    private mutating func readChunks(until deadline: Instant) throws -> [UInt8] {
        var body: [UInt8] = []
        var decoder = ChunkDecoder()
        var offset = 0
        while true {
            switch decoder.next(transport.received.span, from: offset) {
            case .data(let range):
                body += DemoConnection.bytes(transport.received.span, range.range)
                offset = range.upperBound
            case .trailer(let range): offset = range.upperBound
            case .needsMore(let consumed):
                transport.received.consume(consumed)
                offset = 0
                try receive(until: deadline)
            case .end(let end):
                transport.received.consume(end)
                return body
            case .invalid: throw DemoError.unexpected("bad chunks")
            }
            guard body.count <= DemoConnection.maximumBodyBytes else { throw DemoError.unexpected("an endless answer") }
        }
    }

    private static func bytes(_ span: Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
        range.map { span[$0] }
    }

    private static func text(_ span: Span<UInt8>, _ range: ByteRange) -> String {
        String(decoding: bytes(span, range.range), as: UTF8.self)
    }

    // MARK: Bytes

    private mutating func receive(until deadline: Instant) throws {
        try DemoConnection.receive(&transport, &world, stop, until: deadline)
    }

    /// Waits for bytes. Static, as `flush` is, since `init` needs both for the handshake.
    private static func receive(
        _ transport: inout DemoTransport, _ world: inout Linux, _ stop: DemoStopFlag?, until deadline: Instant
    ) throws {
        while true {
            switch transport.receive(&world) {
            case .moved:
                // A handshake message or an alert.
                if transport.hasUnsent { try flush(&transport, &world, stop, until: deadline) }
                if transport.progress == .failed { throw DemoError.disconnected(transport.failure()) }
                return
            case .wouldBlock: try wait(&world, stop, until: deadline)
            case .ended: throw DemoError.disconnected("the server closed")
            case .failed: throw DemoError.disconnected("the connection was reset or refused")
            }
        }
    }

    private static func flush(
        _ transport: inout DemoTransport, _ world: inout Linux, _ stop: DemoStopFlag?, until deadline: Instant
    ) throws {
        while transport.hasUnsent {
            switch transport.send(&world) {
            case .moved: continue
            case .wouldBlock: try wait(&world, stop, until: deadline)
            case .ended, .failed: throw DemoError.disconnected("the connection was reset or refused")
            }
        }
    }

    private static func wait(_ world: inout Linux, _ stop: DemoStopFlag?, until deadline: Instant) throws {
        if stop?.isSet == true { throw DemoError.stopped }
        let left = deadline - world.now()
        if left.nanoseconds == 0 { throw DemoError.timedOut }
        _ = world.wait(milliseconds: waitMilliseconds(left))
    }

    private static func waitMilliseconds(_ left: Interval) -> CInt {
        CInt(clamping: min(left.nanoseconds / 1_000_000 + 1, pollMilliseconds))
    }
}
