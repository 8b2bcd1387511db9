import Glibc
import HTTP
import Kernel
import Reactor
import Synchronization
import TestSupport

/// An HTTP/2 server that responds to every stateless call, except for one kind of fault. It serves one connection at a
/// time.
final class HTTP2Peer: Sendable {
    enum Fault: Sendable {
        /// RST_STREAM(INTERNAL_ERROR) for every n-th call.
        case resetsEvery(Int)
        /// No response to every n-th call.
        case ignoresEvery(Int)
        /// After n calls on a connection a GOAWAY, which excludes all later streams.
        case sendsGoAwayAfter(Int)
    }

    let address: SocketAddress
    private let fault: Fault
    private let listener: CInt
    private let isStopping = Atomic(false)
    /// How often each JSON-RPC id was answered, how many requests were not processed, and the number of connections.
    private let record = Mutex<(answered: [String: Int], unprocessed: Int, connections: Int)>(([:], 0, 0))

    init(_ fault: Fault) throws {
        let descriptor = try Socket.listen(on: .loopback(port: 0), shared: false)
        guard let address = Socket.localAddress(descriptor) else { throw SystemError("getsockname", code: errno) }
        self.fault = fault
        self.address = address
        listener = descriptor.raw
        try Thread(named: "peer") { [self] in
            while !isStopping.load(ordering: .acquiring) {
                guard ready(listener, CInt(POLLIN), milliseconds: 20) else { continue }
                let socket = accept(listener, nil, nil)
                if socket >= 0 { serve(socket) }
            }
            close(listener)
        }.detach()
    }

    func stop() { isStopping.store(true, ordering: .releasing) }

    var answered: [String: Int] { record.withLock { $0.answered } }
    var unprocessed: Int { record.withLock { $0.unprocessed } }
    var connections: Int { record.withLock { $0.connections } }

    private func serve(_ socket: CInt) {
        defer { close(socket) }
        record.withLock { $0.connections += 1 }
        var limits = HTTP2Limits()
        limits.resets = HTTP2Rate(perSecond: 1_000_000, burst: 1_000_000)
        guard var session = HTTP2Session(limits: limits, now: .now()) else { return }
        var events = HTTP2Events()
        var bodies: [Int32: [UInt8]] = [:]
        var calls = 0
        var isDraining = false
        while !isStopping.load(ordering: .acquiring) {
            guard var input = receive(socket) else { return }
            if input.isEmpty { continue }
            while !input.isEmpty, session.receive(&input, now: .now(), events: &events) {}
            for index in 0..<events.count {
                switch events[index] {
                case .data(let stream, let range):
                    for byte in range.range { bodies[stream, default: []].append(events.bytes.span[byte]) }
                    session.consumed(stream: stream, Int(range.count))
                case .requestEnd(let stream, _):
                    let body = bodies.removeValue(forKey: stream) ?? []
                    if isDraining {
                        record.withLock { $0.unprocessed += 1 }
                        continue
                    }
                    calls += 1
                    answer(&session, stream, body, number: calls)
                    if case .sendsGoAwayAfter(calls) = fault {
                        isDraining = true
                        send(&session, socket)
                        TestSocket.send(goAway(last: stream), to: socket)
                    }
                default: break
                }
            }
            events.removeAll()
            if !isDraining { send(&session, socket) }
        }
    }

    private func answer(_ session: inout HTTP2Session, _ stream: Int32, _ body: [UInt8], number: Int) {
        switch fault {
        case .resetsEvery(let count) where number % count == 0:
            return session.reset(stream: stream, code: .internalError)
        case .ignoresEvery(let count) where number % count == 0: return
        default: break
        }
        let text = String(decoding: body, as: UTF8.self)
        let id = String(text.split(separator: "\"id\":")[1].prefix { $0.isNumber })
        record.withLock { $0.answered[id, default: 0] += 1 }
        var head = ByteBuffer()
        head.append("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")
        _ = session.respond(stream: stream, head: head, 0..<head.count, endsStream: false)
        var message = ByteBuffer()
        message.append(
            Array(
                """
                {"jsonrpc":"2.0","id":\(id),"result":{"resultType":"complete",\
                "content":[{"type":"text","text":"ok"}],"isError":false}}
                """.utf8))
        _ = session.write(stream: stream, message, 0..<message.count)
        session.endResponse(stream: stream)
    }

    private func send(_ session: inout HTTP2Session, _ socket: CInt) {
        var outgoing = ByteBuffer()
        var events = HTTP2Events()
        session.send(into: &outgoing, limit: 1 << 30, events: &events)
        var bytes: [UInt8] = []
        for index in 0..<outgoing.count { bytes.append(outgoing.span[index]) }
        TestSocket.send(bytes, to: socket)
    }

    /// A GOAWAY frame with NO_ERROR (RFC 9113 section 6.8).
    private func goAway(last: Int32) -> [UInt8] {
        [0, 0, 8, 7, 0, 0, 0, 0, 0] + (0..<4).map { UInt8(truncatingIfNeeded: last >> (24 - 8 * $0)) } + [0, 0, 0, 0]
    }

    /// The bytes received within 20 ms, perhaps none; nil at the end.
    private func receive(_ socket: CInt) -> ByteBuffer? {
        var buffer = ByteBuffer()
        guard ready(socket, CInt(POLLIN), milliseconds: 20) else { return buffer }
        var space = [UInt8](repeating: 0, count: 65_536)
        let count = recv(socket, &space, space.count, 0)
        guard count > 0 else { return nil }
        buffer.append(space.span.extracting(0..<count))
        return buffer
    }

    private func ready(_ socket: CInt, _ what: CInt, milliseconds: CInt) -> Bool {
        var poll = pollfd(fd: socket, events: Int16(what), revents: 0)
        return Glibc.poll(&poll, 1, milliseconds) == 1
    }
}
