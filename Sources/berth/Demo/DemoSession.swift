import Foundation
import HTTP
import Kernel

/// One MCP session over one connection, from `initialize` to DELETE (Streamable HTTP, 2025-11-25).
struct DemoSession: ~Copyable {
    /// What came of one call.
    enum Outcome {
        case answered
        /// Not by the session's own replica, or not by the session as it was left.
        case strayed(String)
    }

    private var connection: DemoConnection
    private let authority: String
    private let id: String
    private var nextID = 2
    /// Tool calls made: what `whoami` must say.
    private var calls: UInt64 = 0
    /// Who answered the first `whoami`.
    private(set) var replica: String?

    private static let version = "2025-11-25"

    /// Connects, initializes, says so, and asks who is there.
    init(_ dialler: DemoDialler, stop: DemoStop) throws {
        var connection = try DemoConnection(dialler, stop: stop)
        do {
            id = try DemoSession.initialize(&connection, dialler.authority)
            authority = dialler.authority
        } catch {
            connection.close()
            throw error
        }
        self.connection = connection
    }

    /// Which replica it is, and whether the session has arrived there whole.
    mutating func whoami() throws -> Outcome {
        let (status, reply) = try call("whoami", arguments: "{}")
        if let stray = DemoSession.stray(status) { return stray }
        guard let text = reply?.text, let answer = try? JSONDecoder().decode(WhoamiAnswer.self, from: Data(text.utf8))
        else { throw DemoFault.unexpected("whoami: status \(status) and no name") }
        let expected = (replica: replica ?? answer.replica, calls: calls)
        replica = answer.replica
        calls = answer.calls
        if answer.replica != expected.replica {
            return .strayed("a session of \(expected.replica) was answered by \(answer.replica)")
        }
        if answer.calls != expected.calls {
            return .strayed("call \(expected.calls) was counted as \(answer.calls) by \(answer.replica)")
        }
        return .answered
    }

    mutating func echo() throws -> Outcome {
        let word = "ahoy \(nextID)"
        let (status, reply) = try call("echo", arguments: "{\"text\":\"\(word)\"}")
        if let stray = DemoSession.stray(status) { return stray }
        guard reply?.text == word else { throw DemoFault.unexpected("echo: status \(status), not what was said") }
        return .answered
    }

    /// A call that is answered by an event stream, with progress on the way.
    mutating func count() throws -> Outcome {
        let (status, reply) = try call("count", arguments: "{\"to\":3,\"intervalMilliseconds\":20}", token: nextID)
        if let stray = DemoSession.stray(status) { return stray }
        guard reply?.text != nil, reply?.progress == 3 else {
            throw DemoFault.unexpected("count: status \(status), \(reply?.progress ?? 0) of 3 notifications")
        }
        return .answered
    }

    /// Lets time pass; false if the demo ended meanwhile.
    mutating func pause(_ interval: Interval) -> Bool { connection.pause(interval) }

    /// Says goodbye; whether the server hears it is of no more interest.
    mutating func end() {
        connection.sayLast(DemoSession.request("DELETE", authority, id: id), method: .delete)
    }

    // MARK: Requests

    private static func initialize(_ connection: inout DemoConnection, _ authority: String) throws -> String {
        let opening = """
            {"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"\(version)","capabilities":{},\
            "clientInfo":{"name":"berth demo","version":"0.1.0"}}}
            """
        let response = try connection.exchange(request("POST", authority, body: opening), method: .post)
        guard response.status == 200, let id = response.sessionID else {
            throw DemoFault.unexpected("initialize: status \(response.status)")
        }
        let ready = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}"
        let accepted = try connection.exchange(request("POST", authority, id: id, body: ready), method: .post)
        guard accepted.status == 202 else {
            throw DemoFault.unexpected("notifications/initialized: status \(accepted.status)")
        }
        return id
    }

    private mutating func call(
        _ tool: String, arguments: String, token: Int? = nil
    ) throws -> (status: UInt16, reply: DemoReply?) {
        let meta = token.map { ",\"_meta\":{\"progressToken\":\($0)}" } ?? ""
        let body = """
            {"jsonrpc":"2.0","id":\(nextID),"method":"tools/call","params":{"name":"\(tool)","arguments":\(arguments)\(meta)}}
            """
        nextID += 1
        calls += 1
        let request = DemoSession.request("POST", authority, id: id, body: body)
        let response = try connection.exchange(request, method: .post)
        return (response.status, DemoReply(response))
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

    /// 404 says that the replica which was asked does not know the session.
    private static func stray(_ status: UInt16) -> Outcome? {
        status == 404 ? .strayed("a live session was not found") : nil
    }
}

private struct WhoamiAnswer: Decodable {
    let replica: String
    let calls: UInt64
}
