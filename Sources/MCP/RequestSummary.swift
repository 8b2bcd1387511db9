import JSON

/// What the body of a POST asks for: the JSON-RPC method, the tool, prompt or resource, and what `_meta` says of the trace
/// and the protocol version.
///
/// Ranges of the body it was read from; nothing is copied or allocated. A name that a message has twice makes it none:
/// readers disagree about which one counts, and the server may do something else than was decided here.
package struct RequestSummary: Equatable, Sendable {
    /// The method, by its name.
    package let method: MCPMethod
    /// The method between its quotes, escapes as written; empty for a response or a batch.
    package let methodText: Range<Int>
    /// The value of `params`, brackets included; nil if there is none.
    package let params: Range<Int>?
    /// `params.name` between its quotes, escapes as written: of `tools/call` the tool, of `prompts/get` the prompt. Nil
    /// if there is none, or if the message has it twice or as something else than a string.
    package let name: Range<Int>?
    /// `params.uri` between its quotes: the resource of `resources/read`. Nil as the name is.
    package let uri: Range<Int>?
    /// `params.taskId` between its quotes. Nil as the name is.
    package let taskID: Range<Int>?
    /// `params._meta.traceparent` between its quotes (W3C Trace Context; MCP, SEP-414). Nil as the name is.
    package let traceparent: Range<Int>?
    /// `params._meta["io.modelcontextprotocol/protocolVersion"]` between its quotes (MCP 2026-07-28). Nil as the name is.
    package let protocolVersion: Range<Int>?
    /// Somebody waits for an answer: the message has an id.
    package let hasID: Bool

    /// The tool, the prompt or the URI of the resource that a method is about, between its quotes, escapes as written; nil
    /// if the method is about none, or the message does not say about which.
    package var subject: Range<Int>? {
        switch method {
        case .toolsCall, .promptsGet: name
        case .resourcesRead, .resourcesSubscribe, .resourcesUnsubscribe: uri
        default: nil
        }
    }

    /// The tool that is called, between its quotes, escapes as written; nil if this is no `tools/call`, or none that
    /// says which tool.
    package var tool: Range<Int>? { method == .toolsCall ? name : nil }

    /// Reads a whole body; nil if it is cut off, is no JSON-RPC message, or is longer than `JSONRPC.maximumBytes`. A
    /// batch is not looked into.
    package init?(of body: Span<UInt8>) {
        guard body.count <= JSONRPC.maximumBytes else { return nil }
        var reader = JSONReader()
        if reader.peek(body) == UInt8(ascii: "[") {
            self.init(method: .batch)
            return
        }
        var members = MessageMembers()
        guard members.read(body, &reader), reader.isAtEnd(body) else { return nil }
        switch members.envelope(isComplete: true).kind {
        case .response: self.init(method: .response)
        case .request: self.init(members, body, hasID: true)
        case .notification: self.init(members, body, hasID: false)
        case .batch, .unknown: return nil
        }
    }

    private init(method: MCPMethod) {
        self.method = method
        methodText = 0..<0
        params = nil
        (name, uri, taskID, traceparent, protocolVersion) = (nil, nil, nil, nil, nil)
        hasID = false
    }

    private init?(_ members: MessageMembers, _ body: Span<UInt8>, hasID: Bool) {
        guard let text = members.method, !members.hasRepeatedParams else { return nil }
        method = MCPMethod(body.extracting(text))
        methodText = text
        params = members.params
        name = members.name.text
        uri = members.uri.text
        taskID = members.taskID.text
        traceparent = members.traceparent.text
        protocolVersion = members.protocolVersion.text
        self.hasID = hasID
    }
}
