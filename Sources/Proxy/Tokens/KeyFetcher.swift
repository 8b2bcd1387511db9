import Configuration
import HTTP
import Kernel
import Reactor
import TLS

/// Fetches documents with keys, each on a connection of its own. For a thread that may wait.
struct KeyFetcher: ~Copyable {
    private var world: Linux
    private var engine: TLSEngine
    private var context: TLSClientContext?
    private let trust: TLSClientContext.Trust

    /// Why there is no document.
    struct Failure: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    /// From the dial to the end of the response.
    private let timeout: Interval
    /// Bytes of a response with its head, at most.
    private static var longestResponse: Int { (1 << 20) + 65_536 }

    /// `trust`: the authorities that vouch for servers.
    init(
        _ world: consuming Linux, trust: TLSClientContext.Trust = .system, timeout: Interval = .seconds(5)
    ) throws(TLSError) {
        self.trust = trust
        self.timeout = timeout
        engine = try TLSEngine()
        self.world = world
    }

    /// The document at a URL. Redirects are not followed: the keys are where the operator says, or nowhere.
    mutating func fetch(_ url: KeyURL) throws(Failure) -> [UInt8] {
        let addresses = SocketAddress.resolve(host: url.host, port: url.port)
        guard !addresses.isEmpty else { throw Failure("\(url.host) has no address") }
        var last = Failure("it cannot be reached")
        let deadline = Instant.now() + timeout
        for address in addresses where Instant.now() < deadline {
            do throws(Failure) {
                return try fetch(url, at: address, by: deadline)
            } catch {
                last = error
            }
        }
        throw last
    }

    private mutating func fetch(
        _ url: KeyURL, at address: SocketAddress, by deadline: Instant
    ) throws(Failure) -> [UInt8] {
        guard case .started(let socket) = world.dial(address) else { throw Failure("\(address) cannot be reached") }
        defer { world.close(socket, reset: false) }
        guard world.watch(socket, token: 0) else { throw Failure("it cannot be watched") }
        let request = Self.request(url)
        var outgoing = ByteBuffer()
        var plain = ByteBuffer()
        defer {
            outgoing.release()
            plain.release()
        }
        guard url.isSecure else {
            outgoing.append(request)
            while true {
                let piece = try wait(socket, &outgoing, by: deadline)
                plain.append(piece.bytes)
                if let body = try Self.body(of: plain, hasEnded: piece.hasEnded) { return body }
                if piece.hasEnded { throw Failure("\(address) closed the connection") }
            }
        }
        var session = try beginTLS(url, &plain, &outgoing)
        var isSent = false
        while true {
            let piece = try wait(socket, &outgoing, by: deadline)
            let progress = engine.receive(&session, piece.bytes.span, plaintext: &plain, outgoing: &outgoing)
            if progress == .failed {
                throw Failure("TLS with \(address) failed: \(session.verificationProblem ?? "\(engine.lastFailure)")")
            }
            if progress == .established, !isSent {
                isSent = true
                guard engine.send(&session, request.span, outgoing: &outgoing) else {
                    throw Failure("TLS with \(address) failed")
                }
            }
            let hasEnded = piece.hasEnded || progress == .closed
            if let body = try Self.body(of: plain, hasEnded: progress == .closed) { return body }
            if hasEnded { throw Failure("\(address) closed the connection") }
        }
    }

    private mutating func beginTLS(
        _ url: KeyURL, _ plain: inout ByteBuffer, _ outgoing: inout ByteBuffer
    ) throws(Failure) -> TLSSession {
        do throws(TLSError) {
            if context == nil { context = try TLSClientContext(trust: trust) }
            guard let context else { throw TLSError(action: "speaking TLS", reason: "there is no context") }
            var session = try engine.connect(context, serverName: url.host)
            let nothing: [UInt8] = []
            _ = engine.receive(&session, nothing.span, plaintext: &plain, outgoing: &outgoing)
            return session
        } catch {
            throw Failure("cannot speak TLS: \(error)")
        }
    }

    private static func request(_ url: KeyURL) -> [UInt8] {
        let name = url.host.contains(":") ? "[\(url.host)]" : url.host
        let port = url.port == (url.isSecure ? 443 : 80) ? "" : ":\(url.port)"
        return Array(
            """
            GET \(url.target) HTTP/1.1\r
            host: \(name)\(port)\r
            accept: application/jwk-set+json, application/json\r
            user-agent: berth\r
            connection: close\r
            \r

            """.utf8)
    }

    /// Sends what there is to send, and waits for what comes.
    private mutating func wait(
        _ socket: Descriptor, _ outgoing: inout ByteBuffer, by deadline: Instant
    ) throws(Failure) -> (bytes: [UInt8], hasEnded: Bool) {
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while Instant.now() < deadline {
            let code = world.connectionError(socket)
            guard code == 0 else { throw Failure(ErrorNumber.text(code)) }
            while !outgoing.isEmpty, case .moved(let count) = world.send(socket, outgoing.span) {
                outgoing.consume(count)
            }
            var space = chunk.mutableSpan
            switch world.receive(socket, into: &space) {
            case .moved(let count): return (Array(chunk[..<count]), false)
            case .ended: return ([], true)
            case .failed(let code): throw Failure(ErrorNumber.text(code))
            case .wouldBlock: _ = world.wait(milliseconds: 50)
            }
        }
        throw Failure("it does not answer in \(timeout.nanoseconds / 1_000_000) ms")
    }

    /// The body of a whole response; nil if more of it is to come.
    private static func body(of response: borrowing ByteBuffer, hasEnded: Bool) throws(Failure) -> [UInt8]? {
        guard response.count <= longestResponse else { throw Failure("its response is too long") }
        var head = ResponseHead()
        let parser = ResponseParser(limits: HeadLimits())
        switch parser.parse(response.span, answering: .get, into: &head) {
        case .complete(let length):
            guard head.status == 200 else { throw Failure("it answers with status \(head.status)") }
            return try body(of: response, head.framing, from: length, hasEnded: hasEnded)
        case .incomplete: return nil
        default: throw Failure("its response is no HTTP")
        }
    }

    private static func body(
        of response: borrowing ByteBuffer, _ framing: BodyFraming, from start: Int, hasEnded: Bool
    ) throws(Failure) -> [UInt8]? {
        var reader = BodyReader(framing, fromServer: true)
        var body: [UInt8] = []
        var offset = start
        while true {
            switch reader.next(response.span, from: offset) {
            case .data(let range):
                body += response.bytes(range.range)
                offset = range.upperBound
            case .trailer(let range): offset = range.upperBound
            case .end: return body
            case .needsMore: return hasEnded && reader.endsWithConnection() ? body : nil
            case .invalid: throw Failure("its response is no HTTP")
            }
        }
    }
}
