import MCP
import Reactor

/// What mcp checks send, and where in what comes back the answer is.
enum MCPCheckText {
    /// The revision that `server/discover` is asked in, and the one that `initialize` asks for.
    private static var modernVersion: StaticString { "2026-07-28" }

    private static let client = #"{"name":"berth-health-check","version":"1"}"#
    /// What every request of 2026-07-28 says of itself.
    private static let meta =
        #""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","# + #""io.modelcontextprotocol/clientInfo":"#
        + client + #","io.modelcontextprotocol/clientCapabilities":{}}"#

    /// Appends a request of HTTP/1.1, whole.
    static func append(_ check: borrowing MCPCheck, host: [UInt8], to buffer: inout ByteBuffer) {
        let body = body(check.request, isModern: check.mode == .modern)
        if case .delete = check.request { buffer.append("DELETE ") } else { buffer.append("POST ") }
        buffer.append(check.path)
        buffer.append(" HTTP/1.1\r\nhost: ")
        buffer.append(host)
        buffer.append("\r\nuser-agent: berth-health-check\r\naccept: application/json, text/event-stream\r\n")
        appendFields(check, to: &buffer)
        if !body.isEmpty {
            buffer.append("content-type: application/json\r\ncontent-length: ")
            buffer.append(decimal: UInt64(body.utf8.count))
            buffer.append("\r\n")
        }
        buffer.append("connection: close\r\n\r\n")
        buffer.append(body)
    }

    private static func appendFields(_ check: borrowing MCPCheck, to buffer: inout ByteBuffer) {
        let isModern = check.mode == .modern || check.request == .discover
        let sessionID: [UInt8]
        switch check.request {
        case .delete(let id): sessionID = id
        case .initialized, .ping, .listTools: sessionID = check.session ?? []
        case .discover, .initialize: sessionID = []
        }
        if case .delete = check.request {
            // A revision is named for the kept session only.
        } else if isModern {
            buffer.append("mcp-protocol-version: ")
            buffer.append(modernVersion)
            buffer.append("\r\nmcp-method: ")
            buffer.append(check.request == .discover ? "server/discover" : "tools/list")
            buffer.append("\r\n")
        } else if check.request != .initialize, let version = check.version {
            buffer.append("mcp-protocol-version: ")
            buffer.append(version)
            buffer.append("\r\n")
        }
        if !sessionID.isEmpty {
            buffer.append("mcp-session-id: ")
            buffer.append(sessionID)
            buffer.append("\r\n")
        }
    }

    private static func body(_ request: MCPCheck.Request, isModern: Bool) -> String {
        switch request {
        case .discover: message("server/discover", "{\(meta)}")
        case .initialize:
            message("initialize", #"{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":\#(client)}"#)
        case .initialized: #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#
        case .ping: message("ping", "{}")
        case .listTools(let cursor):
            message("tools/list", parameters(cursor: String(decoding: cursor, as: UTF8.self), isModern: isModern))
        case .delete: ""
        }
    }

    /// `cursor` has its escapes as they came.
    private static func parameters(cursor: String, isModern: Bool) -> String {
        let members = (cursor.isEmpty ? [] : [#""cursor":"\#(cursor)""#]) + (isModern ? [meta] : [])
        return "{\(members.joined(separator: ","))}"
    }

    private static func message(_ method: String, _ parameters: String) -> String {
        #"{"jsonrpc":"2.0","id":"berth-check","method":"\#(method)","params":\#(parameters)}"#
    }

    /// The first response among the events of a stream (HTML Living Standard, "Server-sent events"), as far as it has come;
    /// nil if there is none yet. Servers may send notifications before it.
    static func response(inEvents bytes: [UInt8]) -> [UInt8]? {
        var data: [UInt8] = []
        for line in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).dropLast() {
            let line = line.last == 0x0D ? line.dropLast() : line
            if line.isEmpty {
                if RPCAnswer(data.span) != nil { return data }
                data = []
            } else if line.starts(with: "data:".utf8) {
                let value = line.dropFirst(5)
                data += data.isEmpty ? [] : [0x0A]
                data += value.first == 0x20 ? value.dropFirst() : value
            }
        }
        return nil
    }
}
