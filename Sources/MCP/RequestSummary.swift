import JSON

/// What the body of a POST asks for: the JSON-RPC method, and the tool of a `tools/call`.
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
    /// Somebody waits for an answer: the message has an id.
    package let hasID: Bool

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
        name = nil
        hasID = false
    }

    private init?(_ members: MessageMembers, _ body: Span<UInt8>, hasID: Bool) {
        guard let text = members.method, !members.hasRepeatedParams else { return nil }
        method = MCPMethod(body.extracting(text))
        methodText = text
        params = members.params
        name = members.hasAmbiguousName ? nil : members.name
        self.hasID = hasID
    }
}
