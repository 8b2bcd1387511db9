import Glibc
import Kernel
import Reactor
import TLS
import TestSupport

/// A client that sends exactly the bytes of a test, in plaintext or over TLS, and waits with a deadline.
final class Client {
    struct Response {
        var status = 0
        var head: [UInt8] = []
        /// Names in lower case, in order.
        var fields: [(name: String, value: String)] = []
        var body: [UInt8] = []
        /// Trailer lines of a chunked body.
        var trailers: [String] = []

        func values(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    enum Failure: Error, Equatable {
        case refused(CInt)
        case timedOut(String)
        /// The connection ended; the text has the unread bytes.
        case ended(String)
        case reset(String)
        case unreadable(String)
        case handshakeFailed(String)
    }

    let socket: CInt
    private var isOpen = true
    private var tls: Secure?
    private var bytes: [UInt8] = []
    private var start = 0
    /// Whether the peer's close_notify has come.
    private var hasSaidGoodbye = false
    private var space: [UInt8]

    init(
        _ address: SocketAddress, tls context: TLSClientContext? = nil, resuming ticket: TLSTicket? = nil,
        receiveBuffer: CInt = 0, bufferBytes: Int = 65_536, withProxyHeader header: [UInt8] = []
    ) throws {
        space = [UInt8](repeating: 0, count: bufferBytes)
        do {
            socket = try TestSocket.connect(to: address, receiveBuffer: receiveBuffer)
        } catch {
            throw Failure.refused(error.code)
        }
        var one: CInt = 1
        setsockopt(socket, CInt(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<CInt>.size))
        sendRaw(header)
        if let context { try completeHandshake(context, ticket) }
    }

    deinit { close() }

    func close(reset: Bool = false) {
        guard isOpen else { return }
        isOpen = false
        TestSocket.close(socket, reset: reset)
    }

    /// Sends FIN.
    func finish() { shutdown(socket, CInt(SHUT_WR)) }

    // MARK: - TLS

    var wasResumed: Bool { tls?.session.wasResumed ?? false }
    var peerSubject: String? { tls?.session.peerSubject }
    var version: String { tls?.session.version ?? "" }
    var applicationProtocol: ApplicationProtocol { tls?.session.applicationProtocol ?? .none }
    var ticket: TLSTicket? { tls?.session.ticket }

    private func completeHandshake(_ context: TLSClientContext, _ ticket: TLSTicket?) throws {
        let secure = try Secure(context, ticket)
        tls = secure
        let deadline = Instant.now() + defaultTimeout
        _ = secure.receive([])
        sendRaw(secure.takeWire())
        while !secure.session.isEstablished { try receive(until: deadline) }
    }

    // MARK: - Sending

    func send(_ text: String) { send(Array(text.utf8)) }

    /// Sends all bytes, or fewer if the connection breaks.
    func send(_ bytes: [UInt8]) {
        guard let tls else {
            sendRaw(bytes)
            return
        }
        tls.send(bytes)
        sendRaw(tls.takeWire())
    }

    /// Sends pieces of `size` bytes, each in a TLS record of its own, with one write.
    func sendInPieces(_ bytes: [UInt8], of size: Int) {
        var start = 0
        while start < bytes.count {
            tls?.send(Array(bytes[start..<min(start + size, bytes.count)]))
            start += size
        }
        if let tls { sendRaw(tls.takeWire()) }
    }

    /// Makes `send` stop when the peer has accepted no bytes for this long.
    func limitSending(milliseconds: Int) {
        var time = timeval(tv_sec: milliseconds / 1_000, tv_usec: milliseconds % 1_000 * 1_000)
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Sends bytes without encrypting them.
    func sendUnencrypted(_ bytes: [UInt8]) { sendRaw(bytes) }

    private func sendRaw(_ bytes: [UInt8]) { TestSocket.send(bytes, to: socket) }

    // MARK: - Receiving

    /// The next response that is not 1xx, with its whole body.
    func response(toHead: Bool = false) throws -> Response {
        var response = try head()
        while response.status / 100 == 1 { response = try head() }
        if toHead || response.status == 204 || response.status == 304 { return response }
        if response.values("transfer-encoding") == ["chunked"] {
            while let chunk = try chunk(trailers: &response.trailers) { response.body += chunk }
        } else if let length = response.values("content-length").first.flatMap({ Int($0) }) {
            response.body = try take(length)
        } else {
            response.body = try takeToEnd()
        }
        return response
    }

    /// The next response's head alone, interim ones included.
    func head() throws -> Response {
        let head = try take(through: "\r\n\r\n")
        let lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n")
        guard let first = lines.first, first.hasPrefix("HTTP/1.1 "), let status = Int(first.dropFirst(9).prefix(3))
        else { throw Failure.unreadable(Self.excerpt(head)) }
        var response = Response(status: status, head: head)
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { throw Failure.unreadable(Self.excerpt(head)) }
            response.fields.append((line[..<colon].lowercased(), line[line.index(after: colon)...].trimmingSpaces()))
        }
        return response
    }

    /// The next chunk of a chunked body; nil at its end.
    func chunk() throws -> [UInt8]? {
        var trailers: [String] = []
        return try chunk(trailers: &trailers)
    }

    private func chunk(trailers: inout [String]) throws -> [UInt8]? {
        let line = try take(through: "\r\n").dropLast(2)
        guard let size = Int(String(decoding: line, as: UTF8.self), radix: 16) else {
            throw Failure.unreadable(Self.excerpt(Array(line)))
        }
        guard size > 0 else {
            while true {
                let line = try take(through: "\r\n").dropLast(2)
                if line.isEmpty { return nil }
                trailers.append(String(decoding: line, as: UTF8.self))
            }
        }
        let data = try take(size + 2)
        guard data.suffix(2) == [13, 10] else { throw Failure.unreadable("a chunk without its CRLF") }
        return Array(data.dropLast(2))
    }

    func take(_ count: Int) throws -> [UInt8] {
        let deadline = Instant.now() + defaultTimeout
        while bytes.count - start < count { try receive(until: deadline) }
        defer { consume(count) }
        return Array(bytes[start..<start + count])
    }

    func take(through mark: StaticString) throws -> [UInt8] {
        let deadline = Instant.now() + defaultTimeout
        let count = mark.utf8CodeUnitCount
        var searched = start
        while true {
            if let end = find(mark, in: bytes, from: searched) { return try take(end + count - start) }
            let unsearched = bytes.count - start - count + 1
            try receive(until: deadline)
            searched = start + max(0, unsearched)
        }
    }

    /// Reads until the connection ends properly.
    func takeToEnd() throws -> [UInt8] {
        let deadline = Instant.now() + defaultTimeout
        do {
            while true { try receive(until: deadline) }
        } catch Failure.ended {
            defer { consume(bytes.count - start) }
            return Array(bytes[start...])
        }
    }

    /// Reads until the connection ends, in any way.
    func readUntilEnd() throws -> [UInt8] {
        do {
            return try takeToEnd()
        } catch Failure.reset {
            defer { consume(bytes.count - start) }
            return Array(bytes[start...])
        }
    }

    /// Reads `count` bytes without storing them. False if they differ from `Pattern` from `offset` on.
    func skipPattern(_ count: Int, at offset: Int = 0) throws -> Bool {
        var position = 0
        while position < count {
            if start == bytes.count { try receive(until: Instant.now() + defaultTimeout) }
            let part = min(bytes.count - start, count - position)
            let isSame = bytes.withUnsafeBytes {
                Pattern.matches(UnsafeRawBufferPointer(rebasing: $0[start..<start + part]), at: offset + position)
            }
            guard isSame else { return false }
            consume(part)
            position += part
        }
        return true
    }

    /// Whether bytes can be read now or within `milliseconds`.
    func receives(within milliseconds: UInt64) -> Bool {
        start < bytes.count || isReady(socket, for: POLLIN, until: Instant.now() + .milliseconds(milliseconds))
    }

    private func receive(until deadline: Instant) throws {
        guard !hasSaidGoodbye else { throw Failure.ended(rest) }
        guard isReady(socket, for: POLLIN, until: deadline) else { throw Failure.timedOut(rest) }
        let count = recv(socket, &space, space.count, 0)
        guard count != 0 else { throw Failure.ended(rest) }
        guard count > 0 else { throw Failure.reset(rest) }
        if start == bytes.count {
            bytes.removeAll(keepingCapacity: true)
            start = 0
        }
        guard let tls else {
            bytes += space[0..<count]
            return
        }
        let progress = tls.receive(Array(space[0..<count]))
        bytes += tls.takePlain()
        sendRaw(tls.takeWire())
        switch progress {
        case .handshaking, .established: break
        case .closed: hasSaidGoodbye = true
        case .failed: throw Failure.handshakeFailed(tls.failure)
        }
    }

    private func consume(_ count: Int) { start += count }

    private var rest: String { Self.excerpt(Array(bytes[start...])) }

    private static func excerpt(_ bytes: [UInt8]) -> String { String(decoding: bytes.prefix(300), as: UTF8.self) }
}

/// The TLS session of one client.
private final class Secure {
    private var engine: TLSEngine
    private(set) var session: TLSSession
    private var plain = ByteBuffer()
    private var outgoing = ByteBuffer()

    init(_ context: TLSClientContext, _ ticket: TLSTicket?) throws {
        var engine = try TLSEngine()
        session = try engine.connect(context, serverName: "localhost", resuming: ticket)
        self.engine = engine
    }

    var failure: String { engine.lastFailure.reason }

    func receive(_ bytes: [UInt8]) -> TLSProgress {
        engine.receive(&session, bytes.span, plaintext: &plain, outgoing: &outgoing)
    }

    func send(_ bytes: [UInt8]) { _ = engine.send(&session, bytes.span, outgoing: &outgoing) }

    func takePlain() -> [UInt8] { Self.take(&plain) }
    func takeWire() -> [UInt8] { Self.take(&outgoing) }

    private static func take(_ buffer: inout ByteBuffer) -> [UInt8] {
        let taken = copy(buffer)
        buffer.consume(taken.count)
        return taken
    }

    private static func copy(_ buffer: borrowing ByteBuffer) -> [UInt8] {
        buffer.span.withUnsafeBufferPointer { Array($0) }
    }
}

/// The text that a GET of `path` on a connection of its own is answered with.
func ask(_ path: String, _ address: SocketAddress, tls: TLSClientContext? = nil) throws -> String {
    let client = try Client(address, tls: tls)
    client.send("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
    return try client.response().text
}
