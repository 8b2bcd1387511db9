import MCP

/// What a message asks of a server's tools, so that every reader must take it for the same. Nothing is copied of a message as
/// clients write them.
enum CalledTool: Equatable {
    /// Nothing.
    case none
    /// It asks which tools there are.
    case list
    /// It calls the tool of this name, which stands there in the body, without escapes.
    case tool(Range<Int>)
    /// It calls the tool of this name, which is written with escapes.
    case escapedTool([UInt8])
    /// Readers may differ: it is no JSON, or a batch, or has a name twice or in another spelling, or a NUL in what it asks for.
    case unclear

    /// Reads the whole body of a POST; `known` is its summary, if somebody has that.
    init(of body: Span<UInt8>, known: RequestSummary?) {
        guard (try? UTF8Span(validating: body)) != nil, let summary = known ?? RequestSummary(of: body),
            MessageNames.arePlain(in: body), summary.hasSoundTexts(in: body), let method = summary.plainMethod(in: body)
        else {
            self = .unclear
            return
        }
        switch method {
        case .batch: self = .unclear
        case .toolsList: self = .list
        case .toolsCall: self = summary.name.map { Self.tool(at: $0, in: body) } ?? .unclear
        default: self = .none
        }
    }

    private static func tool(at range: Range<Int>, in body: Span<UInt8>) -> CalledTool {
        let content = body.extracting(range)
        guard JSONText.hasEscape(content) else { return .tool(range) }
        return JSONText.unescaped(content).map(CalledTool.escapedTool) ?? .unclear
    }
}
