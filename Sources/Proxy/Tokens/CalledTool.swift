import ASCII
import JSON
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
    /// Readers may differ: it is no JSON, or a batch, or has a name twice or in another case.
    case unclear

    /// Reads the whole body of a POST.
    init(of body: Span<UInt8>) {
        guard (try? UTF8Span(validating: body)) != nil, let summary = RequestSummary(of: body),
            Self.hasPlainNames(body), let method = summary.plainMethod(in: body)
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

    /// Whether no member that matters stands under a name that some readers take for another: in another case, or with escapes.
    private static func hasPlainNames(_ text: Span<UInt8>) -> Bool {
        var reader = JSONReader()
        guard reader.openObject(text) else { return reader.peek(text) == UInt8(ascii: "[") }
        while let name = reader.nextName(text) {
            let bytes = text.extracting(name)
            guard isPlain(bytes, at: .message) else { return false }
            guard bytes.equals("params"), reader.peek(text) == UInt8(ascii: "{") else {
                guard reader.value(text) != nil else { return false }
                continue
            }
            guard reader.openObject(text) else { return false }
            while let inner = reader.nextName(text) {
                guard isPlain(text.extracting(inner), at: .params), reader.value(text) != nil else { return false }
            }
        }
        return reader.failure == nil && reader.isAtEnd(text)
    }

    /// Where a member stands.
    private enum Place { case message, params }

    private static func isPlain(_ name: Span<UInt8>, at place: Place) -> Bool {
        guard JSONText.hasEscape(name) else {
            return !isKnown(name, at: place, inAnyCase: true) || isKnown(name, at: place, inAnyCase: false)
        }
        guard let plain = JSONText.unescaped(name) else { return false }
        return !isKnown(plain.span, at: place, inAnyCase: true)
    }

    private static func isKnown(_ name: Span<UInt8>, at place: Place, inAnyCase: Bool) -> Bool {
        func equals(_ word: StaticString) -> Bool {
            guard name.count == word.utf8CodeUnitCount else { return false }
            return inAnyCase ? name.hasIgnoringCase(word, at: 0) : name.has(word, at: 0)
        }
        switch place {
        case .message: return equals("method") || equals("params") || equals("id") || equals("jsonrpc")
        case .params: return equals("name") || equals("arguments")
        }
    }
}
