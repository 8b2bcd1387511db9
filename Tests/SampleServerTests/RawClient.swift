import Glibc
import Kernel
import TestSupport

/// A client that sends exactly the bytes of a test and waits with a deadline.
final class RawClient {
    struct Response: Equatable {
        var status = 0
        /// Names in lower case.
        var fields: [String: String] = [:]
        var body = ""
    }

    enum Failure: Error {
        case refused
        case timedOut(String)
        case closed(String)
        case unreadable(String)
    }

    private let socket: CInt
    private var received: [UInt8] = []
    private var isOpen = true
    private static let timeout = Interval.seconds(60)

    init(_ address: SocketAddress, receiveBuffer: CInt = 0) throws {
        do {
            socket = try TestSocket.connect(to: address, receiveBuffer: receiveBuffer)
        } catch {
            throw Failure.refused
        }
    }

    deinit { close() }

    func close(reset: Bool = false) {
        guard isOpen else { return }
        isOpen = false
        TestSocket.close(socket, reset: reset)
    }

    func finish() { shutdown(socket, CInt(SHUT_WR)) }

    func send(_ text: String) { send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) { TestSocket.send(bytes, to: socket) }

    /// The next response, with its whole body.
    func response(toHead: Bool = false) throws -> Response {
        var response = try head()
        if toHead || response.status == 204 { return response }
        if response.fields["transfer-encoding"] == "chunked" {
            while let chunk = try chunk() { response.body += chunk }
        } else if let length = response.fields["content-length"].flatMap({ Int($0) }) {
            response.body = try take(length)
        }
        return response
    }

    /// The next response's head alone.
    func head() throws -> Response {
        let text = try take(through: "\r\n\r\n")
        let lines = text.split(separator: "\r\n")
        guard let first = lines.first, first.hasPrefix("HTTP/1.1 "), let status = Int(first.dropFirst(9).prefix(3))
        else { throw Failure.unreadable(text) }
        var response = Response(status: status)
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { throw Failure.unreadable(text) }
            response.fields[line[..<colon].lowercased()] = String(line[line.index(colon, offsetBy: 2)...])
        }
        return response
    }

    /// The next chunk of a chunked body; nil at its end.
    func chunk() throws -> String? {
        let line = try take(through: "\r\n")
        // Compared by bytes, because CR LF is one Character.
        guard let size = Int(String(line.utf8.dropLast(2)) ?? "", radix: 16) else { throw Failure.unreadable(line) }
        let text = try take(size + 2)
        return size == 0 ? nil : String(text.utf8.dropLast(2))
    }

    /// The data of the next event on an event stream; nil at its end. This server sends each event in a chunk.
    func event() throws -> String? {
        guard let text = try chunk() else { return nil }
        guard let data = text.split(separator: "\r\n").first(where: { $0.hasPrefix("data: ") }),
            text.hasSuffix("\r\n\r\n")
        else { throw Failure.unreadable(text) }
        return String(data.dropFirst(6))
    }

    /// Waits for the server to close. Throws if it sends more bytes or does not close.
    func expectClosed() throws {
        guard received.isEmpty else { throw Failure.unreadable(String(decoding: received, as: UTF8.self)) }
        let deadline = Instant.now() + RawClient.timeout
        do { try receive(deadline) } catch Failure.closed { return }
        throw Failure.unreadable(String(decoding: received, as: UTF8.self))
    }

    /// Whether the server sends bytes within `milliseconds`.
    func receives(within milliseconds: CInt) -> Bool {
        var poll = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        return !received.isEmpty || Glibc.poll(&poll, 1, milliseconds) == 1
    }

    /// Reads the rest of a body without storing it. Returns whether every byte is as `expected`.
    func skip(_ count: Int, expecting expected: (Int) -> UInt8) throws -> Bool {
        var position = 0
        var matches = true
        while position < count {
            if received.isEmpty { try receive(Instant.now() + RawClient.timeout) }
            let part = min(received.count, count - position)
            for index in 0..<part where received[index] != expected(position + index) { matches = false }
            received.removeFirst(part)
            position += part
        }
        return matches
    }

    func take(_ count: Int) throws -> String {
        let deadline = Instant.now() + RawClient.timeout
        while received.count < count { try receive(deadline) }
        defer { received.removeFirst(count) }
        return String(decoding: received.prefix(count), as: UTF8.self)
    }

    func take(through mark: String) throws -> String {
        let (deadline, mark) = (Instant.now() + RawClient.timeout, Array(mark.utf8))
        var start = 0
        while true {
            while start + mark.count <= received.count {
                if received[start..<start + mark.count].elementsEqual(mark) { return try take(start + mark.count) }
                start += 1
            }
            try receive(deadline)
        }
    }

    private func receive(_ deadline: Instant) throws {
        let left = deadline - .now()
        var poll = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        guard Glibc.poll(&poll, 1, CInt(clamping: left.nanoseconds / 1_000_000)) == 1 else {
            throw Failure.timedOut(String(decoding: received.prefix(200), as: UTF8.self))
        }
        var space = [UInt8](repeating: 0, count: 65_536)
        let count = recv(socket, &space, space.count, 0)
        guard count > 0 else { throw Failure.closed(String(decoding: received.prefix(200), as: UTF8.self)) }
        received += space.prefix(count)
    }
}
