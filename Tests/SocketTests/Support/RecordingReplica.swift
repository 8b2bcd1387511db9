import Glibc
import Kernel
import Synchronization
import TestSupport

/// A step of a replica's answer to a request.
enum ReplicaStep: Sendable {
    case send([UInt8])
    /// The first bytes of `Pattern`, as many as given.
    case pattern(Int)
    /// The same in chunks of 32 KiB, the last chunk included.
    case chunkedPattern(Int)
    /// Sends FIN.
    case close
    /// Sends RST.
    case reset

    static func text(_ text: String) -> ReplicaStep { .send(Array(text.utf8)) }

    /// A complete response with a text body.
    static func answer(_ body: String, status: String = "200 OK", fields: String = "") -> ReplicaStep {
        .text("HTTP/1.1 \(status)\r\ncontent-length: \(body.utf8.count)\r\n\(fields)\r\n\(body)")
    }

    static let eventStreamHead = ReplicaStep.text(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")

    /// An event in a chunk of its own.
    static func event(_ data: String) -> ReplicaStep {
        let event = "data: \(data)\n\n"
        return .text("\(String(event.utf8.count, radix: 16))\r\n\(event)\r\n")
    }
}

/// A server that records every byte of each connection and answers by a script.
///
/// It has one thread with poll(2), which sends the script and the steps of tests as the sockets accept them.
final class RecordingReplica: Sendable {
    typealias Script = @Sendable (RecordedRequest) -> [ReplicaStep]

    /// One accepted connection.
    private struct Connection {
        let socket: CInt
        var received: [UInt8] = []
        var reader = RequestReader()
        var steps: [ReplicaStep] = []
        var outgoing: [UInt8] = []
        var sent = 0
        var patternOffset = 0
        var total = 0
        var hasEnded = false
        var isClosed = false

        var isSending: Bool { !isClosed && (sent < outgoing.count || !steps.isEmpty) }
    }

    private struct State {
        var connections: [Connection] = []
        var requests: [RecordedRequest] = []
        var isStopped = false
        var isListening = true
        var script: Script
    }

    let address: SocketAddress
    private let listener: CInt
    private let wake: (read: CInt, write: CInt)
    private let state: Mutex<State>

    init(_ script: @escaping Script = { _ in [.answer("ok")] }) throws {
        let descriptor = try Socket.listen(on: .loopback(port: 0), shared: false)
        listener = descriptor.raw
        guard let address = Socket.localAddress(descriptor) else { throw TimedOut(description: "no local address") }
        self.address = address
        var pair: [CInt] = [0, 0]
        guard pipe(&pair) == 0 else { throw TimedOut(description: "no pipe") }
        wake = (pair[0], pair[1])
        state = Mutex(State(script: script))
        try Kernel.Thread(named: "replica") { [self] in run() }.detach()
    }

    /// Removes the records of closed connections and answers by `script` from now on.
    func reset(_ script: Script? = nil) {
        state.withLock { state in
            state.requests = []
            for index in state.connections.indices where state.connections[index].isClosed {
                state.connections[index].received = []
            }
            if let script { state.script = script }
        }
    }

    /// All complete requests so far, in the order of their completion.
    var requests: [RecordedRequest] { state.withLock { $0.requests } }

    /// The bytes of all connections that belong to no complete request.
    var leftovers: [[UInt8]] {
        state.withLock { state in
            state.connections.map { Array($0.received.dropFirst($0.reader.consumed)) }.filter { !$0.isEmpty }
        }
    }

    /// The number of connections accepted so far.
    var accepted: Int { state.withLock { $0.connections.count } }

    /// The number of connections that are open on both sides.
    var open: Int { state.withLock { $0.connections.count { !$0.isClosed && !$0.hasEnded } } }

    func hasEnded(_ connection: Int) -> Bool {
        state.withLock { $0.connections[connection].hasEnded || $0.connections[connection].isClosed }
    }

    /// Whether a connection has sent all bytes of its script.
    func isIdle(_ connection: Int) -> Bool { state.withLock { !$0.connections[connection].isSending } }

    /// The number of bytes that a connection's socket has accepted.
    func bytesSent(_ connection: Int) -> Int { state.withLock { $0.connections[connection].total } }

    /// Runs a step on an open connection.
    func push(_ steps: ReplicaStep..., to connection: Int) {
        state.withLock { $0.connections[connection].steps += steps }
        wakeThread()
    }

    /// Sends the same bytes on all open connections.
    func pushToAll(_ step: ReplicaStep) {
        state.withLock { state in
            for index in state.connections.indices where !state.connections[index].isClosed {
                state.connections[index].steps.append(step)
            }
        }
        wakeThread()
    }

    /// Closes the listener and all connections.
    func kill() {
        state.withLock { state in
            for index in state.connections.indices { close(&state.connections[index]) }
            if state.isListening {
                // The thread's poll(2) holds the socket open beyond its close, and it would go on to take connections.
                Glibc.shutdown(listener, CInt(SHUT_RDWR))
                Glibc.close(listener)
            }
            state.isListening = false
        }
        wakeThread()
    }

    func stop() {
        kill()
        state.withLock { $0.isStopped = true }
        wakeThread()
    }

    private func wakeThread() {
        var byte: UInt8 = 1
        _ = write(wake.write, &byte, 1)
    }

    // MARK: - The thread

    private func run() {
        var space = [UInt8](repeating: 0, count: 65_536)
        var polled: [pollfd] = []
        var owners: [Int] = []
        while true {
            let isStopped = state.withLock { state in
                polled = [pollfd(fd: wake.read, events: Int16(POLLIN), revents: 0)]
                owners = [-1]
                if state.isListening {
                    polled.append(pollfd(fd: listener, events: Int16(POLLIN), revents: 0))
                    owners.append(-2)
                }
                for index in state.connections.indices where !state.connections[index].isClosed {
                    var events = state.connections[index].hasEnded ? 0 : POLLIN
                    if state.connections[index].isSending { events |= POLLOUT }
                    polled.append(
                        pollfd(fd: state.connections[index].socket, events: Int16(events), revents: 0))
                    owners.append(index)
                }
                return state.isStopped
            }
            guard !isStopped else {
                Glibc.close(wake.read)
                Glibc.close(wake.write)
                return
            }
            guard poll(&polled, UInt(polled.count), 1_000) >= 0 || errno == EINTR else { return }
            for (owner, entry) in zip(owners, polled) where entry.revents != 0 {
                serve(owner, entry.revents, &space)
            }
        }
    }

    private func serve(_ owner: Int, _ events: Int16, _ space: inout [UInt8]) {
        switch owner {
        case -1: _ = read(wake.read, &space, space.count)
        case -2: acceptAll()
        default:
            state.withLock { state in
                guard !state.connections[owner].isClosed else { return }
                if events & Int16(POLLIN | POLLHUP | POLLERR) != 0 { receive(owner, &state, &space) }
                send(&state.connections[owner])
            }
        }
    }

    private func acceptAll() {
        state.withLock { state in
            while state.isListening {
                let socket = accept(listener, nil, nil)
                guard socket >= 0 else { return }
                _ = fcntl(socket, F_SETFL, O_NONBLOCK)
                _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
                state.connections.append(Connection(socket: socket))
            }
        }
    }

    private func receive(_ index: Int, _ state: inout State, _ space: inout [UInt8]) {
        while !state.connections[index].isClosed {
            let count = recv(state.connections[index].socket, &space, space.count, 0)
            if count < 0, errno == EAGAIN { break }
            guard count > 0 else {
                state.connections[index].hasEnded = true
                if count < 0 || state.connections[index].steps.isEmpty { close(&state.connections[index]) }
                break
            }
            state.connections[index].received += space.prefix(count)
        }
        while true {
            let received = state.connections[index].received
            guard let request = state.connections[index].reader.next(in: received, connection: index) else { return }
            state.requests.append(request)
            state.connections[index].steps += state.script(request)
        }
    }

    private func send(_ connection: inout Connection) {
        while !connection.isClosed {
            guard connection.sent < connection.outgoing.count || prepare(&connection) else { return }
            let count = connection.outgoing.withUnsafeBytes {
                Glibc.send(
                    connection.socket, $0.baseAddress.map { $0 + connection.sent }, $0.count - connection.sent,
                    CInt(MSG_NOSIGNAL))
            }
            guard count > 0 else {
                if errno != EAGAIN { close(&connection) }
                return
            }
            connection.sent += count
            connection.total += count
        }
    }

    /// Appends the next step's bytes to `outgoing`. False if there are none now.
    private func prepare(_ connection: inout Connection) -> Bool {
        connection.outgoing.removeAll(keepingCapacity: true)
        connection.sent = 0
        guard let step = connection.steps.first else { return false }
        switch step {
        case .send(let bytes):
            connection.steps.removeFirst()
            connection.outgoing += bytes
        case .pattern(let count):
            appendPattern(min(count, 32_768), to: &connection)
            replaceFirst(of: &connection, with: count > 32_768 ? .pattern(count - 32_768) : nil)
        case .chunkedPattern(let count):
            let part = min(count, 32_768)
            connection.outgoing += "\(String(part, radix: 16))\r\n".utf8
            appendPattern(part, to: &connection)
            connection.outgoing += "\r\n".utf8
            if count <= 32_768 { connection.outgoing += "0\r\n\r\n".utf8 }
            replaceFirst(of: &connection, with: count > 32_768 ? .chunkedPattern(count - 32_768) : nil)
        case .close:
            close(&connection)
            return false
        case .reset:
            TestSocket.makeReset(connection.socket)
            close(&connection)
            return false
        }
        return !connection.outgoing.isEmpty || prepare(&connection)
    }

    private func replaceFirst(of connection: inout Connection, with step: ReplicaStep?) {
        if let step {
            connection.steps[0] = step
        } else {
            connection.steps.removeFirst()
            connection.patternOffset = 0
        }
    }

    private func appendPattern(_ count: Int, to connection: inout Connection) {
        let phase = connection.patternOffset % Pattern.period
        connection.outgoing += Pattern.bytes[phase..<phase + count]
        connection.patternOffset += count
    }

    private func close(_ connection: inout Connection) {
        guard !connection.isClosed else { return }
        connection.isClosed = true
        connection.steps = []
        Glibc.close(connection.socket)
    }
}
