import ASCII
import HTTP
import Reactor

// The stateless core: 2026-07-28. No session; every request says its version, method and name in its head as well as in
// its body, and the two must agree.
extension SampleLoop {
    /// `kept` is what the facts have ranges into.
    mutating func respondStateless(
        _ handle: Handle, _ facts: RequestFacts, _ body: Span<UInt8>, kept: Span<UInt8>
    ) {
        guard facts.method == .post else {
            return say(handle, "405 Method Not Allowed", "Method Not Allowed", allow: "POST")
        }
        if refusesMedia(handle, facts) { return }
        let message = Message(body)
        let id = body.extracting(message.id.range)
        switch message.kind {
        case .malformed: return refuse(handle, "400 Bad Request", -32_700, "Parse error")
        case .invalid, .response: return refuse(handle, "400 Bad Request", -32_600, "Invalid Request")
        case .notification: return acknowledge(handle, "202 Accepted")
        case .request: break
        }
        if facts.version == .future { return refuseVersion(handle, kept.extracting(facts.versionText.range), id) }
        if let mismatch = SampleLoop.mismatch(facts, kept, message, body) {
            return refuse(handle, "400 Bad Request", -32_020, mismatch, id: id)
        }
        guard message.metaVersion != nil, message.declaresCapabilities else {
            return refuse(handle, "400 Bad Request", -32_602, "Missing required _meta key", id: id)
        }
        answerStateless(handle, message, body)
    }

    private mutating func answerStateless(_ handle: Handle, _ message: Message, _ body: Span<UInt8>) {
        let id = body.extracting(message.id.range)
        let destination = Return(connection: handle, form: .json, session: nil, isStateless: true)
        switch message.method {
        case .discover:
            beginResult(id: id, isStateless: true)
            payload.bytes.append(
                """
                "supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"ttlMs":0,"cacheScope":"private"
                """)
            endResult()
            deliver(to: destination)
        case .listen: listen(handle, message, id)
        case .toolsList, .toolsCall: call(message, body, session: nil, answer: destination)
        case .initialize, .ping, .other:
            refuse(handle, "404 Not Found", -32_601, "Method not found", id: id)
        }
    }

    /// Acknowledges and stays open. Our tools never change, so nothing else is ever sent.
    private mutating func listen(_ handle: Handle, _ message: Message, _ id: Span<UInt8>) {
        payload.clear()
        payload.bytes.append(
            """
            {"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":\
            {"io.modelcontextprotocol/subscriptionId":
            """)
        payload.bytes.append(id)
        payload.bytes.append("},\"notifications\":{")
        if message.listensToTools { payload.bytes.append("\"toolsListChanged\":true") }
        payload.bytes.append("}}}")
        notify(Return(connection: handle, form: .events, session: nil, isStateless: true))
    }

    private mutating func refuseVersion(_ handle: Handle, _ version: Span<UInt8>, _ id: Span<UInt8>) {
        beginError(-32_022, "Unsupported protocol version", id: id)
        payload.bytes.append(
            """
            ,"data":{"supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"],"requested":"
            """)
        // Quotes and backslashes would leave the string; no version has any.
        for index in 0..<min(version.count, 32) {
            let byte = version[index]
            if byte != 0x22 && byte != 0x5c && byte < 0x7f { payload.bytes.append(byte) }
        }
        payload.bytes.append("\"}}}")
        sendJSON(handle, "400 Bad Request", session: nil)
    }

    /// What head and body disagree about, if anything.
    private static func mismatch(
        _ facts: RequestFacts, _ kept: Span<UInt8>, _ message: Message, _ body: Span<UInt8>
    ) -> StaticString? {
        guard let method = facts.mcpMethod else { return "Mcp-Method is missing" }
        guard body.extracting(message.methodName.range).equals(kept.extracting(method.range)) else {
            return "Mcp-Method does not match the body"
        }
        let version = kept.extracting(facts.versionText.range)
        if let inBody = message.metaVersion, !body.extracting(inBody.range).equals(version) {
            return "MCP-Protocol-Version does not match the body"
        }
        guard message.method == .toolsCall else { return nil }
        guard let name = facts.mcpName else { return "Mcp-Name is missing" }
        guard let toolName = message.toolName, body.extracting(toolName.range).equals(kept.extracting(name.range))
        else {
            return "Mcp-Name does not match the body"
        }
        return nil
    }
}
