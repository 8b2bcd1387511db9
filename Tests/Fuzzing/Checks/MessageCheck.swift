import JSON
import MCP

/// JSON-RPC messages: what a decision rests on is what every reader reads.
enum MessageCheck {
    static func request(_ bytes: [UInt8]) throws(Finding) {
        let naive = NaiveJSON.read(bytes, depth: JSONRPC.maximumDepth + 1)
        let envelope = JSONRPC.scan(bytes.span)
        if let id = envelope.id { try require(id.upperBound <= bytes.count && !id.isEmpty, "an id at \(id)") }
        if let id = JSONRPC.requestID(in: bytes.span) {
            // Our own answer with this id is JSON, whatever it is.
            let body = ErrorResponse.malformed.body(id: bytes.span.extracting(id))
            try require(NaiveJSON.read(body, depth: 8) != nil, "an answer that is no JSON: \(latin1(body))")
        }
        if case .message = StrictReading(bytes.span) { try strict(naive, bytes) }
        guard let summary = RequestSummary(of: bytes.span) else { return }
        try requireEqual(RequestSummary(of: bytes.span), summary, "read again")
        if summary.method == .batch { return }
        guard let naive, case .object = naive else { throw Finding(message: "a summary of what is no JSON object") }
        if summary.method == .response { return }
        try members(summary, naive, bytes)
        let none: [UInt8] = []
        let mismatch = RoutingHeaders.check(
            method: none.span, name: none.span, version: none.span, summary, in: bytes.span)
        try require(mismatch != nil || !summary.hasID, "a request without header fields agrees with them")
    }

    /// What is read strictly has each name of the protocol once, to readers that do not distinguish case as well.
    private static func strict(_ message: NaiveJSON?, _ bytes: [UInt8]) throws(Finding) {
        guard let message, case .object(let members) = message else { throw Finding(message: "strict, and no object") }
        try require(String(validating: bytes, as: UTF8.self) != nil, "strict, and no UTF-8")
        try once(members, ["jsonrpc", "id", "method", "params", "result", "error"])
        for params in message.members("params") {
            guard case .object(let members) = params.value else { continue }
            try once(members, ["name", "uri", "taskId", "_meta", "arguments"])
        }
    }

    private static func once(_ members: [NaiveJSON.Member], _ names: [String]) throws(Finding) {
        let texts = members.map { String(decoding: $0.name, as: UTF16.self) }
        for name in names {
            let alike = texts.filter { text in
                text.prefix { $0 != "\0" }.lowercased().replacing("ſ", with: "s") == name.lowercased()
            }
            try require(alike.isEmpty || alike == [name], "\(name) as \(alike)")
        }
    }

    private static func members(_ summary: RequestSummary, _ message: NaiveJSON, _ bytes: [UInt8]) throws(Finding) {
        let methods = message.members("method")
        guard methods.count == 1, case .string(let range, let method)? = methods.first?.value else {
            throw Finding(message: "a summary of a message with \(methods.count) methods")
        }
        try requireEqual(summary.methodText, range, "the method")
        let known = MCPMethod.allCases.first { $0.name.map { Array("\($0)".utf16) == method } ?? false }
        try requireEqual(summary.method, known ?? .other, "the method \(String(decoding: method, as: UTF16.self))")
        let ids = message.members("id")
        try require(ids.count <= 1, "two ids")
        switch ids.first?.value {
        case .string, .number: try require(summary.hasID, "has an id")
        default: try require(!summary.hasID, "has no id")
        }
        let parameters = message.members("params")
        try require(parameters.count <= 1, "params twice")
        guard let params = parameters.first else {
            try require(summary.params == nil && summary.name == nil && summary.uri == nil, "no params")
            return
        }
        try requireEqual(summary.params, params.range, "the params")
        try requireEqual(summary.name, text(params.value, "name"), "the name")
        try requireEqual(summary.uri, text(params.value, "uri"), "the URI")
        try requireEqual(summary.taskID, text(params.value, "taskId"), "the task")
        let metas = params.value.members("_meta")
        guard metas.count == 1, let meta = metas.first?.value else { return }
        let version = "io.modelcontextprotocol/protocolVersion"
        try requireEqual(summary.protocolVersion, text(meta, version), "the version")
        try requireEqual(summary.traceparent, text(meta, "traceparent"), "the trace")
    }

    /// The content of a member that is a string and stands there once.
    private static func text(_ object: NaiveJSON, _ name: String) -> Range<Int>? {
        let members = object.members(name)
        guard members.count == 1, case .string(let range, _)? = members.first?.value else { return nil }
        return range
    }

    // MARK: - Replies

    static func reply(_ input: [UInt8]) throws(Finding) {
        let (size, selector, bytes) = Pieces.cut(input)
        let format: ReplyScanner.Format = selector & 1 == 0 ? .json : .eventStream
        let single = verdict(bytes, format, size: 1)
        let cut = verdict(bytes, format, size: size)
        // In one piece, what breaks off behind a brace may count as a result.
        let mayDiffer = cut == .result(isError: false, needsInput: false)
        try require(
            cut == single || mayDiffer && format == .eventStream, "\(single) bytewise, \(cut) in pieces of \(size)")
        var scanner = ReplyScanner(format)
        scanner.scan(bytes.span, isLast: true)
        if format == .json, let naive = NaiveJSON.read(bytes, depth: 64) {
            try requireEqual(scanner.verdict, single, "in one piece")
            try verdict(single, naive)
        }
        _ = ToolListPage(response: bytes.span)
        _ = ToolListPage(events: bytes.span)
        _ = InitializeResult(of: bytes.span, isEventStream: selector & 1 != 0)
        if let answer = RPCAnswer(bytes.span), let tools = answer.tools {
            try require(tools.upperBound <= bytes.count, "tools at \(tools)")
            var hash = CatalogHash()
            _ = hash.add(bytes.span.extracting(tools))
        }
    }

    /// A message that is JSON is an error if it has one, and a result only if it has one.
    private static func verdict(_ verdict: ReplyScanner.Verdict, _ message: NaiveJSON) throws(Finding) {
        guard case .result = verdict else { return }
        guard case .object(let members) = message else { throw Finding(message: "\(verdict) of no object") }
        try require(members.contains { $0.name == Array("result".utf16) }, "\(verdict) without one")
    }

    private static func verdict(_ bytes: [UInt8], _ format: ReplyScanner.Format, size: Int) -> ReplyScanner.Verdict {
        var scanner = ReplyScanner(format)
        for piece in Pieces.of(bytes, size: size) { scanner.scan(piece.span) }
        return scanner.verdict
    }
}
