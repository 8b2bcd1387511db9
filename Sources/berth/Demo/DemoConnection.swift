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
    private let stop: DemoStop
    private var engine: TLSEngine?
    private var session: TLSSession?
    /// Plaintext received and not yet taken.
    private var received = ByteBuffer()
    /// Bytes for the socket.
    private var wire = ByteBuffer()
    private var scratch = ByteBuffer(capacity: 16_384)
    private var progress = TLSProgress.handshaking
    private var head = ResponseHead()

    private static let parser = ResponseParser(limits: HeadLimits())
    private static let patience = Interval.seconds(10)
    private static let maximumBodyBytes = 1_048_576
    /// How soon a wait notices that the demo is over.
    private static let glanceMilliseconds: UInt64 = 100

    /// Connects and shakes hands.
    init(_ dialler: DemoDialler, stop: DemoStop) throws {
        var world = try Linux()
        guard case .started(let descriptor) = world.dial(dialler.address) else {
            throw DemoFault.disconnected("no connection")
        }
        var engine: TLSEngine?
        var session: TLSSession?
        if let context = dialler.context {
            var fresh = try TLSEngine()
            session = try fresh.connect(context, serverName: dialler.serverName)
            engine = consume fresh
        }
        guard world.watch(descriptor, token: 0) else {
            world.close(descriptor, reset: false)
            throw DemoFault.disconnected("no epoll")
        }
        self.world = world
        self.descriptor = descriptor
        self.stop = stop
        self.engine = consume engine
        self.session = consume session
        do {
            try shakeHands()
        } catch {
            close()
            throw error
        }
    }

    /// Says goodbye and closes. Nothing may be asked of the connection afterwards.
    mutating func close() {
        finishTLS()
        if !wire.isEmpty { _ = world.send(descriptor, wire.span) }
        world.close(descriptor, reset: false)
    }

    /// Sends `request` and waits for its response.
    mutating func exchange(_ request: [UInt8], method: Method) throws -> DemoResponse {
        try encrypt(request)
        let deadline = world.now() + DemoConnection.patience
        try flush(until: deadline)
        return try readResponse(to: method, until: deadline)
    }

    /// Lets time pass; false if the demo ended meanwhile.
    mutating func pause(_ interval: Interval) -> Bool {
        let end = world.now() + interval
        while !stop.isAsked {
            let left = end - world.now()
            if left.nanoseconds == 0 { return true }
            _ = world.wait(milliseconds: DemoConnection.nap(left))
        }
        return false
    }

    // MARK: Responses

    private mutating func readResponse(to method: Method, until deadline: Instant) throws -> DemoResponse {
        while true {
            switch DemoConnection.parser.parse(received.span, answering: method, into: &head) {
            case .incomplete: try receive(until: deadline)
            case .invalid(let fault): throw DemoFault.unexpected("unreadable response: \(fault)")
            case .complete(let count):
                var response = DemoResponse(status: head.status, isEventStream: head.isEventStream)
                if let id = head.sessionID { response.sessionID = DemoConnection.text(received.span, id) }
                received.consume(count)
                if head.isInterim { continue }
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
            while received.count < Int(length) { try receive(until: deadline) }
            defer { received.consume(Int(length)) }
            return DemoConnection.bytes(received.span, 0..<Int(length))
        case .chunked: return try readChunks(until: deadline)
        case .untilClose: throw DemoFault.unexpected("a body without an end")
        }
    }

    private mutating func readChunks(until deadline: Instant) throws -> [UInt8] {
        var body: [UInt8] = []
        var decoder = ChunkDecoder()
        var offset = 0
        while true {
            switch decoder.next(received.span, from: offset) {
            case .data(let range):
                body += DemoConnection.bytes(received.span, range.range)
                offset = range.upperBound
            case .trailer(let range): offset = range.upperBound
            case .needsMore(let consumed):
                received.consume(consumed)
                offset = 0
                try receive(until: deadline)
            case .end(let end):
                received.consume(end)
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

    private mutating func shakeHands() throws {
        guard engine != nil else {
            progress = .established
            return
        }
        let deadline = world.now() + DemoConnection.patience
        decrypt([])
        while progress == .handshaking {
            try flush(until: deadline)
            try receive(until: deadline)
        }
        try flush(until: deadline)
    }

    /// Waits for bytes, and appends what they say to `received`.
    private mutating func receive(until deadline: Instant) throws {
        while true {
            var space = scratch.space
            switch world.receive(descriptor, into: &space) {
            case .moved(let count):
                scratch.commit(count)
                let bytes = DemoConnection.bytes(scratch.span, 0..<count)
                scratch.clear()
                decrypt(bytes)
                if progress == .failed { throw DemoFault.disconnected(engine?.lastFailure.description ?? "TLS failed") }
                return
            case .wouldBlock: try wait(until: deadline)
            case .ended: throw DemoFault.disconnected("the server closed")
            case .failed: throw DemoFault.disconnected("the connection was reset")
            }
        }
    }

    private mutating func flush(until deadline: Instant) throws {
        while !wire.isEmpty {
            switch world.send(descriptor, wire.span) {
            case .moved(let count): wire.consume(count)
            case .wouldBlock: try wait(until: deadline)
            case .ended, .failed: throw DemoFault.disconnected("the connection was reset")
            }
        }
    }

    private mutating func wait(until deadline: Instant) throws {
        if stop.isAsked { throw DemoFault.stopped }
        let left = deadline - world.now()
        if left.nanoseconds == 0 { throw DemoFault.timedOut }
        _ = world.wait(milliseconds: DemoConnection.nap(left))
    }

    private static func nap(_ left: Interval) -> CInt {
        CInt(clamping: min(left.nanoseconds / 1_000_000 + 1, glanceMilliseconds))
    }

    private mutating func decrypt(_ bytes: [UInt8]) {
        guard engine != nil, session != nil else { return received.append(bytes.span) }
        progress = engine!.receive(&session!, bytes.span, plaintext: &received, wire: &wire)
    }

    private mutating func encrypt(_ bytes: [UInt8]) throws {
        guard engine != nil, session != nil else { return wire.append(bytes.span) }
        guard engine!.send(&session!, bytes.span, wire: &wire) else { throw DemoFault.disconnected("TLS ended") }
    }

    private mutating func finishTLS() {
        guard engine != nil, session != nil else { return }
        engine!.finish(&session!, wire: &wire)
    }
}
