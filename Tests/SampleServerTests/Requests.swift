import Kernel
import SampleServer

/// Starts a server on a port that the kernel chooses, runs `body`, and stops the server.
func withServer(
    _ name: String = "alpha", _ options: SampleServer.Options = .init(), _ body: (SampleServer) throws -> Void
) throws {
    let server = try SampleServer(name: name, address: .loopback(port: 0), options: options)
    try server.start()
    defer { server.stop() }
    try body(server)
}

/// A POST of the revisions with sessions.
func post(_ body: String, session: String? = nil, path: String = "/mcp", extra: [String] = []) -> String {
    var lines = [
        "POST \(path) HTTP/1.1", "Host: test", "Content-Type: application/json",
        "Accept: application/json, text/event-stream", "Content-Length: \(body.utf8.count)",
    ]
    if let session { lines.append("Mcp-Session-Id: \(session)") }
    return (lines + extra).joined(separator: "\r\n") + "\r\n\r\n" + body
}

/// A request without a body.
func bare(_ method: String, _ path: String = "/mcp", session: String? = nil, extra: [String] = []) -> String {
    var lines = ["\(method) \(path) HTTP/1.1", "Host: test", "Accept: text/event-stream"]
    if let session { lines.append("Mcp-Session-Id: \(session)") }
    return (lines + extra).joined(separator: "\r\n") + "\r\n\r\n"
}

func initialize(_ version: String = "2025-11-25") -> String {
    """
    {"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"\(version)","capabilities":{},\
    "clientInfo":{"name":"t","version":"1"}}}
    """
}

func call(_ tool: String, _ arguments: String = "{}", id: String = "1", meta: String = "{}") -> String {
    """
    {"jsonrpc":"2.0","id":\(id),"method":"tools/call","params":{"name":"\(tool)","arguments":\(arguments),"_meta":\(meta)}}
    """
}

func request(_ method: String, id: String = "1", parameters: String = "{}") -> String {
    "{\"jsonrpc\":\"2.0\",\"id\":\(id),\"method\":\"\(method)\",\"params\":\(parameters)}"
}

/// The result of a tool call in the revisions with sessions.
func textResult(_ text: String, id: String = "1") -> String {
    """
    {"jsonrpc":"2.0","id":\(id),"result":{"content":[{"type":"text","text":\(text)}],"isError":false}}
    """
}

/// Opens a session and returns its id.
func openSession(_ client: RawClient) throws -> String {
    client.send(post(initialize()))
    let response = try client.response()
    guard let session = response.fields["mcp-session-id"] else {
        throw RawClient.Failure.unreadable("\(response)")
    }
    return session
}

/// A POST of 2026-07-28.
func statelessPost(
    _ method: String, parameters: String = "", name: String? = nil, id: String = "1",
    version: String = "2026-07-28", methodField: String? = nil
) -> String {
    let meta = """
        "_meta":{"io.modelcontextprotocol/protocolVersion":"\(version)","io.modelcontextprotocol/clientCapabilities":{}}
        """
    let parts = parameters.isEmpty ? meta : "\(parameters),\(meta)"
    var extra = ["MCP-Protocol-Version: \(version)", "Mcp-Method: \(methodField ?? method)"]
    if let name { extra.append("Mcp-Name: \(name)") }
    return post(request(method, id: id, parameters: "{\(parts)}"), extra: extra)
}
