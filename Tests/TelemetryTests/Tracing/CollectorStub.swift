import Glibc
import Kernel
import Synchronization
import TestSupport

/// A collector that answers what a test tells it to, on a thread of its own.
final class CollectorStub: Sendable {
    /// What it does with a request.
    enum Behaviour: Sendable {
        case answer(String)
        /// Reads nothing and says nothing.
        case hang
    }

    let port: UInt16
    private let listener: CInt
    private let bodies = Mutex<[[UInt8]]>([])
    private let heads = Mutex<[String]>([])

    /// One behaviour for each connection, the last for all that follow.
    init(_ behaviours: [Behaviour]) throws {
        let descriptor = try Socket.listen(on: .loopback(port: 0), shared: false)
        guard let address = Socket.localAddress(descriptor) else { throw SystemError("getsockname", code: 0) }
        port = address.port
        listener = descriptor.raw
        try Thread(named: "collector") { [self] in run(behaviours) }.detach()
    }

    /// Bodies of requests, in the order in which they came.
    var requests: [[UInt8]] { bodies.withLock { $0 } }
    /// Their heads.
    var requestHeads: [String] { heads.withLock { $0 } }

    func stop() {
        shutdown(listener, CInt(SHUT_RDWR))
    }

    private func run(_ behaviours: [Behaviour]) {
        var served = 0
        var open: [CInt] = []
        while let client = Self.accept(listener) {
            switch behaviours[min(served, behaviours.count - 1)] {
            case .hang: open.append(client)
            case .answer(let response):
                serve(client, response)
                Glibc.close(client)
            }
            served += 1
        }
        for client in open { Glibc.close(client) }
        Glibc.close(listener)
    }

    /// Waits for a connection; nil once it was stopped.
    private static func accept(_ listener: CInt) -> CInt? {
        while true {
            var ready = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
            poll(&ready, 1, -1)
            let client = Glibc.accept(listener, nil, nil)
            if client >= 0 { return client }
            if errno != EAGAIN && errno != EINTR && errno != ECONNABORTED { return nil }
        }
    }

    private func serve(_ client: CInt, _ response: String) {
        var received: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(client, &chunk, chunk.count, 0)
            guard count > 0 else { return }
            received += chunk[..<count]
            guard let end = Self.end(of: received) else { continue }
            let head = String(decoding: received[..<end], as: UTF8.self)
            let length = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
                .flatMap { Int($0.dropFirst(15).filter { $0 != " " }) }
            guard let length, received.count >= end + 4 + length else { continue }
            heads.withLock { $0.append(head) }
            bodies.withLock { $0.append(Array(received[(end + 4)...])) }
            TestSocket.send(Array(response.utf8), to: client)
            return
        }
    }

    private static func end(of bytes: [UInt8]) -> Int? {
        let mark = Array("\r\n\r\n".utf8)
        guard bytes.count >= 4 else { return nil }
        return (0...bytes.count - 4).first { Array(bytes[$0..<$0 + 4]) == mark }
    }
}
