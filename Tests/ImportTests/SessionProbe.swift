import Foundation
import Glibc
import Kernel
import TestSupport

/// Clients of MCP that tell whether their sessions stay whole: each makes a session, and each of its requests comes over a
/// connection of its own.
struct SessionProbe {
    /// The proxy's address.
    let address: SocketAddress
    /// The URL's host, as in the request.
    var host = "mcp.example.com"
    /// What stands before /mcp, or before /sse.
    var prefix = ""
    /// Calls of each session.
    var calls = 4

    private struct Failed: Error {}

    /// How many of so many sessions are answered by one server, which counts all of their calls.
    func wholeSessions(of count: Int) -> Int {
        (0..<count).count { _ in (try? session()) ?? false }
    }

    /// The same with HTTP+SSE, whose answers come on the stream that opens a session.
    func wholeLegacySessions(of count: Int) -> Int {
        (0..<count).count { _ in (try? legacySession()) ?? false }
    }

    // MARK: - Streamable HTTP

    private func session() throws -> Bool {
        let opening = try post("\(prefix)/mcp", Self.initialize)
        guard opening.status == 200, let id = opening.field("mcp-session-id") else { return false }
        let fields = "Mcp-Session-Id: \(id)\r\nMCP-Protocol-Version: 2025-06-18\r\n"
        guard try post("\(prefix)/mcp", Self.initialized, fields).status == 202 else { return false }
        var server = ""
        for number in 1...calls {
            let answer = try post("\(prefix)/mcp", Self.call(number), fields)
            guard answer.status == 200, let found = Self.answer(in: answer.text, number) else { return false }
            if server.isEmpty { server = found }
            guard found == server else { return false }
        }
        return true
    }

    private static let initialize = """
        {"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},\
        "clientInfo":{"name":"probe","version":"1"}}}
        """
    private static let initialized = #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#

    private static func call(_ number: Int) -> String {
        #"{"jsonrpc":"2.0","id":\#(number),"method":"tools/call","params":{"name":"whoami","arguments":{}}}"#
    }

    /// The server that answered the call of a number, if it is that call of the session.
    private static func answer(in text: String, _ number: Int) -> String? {
        guard let start = text.firstRange(of: #"\"replica\":\""#), text.contains(#"\"calls\":\#(number)}"#) else {
            return nil
        }
        return String(text[start.upperBound...].prefix { $0 != "\\" })
    }

    private func post(_ path: String, _ body: String, _ fields: String = "") throws -> Response {
        let connection = try Connection(address)
        connection.send(
            "POST \(path) HTTP/1.1\r\nHost: \(host)\r\nContent-Type: application/json\r\n"
                + "Accept: application/json, text/event-stream\r\nConnection: close\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
        )
        return try connection.response()
    }

    // MARK: - HTTP+SSE

    private func legacySession() throws -> Bool {
        let stream = try Connection(address)
        stream.send("GET \(prefix)/sse HTTP/1.1\r\nHost: \(host)\r\nAccept: text/event-stream\r\n\r\n")
        var seen = ""
        let path = try stream.line(after: "data: ", in: &seen) { $0.contains("/messages") }
        for (number, body) in [Self.initialize, Self.initialized].enumerated() {
            guard try post(path, body).status == 202 else { return false }
            if number == 0 { _ = try stream.line(after: "data: ", in: &seen) { $0.contains("\"id\":0") } }
        }
        var server = ""
        for number in 1...calls {
            guard try post(path, Self.call(number)).status == 202 else { return false }
            let line = try stream.line(after: "data: ", in: &seen) { $0.contains("\"id\":\(number)") }
            guard let found = Self.answer(in: line, number) else { return false }
            if server.isEmpty { server = found }
            guard found == server else { return false }
        }
        return true
    }

    // MARK: - HTTP

    struct Response {
        var status = 0
        var head = ""
        var text = ""

        func field(_ name: String) -> String? {
            let line = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix(name + ":") }
            return line.map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
        }
    }

    /// A blocking connection, whose reads end after ten seconds.
    final class Connection {
        private let socket: CInt
        private var unread = ""

        init(_ address: SocketAddress) throws {
            socket = try TestSocket.connect(to: address)
            var time = timeval(tv_sec: 10, tv_usec: 0)
            setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        }

        deinit { TestSocket.close(socket) }

        func send(_ text: String) { TestSocket.send(Array(text.utf8), to: socket) }

        /// Reads some more; false at the end.
        private func read(into text: inout String) throws -> Bool {
            var space = [UInt8](repeating: 0, count: 16_384)
            let count = recv(socket, &space, space.count, 0)
            guard count >= 0 else { throw Failed() }
            text += String(decoding: space[..<count], as: UTF8.self)
            return count > 0
        }

        /// The response, to the end of the connection.
        func response() throws -> Response {
            var text = ""
            while try read(into: &text) {}
            guard let end = text.firstRange(of: "\r\n\r\n"), let status = Int(text.dropFirst(9).prefix(3)) else {
                throw Failed()
            }
            return Response(
                status: status, head: String(text[..<end.lowerBound]), text: String(text[end.upperBound...]))
        }

        /// The next line of a stream that begins with some text and is the right one, without that beginning.
        func line(after start: String, in seen: inout String, where isRight: (String) -> Bool) throws -> String {
            while true {
                while let end = seen.firstIndex(where: { $0.isNewline }) {
                    let line = String(seen[..<end])
                    seen = String(seen[seen.index(after: end)...])
                    if line.hasPrefix(start), isRight(line) { return String(line.dropFirst(start.count)) }
                }
                guard try read(into: &seen) else { throw Failed() }
            }
        }
    }
}
