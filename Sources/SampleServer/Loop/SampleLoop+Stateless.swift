import ASCII
import HTTP
import Reactor

// The stateless protocol of MCP 2026-07-28. Every request has its version, method and name in its head and in its body,
// and the two must match.
extension SampleLoop {
    /// Responds to a request of a stateless revision. The ranges of `facts` refer to `headText`.
    mutating func respondStateless(
        _ handle: Handle, _ facts: RequestFacts, _ body: Span<UInt8>, headText: Span<UInt8>
    ) {
        guard facts.method == .post else {
            return respondText(handle, "405 Method Not Allowed", "Method Not Allowed", allow: "POST")
        }
        if rejectsMediaTypes(handle, facts) { return }
        let message = Message(body)
        let id = body.extracting(message.id.range)
        switch message.kind {
        case .malformed: return respondError(handle, "400 Bad Request", -32_700, "Parse error")
        case .invalid, .response: return respondError(handle, "400 Bad Request", -32_600, "Invalid Request")
        case .notification: return acknowledge(handle, "202 Accepted")
        case .request: break
        }
        if facts.version == .future {
            return respondUnsupportedVersion(handle, headText.extracting(facts.versionText.range), id)
        }
        if let mismatch = SampleLoop.mismatch(facts, headText, message, body) {
            return respondError(handle, "400 Bad Request", -32_020, mismatch, id: id)
        }
        guard message.metaVersion != nil, message.declaresCapabilities else {
            return respondError(handle, "400 Bad Request", -32_602, "Missing required _meta key", id: id)
        }
        answerStateless(handle, message, body)
    }

    private mutating func answerStateless(_ handle: Handle, _ message: Message, _ body: Span<UInt8>) {
        let id = body.extracting(message.id.range)
        let destination = AnswerDestination(connection: handle, form: .json, session: nil, isStateless: true)
        switch message.method {
        case .discover:
            beginResult(id: id, isStateless: true)
            payload.bytes.append(
                """
                "supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"ttlMs":0,"cacheScope":"private"
                """)
            endResult()
            sendAnswer(to: destination)
        case .listen: listen(handle, message, id)
        case .toolsList, .toolsCall: call(message, body, session: nil, answer: destination)
        case .initialize, .ping, .other:
            respondError(handle, "404 Not Found", -32_601, "Method not found", id: id)
        }
    }

    /// Acknowledges a subscription. The stream stays open without further events, because the tools never change.
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
        sendNotification(AnswerDestination(connection: handle, form: .events, session: nil, isStateless: true))
    }

    private mutating func respondUnsupportedVersion(_ handle: Handle, _ version: Span<UInt8>, _ id: Span<UInt8>) {
        beginError(-32_022, "Unsupported protocol version", id: id)
        payload.bytes.append(
            """
            ,"data":{"supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"],"requested":"
            """)
        // Quotes and backslashes would have to be escaped; no version has any.
        for index in 0..<min(version.count, 32) {
            let byte = version[index]
            if byte != 0x22 && byte != 0x5c && byte < 0x7f { payload.bytes.append(byte) }
        }
        payload.bytes.append("\"}}}")
        sendJSON(handle, "400 Bad Request", session: nil)
    }

    /// The error message for a head and a body that do not match; nil if they do.
    private static func mismatch(
        _ facts: RequestFacts, _ headText: Span<UInt8>, _ message: Message, _ body: Span<UInt8>
    ) -> StaticString? {
        guard let method = facts.mcpMethod else { return "Mcp-Method is missing" }
        guard body.extracting(message.methodName.range).equals(headText.extracting(method.range)) else {
            return "Mcp-Method does not match the body"
        }
        let version = headText.extracting(facts.versionText.range)
        if let inBody = message.metaVersion, !body.extracting(inBody.range).equals(version) {
            return "MCP-Protocol-Version does not match the body"
        }
        guard message.method == .toolsCall else { return nil }
        guard let name = facts.mcpName else { return "Mcp-Name is missing" }
        guard let toolName = message.toolName, body.extracting(toolName.range).equals(headText.extracting(name.range))
        else {
            return "Mcp-Name does not match the body"
        }
        return nil
    }
}
