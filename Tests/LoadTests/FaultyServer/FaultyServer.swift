import Glibc
import Kernel
import Synchronization
import TestSupport

/// An MCP server over HTTP/1.1 that tells the truth but for one kind of lie, every few calls.
final class FaultyServer: Sendable {
    enum Fault: String, Sendable, CaseIterable {
        case none
        /// Another call's id.
        case foreignID
        /// The id of a call answered before.
        case oldID
        case otherReplica
        case skipsCount
        /// The same response twice.
        case twice
        case toolError, rpcError
        case notJSON
        case otherSession
        case otherType
        /// 202 where an answer is due.
        case acceptsOnly
        case echoesOther
        case shortText, wrongLetter
        case skipsEvent, repeatsEvent
        /// 404, once, for a session that is alive.
        case denies
        // What fails without being wrong.
        /// No answer at all.
        case silence
        /// Ends the connection in the middle of an answer.
        case truncates
        /// 404 for every call of a session that has made a few.
        case forgets
        /// 503.
        case overload
        /// Not HTTP.
        case gibberish
        /// Ends an event stream.
        case endsStream
        /// 405 for an event stream.
        case hasNoStreams
    }

    private struct State {
        var sessions: [String: Int] = [:]
        var lies = 0
        var calls = 0
        var last = "0"
    }

    let address: SocketAddress
    private let lie: Fault
    private let listener: CInt
    private let stopping = Atomic(false)
    private let state = Mutex(State())
    private static let lieEvery = 7

    init(_ lie: Fault) throws {
        let descriptor = try Socket.listen(on: .loopback(port: 0), shared: false)
        address = Socket.localAddress(descriptor) ?? .loopback(port: 0)
        self.lie = lie
        listener = descriptor.raw
        try Thread(named: "liar") { [self] in
            while !isStopping {
                guard FaultyServer.isReady(listener) else { continue }
                let socket = accept(listener, nil, nil)
                guard socket >= 0 else { continue }
                try? Thread(named: "lie") { [self] in
                    serve(socket)
                    close(socket)
                }.detach()
            }
            close(listener)
        }.detach()
    }

    func stop() { stopping.store(true, ordering: .releasing) }

    /// Lies told.
    var lies: Int { state.withLock { $0.lies } }

    private var isStopping: Bool { stopping.load(ordering: .acquiring) }

    // MARK: HTTP

    private func serve(_ socket: CInt) {
        var buffer: [UInt8] = []
        while !isStopping {
            guard let request = FaultyServer.takeRequest(&buffer) else {
                guard FaultyServer.isReady(socket) else { continue }
                var block = [UInt8](repeating: 0, count: 65_536)
                let count = recv(socket, &block, block.count, 0)
                guard count > 0 else { return }
                buffer += block[..<count]
                continue
            }
            guard answer(request, socket) else { return }
        }
    }

    private struct Request {
        var head: String
        var body: String

        func field(_ name: String) -> String? {
            for line in head.split(separator: "\r\n").dropFirst() {
                let parts = line.split(separator: ":", maxSplits: 1)
                if parts[0].lowercased() == name { return String(parts[1].drop { $0 == " " }) }
            }
            return nil
        }

        var id: String { String(body.after("\"id\":").prefix { $0.isNumber }) }
        var tool: String { String(body.after("\"params\":{\"name\":\"").prefix { $0 != "\"" }) }
    }

    private static func takeRequest(_ buffer: inout [UInt8]) -> Request? {
        let end = Array("\r\n\r\n".utf8)
        guard let start = buffer.indices.first(where: { buffer[$0...].starts(with: end) }) else { return nil }
        var request = Request(head: String(decoding: buffer[..<start], as: UTF8.self), body: "")
        let length = request.field("content-length").flatMap { Int($0) } ?? 0
        guard buffer.count >= start + 4 + length else { return nil }
        request.body = String(decoding: buffer[(start + 4)..<(start + 4 + length)], as: UTF8.self)
        buffer.removeFirst(start + 4 + length)
        return request
    }

    private static func isReady(_ socket: CInt) -> Bool {
        var poll = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        return Glibc.poll(&poll, 1, 20) == 1
    }

    private func write(_ text: String, _ socket: CInt) { TestSocket.send(Array(text.utf8), to: socket) }

    private func response(
        _ body: String, status: String = "200 OK", session: String? = nil, type: String = "application/json"
    ) -> String {
        var head = "HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\n"
        if let session { head += "Mcp-Session-Id: \(session)\r\n" }
        return head + "\r\n" + body
    }

    // MARK: MCP

    /// Answers; false if the connection ends with that.
    private func answer(_ request: Request, _ socket: CInt) -> Bool {
        let session = request.field("mcp-session-id")
        if request.head.hasPrefix("GET "), lie == .hasNoStreams {
            state.withLock { $0.lies += 1 }
            write(response("", status: "405 Method Not Allowed"), socket)
            return true
        }
        if request.head.hasPrefix("GET ") {
            stream(session, socket)
            return false
        }
        if request.head.hasPrefix("DELETE ") {
            state.withLock { $0.sessions[session ?? ""] = nil }
            write(response("", session: session), socket)
            return true
        }
        if request.body.contains("\"initialize\"") {
            let fresh = state.withLock { state in
                let name = "session-\(state.sessions.count)-\(state.calls)-\(request.id)"
                state.sessions[name] = 0
                return name
            }
            write(response(result(request.id, "\"protocolVersion\":\"2025-06-18\""), session: fresh), socket)
        } else if request.body.contains("notifications/initialized") {
            write(response("", status: "202 Accepted", session: session), socket)
        } else if request.body.contains("tools/list") {
            write(response(result(request.id, "\"tools\":[]"), session: session), socket)
        } else {
            return answerCall(request, session, socket)
        }
        return true
    }

    private func result(_ id: String, _ inside: String) -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"result":{\#(inside)}}"#
    }

    private func content(_ text: String, isError: Bool = false) -> String {
        #""content":[{"type":"text","text":"\#(text)"}],"isError":\#(isError)"#
    }

    /// Whether the next call is lied to, and the number of its session's calls.
    private func countCall(_ session: String?, _ request: Request) -> (count: Int, lies: Bool, last: String) {
        state.withLock { state in
            state.calls += 1
            let isForTool = lie != .echoesOther || request.tool == "echo"
            var lies = state.calls % FaultyServer.lieEvery == 0
            if lie == .echoesOther { lies = isForTool }
            if lie == .forgets { lies = state.sessions[session ?? ""] ?? 0 >= 3 }
            // A session's first word on its replica is what the others are held against.
            if lie == .otherReplica {
                lies = lies && request.tool == "whoami" && state.sessions[session ?? ""] ?? 0 > 0
            }
            if lie == .none { lies = false }
            if lies { state.lies += 1 }
            // Whoever is denied has not been counted.
            if !(lies && (lie == .denies || lie == .forgets || lie == .overload)) {
                state.sessions[session ?? "", default: 0] += 1
            }
            if lies, lie == .skipsCount { state.sessions[session ?? "", default: 0] += 1 }
            defer { state.last = request.id }
            return (state.sessions[session ?? "", default: 0], lies, state.last)
        }
    }

    private func answerCall(_ request: Request, _ session: String?, _ socket: CInt) -> Bool {
        let (count, lies, last) = countCall(session, request)
        let told = lies ? lie : .none
        let replica = told == .otherReplica ? "b" : "a"
        var text = #"{\"replica\":\"\#(replica)\",\"calls\":\#(count)}"#
        if request.tool == "echo" { text = String(request.body.after("\"text\":\"").prefix { $0 != "\"" }) }
        if request.tool == "echo", told == .echoesOther { text = "9" + text.dropFirst() }
        if request.tool == "bytes" { text = letters(request, told) }
        let honest = response(result(request.id, content(text)), session: session)
        switch told {
        case .foreignID: write(response(result("9" + request.id.dropFirst(), content(text)), session: session), socket)
        case .oldID: write(response(result(last, content(text)), session: session), socket)
        case .twice: write(honest + honest, socket)
        case .toolError: write(response(result(request.id, content("no", isError: true)), session: session), socket)
        case .rpcError:
            write(
                response(#"{"jsonrpc":"2.0","id":\#(request.id),"error":{"code":-32000,"message":"no"}}"#), socket)
        case .notJSON: write(response("<html>Hello</html>", session: session), socket)
        case .otherSession: write(response(result(request.id, content(text)), session: "somebody-else"), socket)
        case .otherType:
            write(response(result(request.id, content(text)), session: session, type: "text/html"), socket)
        case .acceptsOnly: write(response("", status: "202 Accepted", session: session), socket)
        case .denies, .forgets: write(response("{}", status: "404 Not Found"), socket)
        case .overload: write(response("{}", status: "503 Service Unavailable"), socket)
        case .gibberish: write("Hello, this is not HTTP\r\n\r\n", socket)
        case .silence: break
        case .truncates:
            write(String(honest.dropLast(5)), socket)
            return false
        default: write(honest, socket)
        }
        return true
    }

    private func letters(_ request: Request, _ told: Fault) -> String {
        let count = Int(request.body.after("\"n\":").prefix { $0.isNumber }) ?? 0
        var letters = (0..<count).map { 97 + UInt8($0 % 26) }
        if told == .shortText { letters.removeLast() }
        if told == .wrongLetter { letters[count / 2] = 65 }
        return String(decoding: letters, as: UTF8.self)
    }

    /// Events every few milliseconds until the client goes.
    private func stream(_ session: String?, _ socket: CInt) {
        write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n", socket)
        if let session { write("Mcp-Session-Id: \(session)\r\n", socket) }
        write("Transfer-Encoding: chunked\r\n\r\n", socket)
        var number = 1
        while !isStopping {
            let isLie = number % FaultyServer.lieEvery == 0
            if isLie, lie == .endsStream {
                state.withLock { $0.lies += 1 }
                return write("0\r\n\r\n", socket)
            }
            if isLie, lie == .skipsEvent {
                number += 1
                state.withLock { $0.lies += 1 }
            }
            send(event: number, socket)
            if isLie, lie == .repeatsEvent {
                send(event: number, socket)
                state.withLock { $0.lies += 1 }
            }
            number += 1
            var poll = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            if Glibc.poll(&poll, 1, 5) == 1 { return }
        }
    }

    private func send(event number: Int, _ socket: CInt) {
        let event =
            "event: message\r\ndata: " + #"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","#
            + #""data":{"sequence":\#(number),"monotonicNanoseconds":\#(Instant.now().nanoseconds)}}}"# + "\r\n\r\n"
        write(String(event.utf8.count, radix: 16) + "\r\n" + event + "\r\n", socket)
    }
}

extension String {
    /// What follows the first `mark`; empty if it is not there.
    fileprivate func after(_ mark: String) -> Substring {
        var rest = self[...]
        while !rest.isEmpty {
            if rest.hasPrefix(mark) { return rest.dropFirst(mark.count) }
            rest = rest.dropFirst()
        }
        return ""
    }
}
