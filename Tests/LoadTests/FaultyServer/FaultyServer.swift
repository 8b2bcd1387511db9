import Glibc
import Kernel
import Synchronization
import TestSupport

/// An MCP server over HTTP/1.1 that responds correctly, except for one kind of fault every few calls.
final class FaultyServer: Sendable {
    enum Fault: String, Sendable, CaseIterable {
        case none
        /// A response has the id of no call.
        case foreignID
        /// A response has the id of the call before.
        case oldID
        case otherReplica
        case skipsCount
        /// The same response is sent twice.
        case respondsTwice
        case toolError, rpcError
        case notJSON
        case otherSession
        case otherType
        /// 202 in place of a response.
        case acceptsOnly
        case echoesOther
        case shortText, wrongByte
        case skipsEvent, repeatsEvent
        /// 404, once, for a session that exists.
        case notFoundOnce
        // Faults that count as failures, not as wrong answers.
        /// No response.
        case noResponse
        /// Closes the connection in the middle of a response.
        case truncates
        /// 404 for every call of a session after its third.
        case losesSession
        /// 503.
        case overload
        /// 400 with a JSON-RPC error, for a call of a session that exists.
        case badRequest
        /// 400 for everything but `initialize` that names no session: it speaks no revision without sessions.
        case sessionsOnly
        /// 421 for everything.
        case misdirects
        /// Not HTTP.
        case invalidHTTP
        /// Ends an event stream.
        case endsStream
        /// 405 for an event stream.
        case hasNoStreams

        /// Those with which a call is not counted.
        static let rejections: Set<Fault> = [
            .notFoundOnce, .losesSession, .overload, .badRequest, .rpcError, .toolError,
        ]
    }

    private struct State {
        var sessions: [String: Int] = [:]
        var faultCount = 0
        var calls = 0
        var last = "0"
    }

    let address: SocketAddress
    private let fault: Fault
    /// What `tools/list` names.
    private let tools: [String]
    private let listener: CInt
    private let stopping = Atomic(false)
    private let state = Mutex(State())
    private static let faultInterval = 7

    init(_ fault: Fault, tools: [String] = ["whoami", "echo", "bytes"]) throws {
        let descriptor = try Socket.listen(on: .loopback(port: 0), shared: false)
        address = Socket.localAddress(descriptor) ?? .loopback(port: 0)
        self.fault = fault
        self.tools = tools
        listener = descriptor.raw
        try Thread(named: "faulty") { [self] in
            while !isStopping {
                guard FaultyServer.isReady(listener) else { continue }
                let socket = accept(listener, nil, nil)
                guard socket >= 0 else { continue }
                try? Thread(named: "faulty-connection") { [self] in
                    serve(socket)
                    close(socket)
                }.detach()
            }
            close(listener)
        }.detach()
    }

    func stop() { stopping.store(true, ordering: .releasing) }

    /// Faults so far.
    var faultCount: Int { state.withLock { $0.faultCount } }

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

    /// Responds to a request. False if the connection ends with the response.
    private func answer(_ request: Request, _ socket: CInt) -> Bool {
        let session = request.field("mcp-session-id")
        if fault == .misdirects {
            state.withLock { $0.faultCount += 1 }
            write(response("Invalid Host header", status: "421 Misdirected Request", type: "text/plain"), socket)
            return true
        }
        if request.head.hasPrefix("GET "), fault == .hasNoStreams {
            state.withLock { $0.faultCount += 1 }
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
        if fault == .sessionsOnly, session == nil, !request.body.contains("\"initialize\"") {
            state.withLock { $0.faultCount += 1 }
            write(response(error("server-error", "Bad Request: Missing session ID"), status: "400 Bad Request"), socket)
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
            let list = tools.map { #"{"name":"\#($0)","inputSchema":{"type":"object"}}"# }.joined(separator: ",")
            write(response(result(request.id, "\"tools\":[\(list)]"), session: session), socket)
        } else {
            return answerCall(request, session, socket)
        }
        return true
    }

    private func result(_ id: String, _ inside: String) -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"result":{\#(inside)}}"#
    }

    private func error(_ id: String, _ message: String) -> String {
        #"{"jsonrpc":"2.0","id":"\#(id)","error":{"code":-32600,"message":"\#(message)"}}"#
    }

    private func content(_ text: String, isError: Bool = false) -> String {
        #""content":[{"type":"text","text":"\#(text)"}],"isError":\#(isError)"#
    }

    /// Counts a call. Returns the number of its session's calls, whether its response is faulty, and the id of the call
    /// before.
    private func countCall(_ session: String?, _ request: Request) -> (count: Int, isFaulty: Bool, last: String) {
        state.withLock { state in
            state.calls += 1
            let isForTool = fault != .echoesOther || request.tool == "echo"
            var isFaulty = state.calls % FaultyServer.faultInterval == 0
            if fault == .echoesOther { isFaulty = isForTool }
            if fault == .losesSession { isFaulty = state.sessions[session ?? ""] ?? 0 >= 3 }
            // The first result of a session names its replica; later ones are compared with it.
            if fault == .otherReplica {
                isFaulty = isFaulty && request.tool == "whoami" && state.sessions[session ?? ""] ?? 0 > 0
            }
            if fault == .none || fault == .sessionsOnly { isFaulty = false }
            if isFaulty { state.faultCount += 1 }
            // A rejected call is not counted.
            if !(isFaulty && Fault.rejections.contains(fault)) {
                state.sessions[session ?? "", default: 0] += 1
            }
            if isFaulty, fault == .skipsCount { state.sessions[session ?? "", default: 0] += 1 }
            defer { state.last = request.id }
            return (state.sessions[session ?? "", default: 0], isFaulty, state.last)
        }
    }

    private func answerCall(_ request: Request, _ session: String?, _ socket: CInt) -> Bool {
        let (count, isFaulty, last) = countCall(session, request)
        let applied = isFaulty ? fault : .none
        let replica = applied == .otherReplica ? "b" : "a"
        var text = #"{\"replica\":\"\#(replica)\",\"calls\":\#(count)}"#
        if request.tool == "echo" { text = String(request.body.after("\"text\":\"").prefix { $0 != "\"" }) }
        if request.tool == "echo", applied == .echoesOther { text = "9" + text.dropFirst() }
        if request.tool == "bytes" { text = patternText(request, applied) }
        let correct = response(result(request.id, content(text)), session: session)
        switch applied {
        case .foreignID: write(response(result("9" + request.id.dropFirst(), content(text)), session: session), socket)
        case .oldID: write(response(result(last, content(text)), session: session), socket)
        case .respondsTwice: write(correct + correct, socket)
        case .toolError:
            write(response(result(request.id, content("no such row", isError: true)), session: session), socket)
        case .rpcError:
            write(
                response(#"{"jsonrpc":"2.0","id":\#(request.id),"error":{"code":-32000,"message":"no such row"}}"#),
                socket)
        case .notJSON: write(response("<html>Hello</html>", session: session), socket)
        case .otherSession: write(response(result(request.id, content(text)), session: "another-session"), socket)
        case .otherType:
            write(response(result(request.id, content(text)), session: session, type: "text/html"), socket)
        case .acceptsOnly: write(response("", status: "202 Accepted", session: session), socket)
        case .notFoundOnce, .losesSession: write(response("{}", status: "404 Not Found"), socket)
        case .overload: write(response("{}", status: "503 Service Unavailable"), socket)
        case .badRequest: write(response(error("server-error", "no such row"), status: "400 Bad Request"), socket)
        case .invalidHTTP: write("Hello, this is not HTTP\r\n\r\n", socket)
        case .noResponse: break
        case .truncates:
            write(String(correct.dropLast(5)), socket)
            return false
        default: write(correct, socket)
        }
        return true
    }

    private func patternText(_ request: Request, _ applied: Fault) -> String {
        let count = Int(request.body.after("\"n\":").prefix { $0.isNumber }) ?? 0
        var bytes = (0..<count).map { 97 + UInt8($0 % 26) }
        if applied == .shortText { bytes.removeLast() }
        if applied == .wrongByte { bytes[count / 2] = 65 }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Sends an event every 5 ms until the client closes the connection.
    private func stream(_ session: String?, _ socket: CInt) {
        write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n", socket)
        if let session { write("Mcp-Session-Id: \(session)\r\n", socket) }
        write("Transfer-Encoding: chunked\r\n\r\n", socket)
        var number = 1
        while !isStopping {
            let isFaulty = number % FaultyServer.faultInterval == 0
            if isFaulty, fault == .endsStream {
                state.withLock { $0.faultCount += 1 }
                return write("0\r\n\r\n", socket)
            }
            if isFaulty, fault == .skipsEvent {
                number += 1
                state.withLock { $0.faultCount += 1 }
            }
            send(event: number, socket)
            if isFaulty, fault == .repeatsEvent {
                send(event: number, socket)
                state.withLock { $0.faultCount += 1 }
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
    /// The text after the first `mark`; empty without one.
    fileprivate func after(_ mark: String) -> Substring {
        var rest = self[...]
        while !rest.isEmpty {
            if rest.hasPrefix(mark) { return rest.dropFirst(mark.count) }
            rest = rest.dropFirst()
        }
        return ""
    }
}
