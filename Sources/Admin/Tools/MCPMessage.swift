import FoundationEssentials
import Proxy

/// A request of MCP as it was posted.
struct MCPMessage: Sendable {
    let id: JSONValue
    let method: String
    let params: JSONValue?
    /// Of the revisions from 2026-07-28 on.
    let isStateless: Bool

    /// Revisions with `initialize`, newest first.
    static let sessionRevisions = ["2025-11-25", "2025-06-18", "2025-03-26"]
    static let revisions = ["2026-07-28"] + sessionRevisions

    /// Why a message is not answered with a result.
    struct Fault: Error {
        let response: AdminResponse
    }

    /// Reads a POST. Nil: a notification or a response, of which nothing is expected.
    static func read(_ request: AdminRequest) -> Result<MCPMessage?, Fault> {
        guard let body = JSONValue(parsing: request.body) else {
            return .failure(fault(-32_700, "Parse error"))
        }
        let version = request.fields["mcp-protocol-version"]
        let isStateless = version.map { $0 >= "2026-07-28" } ?? false
        guard case .object(let members) = body, members["jsonrpc"] == "2.0" else {
            return .failure(fault(-32_600, "Invalid Request"))
        }
        guard let method = members["method"]?.string else {
            guard members["result"] != nil || members["error"] != nil, !isStateless else {
                return .failure(fault(-32_600, "Invalid Request"))
            }
            return .success(nil)
        }
        guard let id = members["id"] else { return .success(nil) }
        switch id {
        case .string, .integer, .number: break
        default: return .failure(fault(-32_600, "Invalid Request"))
        }
        if let version, !revisions.contains(version), isStateless || method != "initialize" {
            let data: JSONValue = [
                "supported": .array(revisions.map { .string($0) }), "requested": .string(version),
            ]
            return .failure(fault(-32_022, "Unsupported protocol version", id: id, data: data))
        }
        let message = MCPMessage(id: id, method: method, params: members["params"], isStateless: isStateless)
        if isStateless, let problem = message.headerProblem(request) { return .failure(problem) }
        return .success(message)
    }

    /// What is wrong about a stateless request: its fields say what its body says, and its body says what it can do
    /// (MCP 2026-07-28, Streamable HTTP, Request Headers).
    private func headerProblem(_ request: AdminRequest) -> Fault? {
        func mismatch(_ text: String) -> Fault { Self.fault(-32_020, text, id: id) }
        guard request.fields["mcp-method"] == method else { return mismatch("Mcp-Method does not match the body") }
        let meta = params?["_meta"]
        guard let version = meta?["io.modelcontextprotocol/protocolVersion"]?.string,
            meta?["io.modelcontextprotocol/clientCapabilities"] != nil
        else { return Self.fault(-32_602, "Missing required _meta key", id: id) }
        guard version == request.fields["mcp-protocol-version"] else {
            return mismatch("MCP-Protocol-Version does not match the body")
        }
        if method == "tools/call", request.fields["mcp-name"] != params?["name"]?.string {
            return mismatch("Mcp-Name does not match the body")
        }
        return nil
    }

    // MARK: - Answers

    /// The answer with a result, which is an object.
    func result(_ result: JSONValue) -> AdminResponse {
        var result = result
        if isStateless, case .object(var members) = result {
            members["resultType"] = "complete"
            members["_meta"] = ["io.modelcontextprotocol/serverInfo": MCPTools.serverInfo]
            result = .object(members)
        }
        return Self.response(["jsonrpc": "2.0", "id": id, "result": result], status: 200)
    }

    /// The answer with an error.
    func fault(_ code: Int64, _ text: String, status: UInt16) -> AdminResponse {
        Self.fault(code, text, id: id, status: status).response
    }

    private static func fault(
        _ code: Int64, _ text: String, id: JSONValue = .null, data: JSONValue? = nil, status: UInt16 = 400
    ) -> Fault {
        var error: [String: JSONValue] = ["code": .integer(code), "message": .string(text)]
        error["data"] = data
        return Fault(response: response(["jsonrpc": "2.0", "id": id, "error": .object(error)], status: status))
    }

    private static func response(_ value: JSONValue, status: UInt16) -> AdminResponse {
        AdminResponse(status: status, contentType: "application/json", body: value.text)
    }
}
