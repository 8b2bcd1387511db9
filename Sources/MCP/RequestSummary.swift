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
    package var methodText: Range<Int> { places.method.range ?? 0..<0 }
    /// The value of `params`, brackets included; nil if there is none.
    package var params: Range<Int>? { places.params.range }
    /// `params.name` between its quotes, escapes as written: of `tools/call` the tool, of `prompts/get` the prompt. Nil
    /// if there is none, or if the message has it twice or as something else than a string.
    package var name: Range<Int>? { places.name.range }
    /// `params.uri` between its quotes: the resource of `resources/read`. Nil as the name is.
    package var uri: Range<Int>? { places.uri.range }
    /// `params.taskId` between its quotes. Nil as the name is.
    package var taskID: Range<Int>? { places.taskID.range }
    /// `params._meta.traceparent` between its quotes (W3C Trace Context; MCP, SEP-414). Nil as the name is.
    package var traceparent: Range<Int>? { places.traceparent.range }
    /// `params._meta["io.modelcontextprotocol/protocolVersion"]` between its quotes (MCP 2026-07-28). Nil as the name is.
    package var protocolVersion: Range<Int>? { places.protocolVersion.range }
    /// That version stands there twice, or as something else than a string.
    package let hasAmbiguousVersion: Bool
    /// Somebody waits for an answer: the message has an id.
    package let hasID: Bool

    private var places = Places()

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
        if let request = RegularRequest(body) {
            self.init(request, body)
            return
        }
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

    /// The id as it stands in the body that was read, quotes included; nil if there is none, or none to echo.
    package func id(in body: Span<UInt8>) -> Range<Int>? {
        guard let id = places.id.range, id.upperBound <= body.count, JSONRPC.isEchoable(body.extracting(id)) else {
            return nil
        }
        return id
    }

    private init(method: MCPMethod) {
        self.method = method
        hasID = false
        hasAmbiguousVersion = false
    }

    private init(_ request: RegularRequest, _ body: Span<UInt8>) {
        places = request.places
        hasID = request.places.id.end != 0
        hasAmbiguousVersion = false
        method = MCPMethod(body.extracting(request.places.method.range ?? 0..<0))
    }

    private init?(_ members: MessageMembers, _ body: Span<UInt8>, hasID: Bool) {
        guard let text = members.method, !members.hasRepeatedParams else { return nil }
        method = MCPMethod(body.extracting(text))
        places.id = Place(members.id)
        places.method = Place(text)
        places.params = Place(members.params)
        places.name = Place(members.name.text)
        places.uri = Place(members.uri.text)
        places.taskID = Place(members.taskID.text)
        places.traceparent = Place(members.traceparent.text)
        places.protocolVersion = Place(members.protocolVersion.text)
        hasAmbiguousVersion = members.protocolVersion.isAmbiguous
        self.hasID = hasID
    }

    /// Where the texts stand.
    struct Places: BitwiseCopyable, Equatable {
        var id = Place(), method = Place(), params = Place(), name = Place(), uri = Place(), taskID = Place()
        var traceparent = Place(), protocolVersion = Place()
    }

    /// A range of a body; nothing if `end` is 0.
    struct Place: BitwiseCopyable, Equatable {
        var start: UInt32 = 0
        var end: UInt32 = 0

        init() {}

        init(_ start: Int, _ end: Int) {
            self.start = UInt32(truncatingIfNeeded: start)
            self.end = UInt32(truncatingIfNeeded: end)
        }

        init(_ range: Range<Int>?) {
            self = range.map { Place($0.lowerBound, $0.upperBound) } ?? Place()
        }

        var range: Range<Int>? { end == 0 ? nil : Int(start)..<Int(max(start, end)) }
    }
}
