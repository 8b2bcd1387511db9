import HTTP
import Kernel
import Reactor
import TLS

/// Why a call came to nothing.
enum DemoFault: Error {
    /// The demo is over.
    case stopped
    case timedOut
    case disconnected(String)
    /// An answer that is not what it should be.
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

/// Whom to call, and whom to trust.
struct DemoDialler: Sendable {
    let address: SocketAddress
    /// Nil for plain HTTP.
    let context: TLSClientContext?
    let serverName: String

    var authority: String { context == nil ? address.description : "\(serverName):\(address.port)" }
}

/// An HTTP response, complete.
struct DemoResponse {
    var status: UInt16
    var sessionID: String?
    var isEventStream = false
    var body: [UInt8] = []
}

/// One connection to the server: a request goes out, its response comes back, and the caller waits.
struct DemoConnection: ~Copyable {
    private var world: Linux
    private let descriptor: Descriptor
    /// Nil when the connection no longer heeds it.
    private var stop: DemoStop?
    private var transport: DemoTransport

    private static let parser = ResponseParser(limits: HeadLimits())
    private static let patience = Interval.seconds(10)
    private static let farewell = Interval.milliseconds(500)
    private static let maximumBodyBytes = 1_048_576
    /// How soon a wait notices that the demo is over.
    private static let glanceMilliseconds: UInt64 = 100

    /// Connects and shakes hands.
    init(_ dialler: DemoDialler, stop: DemoStop) throws {
        var world = try Linux()
        guard case .started(let descriptor) = world.dial(dialler.address) else {
            throw DemoFault.disconnected("no connection")
        }
        do {
            guard world.watch(descriptor, token: 0) else { throw DemoFault.disconnected("no epoll") }
            var transport = try DemoTransport(descriptor, dialler)
            let deadline = world.now() + DemoConnection.patience
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

    /// Says goodbye and closes. Nothing may be asked of the connection afterwards.
    mutating func close() {
        transport.finish()
        if transport.hasUnsent { _ = transport.send(&world) }
        world.close(descriptor, reset: false)
    }

    /// Sends `request` and waits for its response.
    mutating func exchange(
        _ request: [UInt8], method: Method, patience: Interval = DemoConnection.patience
    ) throws -> DemoResponse {
        guard transport.put(request) else { throw DemoFault.disconnected("TLS ended") }
        let deadline = world.now() + patience
        try DemoConnection.flush(&transport, &world, stop, until: deadline)
        return try readResponse(to: method, until: deadline)
    }

    /// Sends `request` and waits a moment for its response, even when the demo is over.
    mutating func sayLast(_ request: [UInt8], method: Method) {
        stop = nil
        _ = try? exchange(request, method: method, patience: DemoConnection.farewell)
        close()
    }

    /// Lets time pass; false if the demo ended meanwhile.
    mutating func pause(_ interval: Interval) -> Bool {
        let end = world.now() + interval
        while stop?.isAsked != true {
            let left = end - world.now()
            if left.nanoseconds == 0 { return true }
            _ = world.wait(milliseconds: DemoConnection.nap(left))
        }
        return false
    }

    // MARK: Responses

    private mutating func readResponse(to method: Method, until deadline: Instant) throws -> DemoResponse {
        var head = ResponseHead()
        while true {
            switch DemoConnection.parser.parse(transport.received.span, answering: method, into: &head) {
            case .incomplete: try receive(until: deadline)
            case .invalid(let fault): throw DemoFault.unexpected("unreadable response: \(fault)")
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
                throw DemoFault.unexpected("an answer of \(length) bytes")
            }
            while transport.received.count < Int(length) { try receive(until: deadline) }
            defer { transport.received.consume(Int(length)) }
            return DemoConnection.bytes(transport.received.span, 0..<Int(length))
        case .chunked: return try readChunks(until: deadline)
        case .untilClose: throw DemoFault.unexpected("a body without an end")
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
            case .invalid: throw DemoFault.unexpected("bad chunks")
            }
            guard body.count <= DemoConnection.maximumBodyBytes else { throw DemoFault.unexpected("an endless answer") }
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

    /// Waits for bytes. Static, like `flush`, because a handshake happens before there is a connection.
    private static func receive(
        _ transport: inout DemoTransport, _ world: inout Linux, _ stop: DemoStop?, until deadline: Instant
    ) throws {
        while true {
            switch transport.receive(&world) {
            case .moved:
                // An answer in the middle of the handshake, or an alert.
                if transport.hasUnsent { try flush(&transport, &world, stop, until: deadline) }
                if transport.progress == .failed { throw DemoFault.disconnected(transport.failure()) }
                return
            case .wouldBlock: try wait(&world, stop, until: deadline)
            case .ended: throw DemoFault.disconnected("the server closed")
            case .failed: throw DemoFault.disconnected("the connection was reset or refused")
            }
        }
    }

    private static func flush(
        _ transport: inout DemoTransport, _ world: inout Linux, _ stop: DemoStop?, until deadline: Instant
    ) throws {
        while transport.hasUnsent {
            switch transport.send(&world) {
            case .moved: continue
            case .wouldBlock: try wait(&world, stop, until: deadline)
            case .ended, .failed: throw DemoFault.disconnected("the connection was reset or refused")
            }
        }
    }

    private static func wait(_ world: inout Linux, _ stop: DemoStop?, until deadline: Instant) throws {
        if stop?.isAsked == true { throw DemoFault.stopped }
        let left = deadline - world.now()
        if left.nanoseconds == 0 { throw DemoFault.timedOut }
        _ = world.wait(milliseconds: nap(left))
    }

    private static func nap(_ left: Interval) -> CInt {
        CInt(clamping: min(left.nanoseconds / 1_000_000 + 1, glanceMilliseconds))
    }
}
