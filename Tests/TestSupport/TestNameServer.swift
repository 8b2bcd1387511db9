import Glibc
package import Kernel
import Synchronization

/// A small authoritative name server on loopback, over UDP and TCP, whose answers a test chooses, and spoils.
package final class TestNameServer: Sendable {
    /// What becomes of questions.
    package enum Behaviour: Sendable, Equatable {
        /// They are answered; what is too large for a datagram, over TCP.
        case answers
        /// Nobody answers.
        case loses
        /// They are answered this much later.
        case delays(Interval)
        /// The answer has no records.
        case empty
        /// There is no such name.
        case notFound
        /// The server has failed.
        case fails
        /// Answers are truncated, and connections over TCP close without a word.
        case truncates
        /// The answer is these bytes, behind the id of the question.
        case garbage([UInt8])
    }

    /// What is answered.
    package struct Zone: Sendable {
        /// Of each name that is not in `hosts`.
        package var addresses: [SocketAddress] = []
        package var hosts: [String: [SocketAddress]] = [:]
        package var services: [DNSService] = []
        /// Whether the addresses of services stand beside their answer.
        package var adds = true
        package var ttl: UInt32 = 1
        package var behaviour = Behaviour.answers
    }

    private struct Late {
        let at: Instant
        let bytes: [UInt8]
        let peer: sockaddr_in
    }

    /// Where it takes questions.
    package let address: SocketAddress
    private let zone = Mutex(Zone())
    private let asked = Mutex<[String: Int]>([:])
    private let datagrams: CInt
    private let listener: CInt
    private let isStopped = Atomic(false)
    private let wake: Wake

    /// Starts a name server at a port that the kernel chooses.
    package init() throws(SystemError) {
        wake = try Wake()
        listener = try Socket.listen(on: .loopback(port: 0), shared: false).raw
        guard let bound = Socket.localAddress(Descriptor(listener)) else { throw SystemError("getsockname", code: EIO) }
        address = bound
        datagrams = socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0)
        var place = Self.raw(bound)
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafePointer(to: &place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(datagrams, $0, size) }
        }
        guard code == 0 else { throw SystemError("bind", code: errno) }
        try Thread(named: "name-server") { [self] in run() }.detach()
    }

    private static func raw(_ address: SocketAddress) -> sockaddr_in {
        var storage = address.storage.0
        return withUnsafeBytes(of: &storage) { $0.loadUnaligned(as: sockaddr_in.self) }
    }

    /// Ends it.
    package func stop() {
        isStopped.store(true, ordering: .releasing)
        wake.ring()
    }

    /// Answers otherwise from here on.
    package func change(_ change: (inout Zone) -> Void) { zone.withLock { change(&$0) } }

    /// How often a question was asked, named by its type and name, as in "A mcp.test".
    package func count(_ question: String) -> Int { asked.withLock { $0[question] ?? 0 } }
    /// How often anything was asked.
    package var questions: Int { asked.withLock { $0.values.reduce(0, +) } }

    // MARK: - On its thread

    private func run() {
        var late: [Late] = []
        while !isStopped.load(ordering: .acquiring) {
            var polled = [datagrams, listener, wake.descriptor.raw].map {
                pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
            }
            let next = late.map(\.at).min().map { ($0 - .now()).nanoseconds / 1_000_000 + 1 }
            _ = poll(&polled, nfds_t(polled.count), next.map { CInt(clamping: $0) } ?? -1)
            if polled[0].revents != 0 { receive(&late) }
            if polled[1].revents != 0 { accept() }
            let due = late.filter { $0.at <= .now() }
            late.removeAll { $0.at <= .now() }
            for answer in due { send(answer.bytes, to: answer.peer) }
        }
        close(datagrams)
        close(listener)
    }

    private func receive(_ late: inout [Late]) {
        var peer = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        var query = [UInt8](repeating: 0, count: 4_096)
        let count = withUnsafeMutablePointer(to: &peer) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                recvfrom(datagrams, &query, query.count, 0, $0, &size)
            }
        }
        guard count > 12 else { return }
        query.removeLast(query.count - count)
        guard let answer = answer(query, isDatagram: true) else { return }
        if case .delays(let time) = zone.withLock({ $0.behaviour }) {
            late.append(Late(at: .now() + time, bytes: answer, peer: peer))
        } else {
            send(answer, to: peer)
        }
    }

    private func send(_ bytes: [UInt8], to peer: sockaddr_in) {
        var peer = peer
        withUnsafePointer(to: &peer) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = sendto(datagrams, bytes, bytes.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    /// Answers one question on a connection.
    private func accept() {
        let connection = Glibc.accept(listener, nil, nil)
        guard connection >= 0 else { return }
        defer { close(connection) }
        var time = timeval(tv_sec: 2, tv_usec: 0)
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        var length = [UInt8](repeating: 0, count: 2)
        guard recv(connection, &length, 2, CInt(MSG_WAITALL)) == 2 else { return }
        var query = [UInt8](repeating: 0, count: Int(length[0]) << 8 | Int(length[1]))
        guard recv(connection, &query, query.count, CInt(MSG_WAITALL)) == query.count,
            let answer = answer(query, isDatagram: false)
        else { return }
        TestSocket.send([UInt8(answer.count >> 8), UInt8(answer.count & 255)] + answer, to: connection)
    }

    private func answer(_ query: [UInt8], isDatagram: Bool) -> [UInt8]? {
        guard let question = DNSQuestion(query), var encoder = DNSEncoder(answering: query) else { return nil }
        let type = [1: "A", 28: "AAAA", 33: "SRV"][question.type] ?? "\(question.type)"
        if isDatagram { asked.withLock { $0["\(type) \(question.name)", default: 0] += 1 } }
        let zone = zone.withLock { $0 }
        switch zone.behaviour {
        case .loses: return nil
        case .empty: return encoder.bytes
        case .garbage(let bytes): return Array(query[..<2]) + bytes
        case .notFound, .fails:
            encoder.setCode(zone.behaviour == .notFound ? 3 : 2)
            return encoder.bytes
        case .truncates:
            guard isDatagram else { return nil }
            encoder.setTruncated()
            return encoder.bytes
        case .answers, .delays: break
        }
        let empty = encoder
        zone.write(question, &encoder)
        guard isDatagram, encoder.bytes.count > 512 else { return encoder.bytes }
        encoder = empty
        encoder.setTruncated()
        return encoder.bytes
    }
}

extension TestNameServer.Zone {
    /// Appends the records that answer a question.
    fileprivate func write(_ question: DNSQuestion, _ encoder: inout DNSEncoder) {
        guard question.type != 33 else {
            for service in services { encoder.append(service: service, ttl: ttl) }
            guard adds else { return }
            for service in services {
                for address in hosts[service.target] ?? [] {
                    encoder.append(address, owner: service.target, ttl: ttl, isAdditional: true)
                }
            }
            return
        }
        for address in hosts[question.name] ?? addresses where address.isIPv4 == (question.type == 1) {
            encoder.append(address, ttl: ttl)
        }
    }
}
