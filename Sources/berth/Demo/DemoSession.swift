import Foundation
import HTTP
import Kernel

/// One MCP session over one connection, from `initialize` to DELETE (Streamable HTTP, 2025-11-25).
struct DemoSession: ~Copyable {
    /// The outcome of a call that got a response.
    enum Outcome {
        /// The result was correct.
        case answered
        /// The session was not found, or another replica answered, or the call count was wrong; the reason.
        case misrouted(String)
    }

    private var connection: DemoConnection
    private let authority: String
    private let id: String
    private var nextID = 2
    /// Tool calls made. `whoami` must return this number.
    private var calls: UInt64 = 0
    /// The replica that answered the first `whoami`.
    private(set) var replica: String?

    private static let version = "2025-11-25"

    /// Connects, and sends `initialize` and `notifications/initialized`.
    init(_ target: DemoTarget, stop: DemoStopFlag) throws {
        var connection = try DemoConnection(target, stop: stop)
        do {
            id = try DemoSession.initialize(&connection, target.authority)
            authority = target.authority
        } catch {
            connection.close()
            throw error
        }
        self.connection = connection
    }

    /// Calls `whoami`, and compares replica and call count with those expected.
    mutating func whoami() throws -> Outcome {
        let (status, result) = try call("whoami", arguments: "{}")
        if let misrouted = DemoSession.misrouted(status) { return misrouted }
        guard let text = result?.text, let answer = try? JSONDecoder().decode(WhoamiAnswer.self, from: Data(text.utf8))
        else { throw DemoError.unexpected("whoami: status \(status) and no name") }
        let expected = (replica: replica ?? answer.replica, calls: calls)
        replica = answer.replica
        calls = answer.calls
        if answer.replica != expected.replica {
            return .misrouted("a session of \(expected.replica) was answered by \(answer.replica)")
        }
        if answer.calls != expected.calls {
            return .misrouted("call \(expected.calls) was counted as \(answer.calls) by \(answer.replica)")
        }
        return .answered
    }

    /// Calls `echo` and compares the text.
    mutating func echo() throws -> Outcome {
        let word = "ahoy \(nextID)"
        let (status, result) = try call("echo", arguments: "{\"text\":\"\(word)\"}")
        if let misrouted = DemoSession.misrouted(status) { return misrouted }
        guard result?.text == word else { throw DemoError.unexpected("echo: status \(status), not what was said") }
        return .answered
    }

    /// Calls `count`, which is answered by an event stream with three progress notifications.
    mutating func count() throws -> Outcome {
        let (status, result) = try call("count", arguments: "{\"to\":3,\"intervalMilliseconds\":20}", token: nextID)
        if let misrouted = DemoSession.misrouted(status) { return misrouted }
        guard result?.text != nil, result?.progress == 3 else {
            throw DemoError.unexpected("count: status \(status), \(result?.progress ?? 0) of 3 notifications")
        }
        return .answered
    }

    /// Waits. False if the demo was stopped meanwhile.
    mutating func pause(_ interval: Interval) -> Bool { connection.pause(interval) }

    /// Sends DELETE and closes the connection; the response is ignored.
    mutating func end() {
        connection.exchangeAndClose(DemoSession.request("DELETE", authority, id: id), method: .delete)
    }

    // MARK: Requests

    private static func initialize(_ connection: inout DemoConnection, _ authority: String) throws -> String {
        let initializeRequest = """
            {"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"\(version)","capabilities":{},\
            "clientInfo":{"name":"berth demo","version":"0.1.0"}}}
            """
        let response = try connection.exchange(request("POST", authority, body: initializeRequest), method: .post)
        guard response.status == 200, let id = response.sessionID else {
            throw DemoError.unexpected("initialize: status \(response.status)")
        }
        let ready = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}"
        let accepted = try connection.exchange(request("POST", authority, id: id, body: ready), method: .post)
        guard accepted.status == 202 else {
            throw DemoError.unexpected("notifications/initialized: status \(accepted.status)")
        }
        return id
    }

    private mutating func call(
        _ tool: String, arguments: String, token: Int? = nil
    ) throws -> (status: UInt16, result: DemoToolResult?) {
        let meta = token.map { ",\"_meta\":{\"progressToken\":\($0)}" } ?? ""
        let body = """
            {"jsonrpc":"2.0","id":\(nextID),"method":"tools/call","params":{"name":"\(tool)","arguments":\(arguments)\(meta)}}
            """
        nextID += 1
        calls += 1
        let request = DemoSession.request("POST", authority, id: id, body: body)
        let response = try connection.exchange(request, method: .post)
        return (response.status, DemoToolResult(response))
    }

    private static func request(
        _ method: String, _ authority: String, id: String? = nil, body: String? = nil
    ) -> [UInt8] {
        var lines = [
            "\(method) /mcp HTTP/1.1", "Host: \(authority)", "Accept: application/json, text/event-stream",
        ]
        if let id { lines += ["Mcp-Session-Id: \(id)", "MCP-Protocol-Version: \(version)"] }
        if let body { lines += ["Content-Type: application/json", "Content-Length: \(body.utf8.count)"] }
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n" + (body ?? "")).utf8)
    }

    /// 404: the replica does not know the session.
    private static func misrouted(_ status: UInt16) -> Outcome? {
        status == 404 ? .misrouted("a live session was not found") : nil
    }
}

private struct WhoamiAnswer: Decodable {
    let replica: String
    let calls: UInt64
}
