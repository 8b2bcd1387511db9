import HTTP
import JSON
import MCP
import Reactor
import Tokens

/// Which tools a caller may call, and may know of.
extension Worker where Outside: ~Copyable {
    /// What becomes of a request by the tools that its caller may call; nil: it goes on. The request is parsed and at the front of
    /// `io.received`.
    mutating func checkTool(_ exchange: Handle, _ auth: RouteAuth, _ caller: CallerIdentity) -> PhaseResult? {
        switch exchanges[exchange].method {
        case .post: break
        case .get:
            // In its stream there may be answers to anything (MCP 2024-11-05, HTTP+SSE; 2025-03-26, "Resumability").
            hideTools(exchange, auth, caller, isAnswer: false)
            return nil
        default: return nil
        }
        guard exchanges[exchange].isWhole else { return .respond(.tooLargeToCheck) }
        let body = RequestID.body(of: io.received, io.requestHead)
        guard body.count < JSONRPC.maximumBytes else { return .respond(.tooLargeToCheck) }
        switch CalledTool(of: body) {
        case .none: return nil
        case .list:
            hideTools(exchange, auth, caller, isAnswer: true)
            return nil
        case .unclear: return .respond(.unreadableForPolicy)
        case .tool(let name):
            guard !auth.tools.allows(name, to: caller.scopes) else { return nil }
            challenge(
                exchange, auth, error: ("insufficient_scope", "the token does not allow this tool"),
                scopes: auth.tools.scopes(allowing: name))
            return .respond(.insufficientScope)
        }
    }

    private mutating func hideTools(_ exchange: Handle, _ auth: RouteAuth, _ caller: CallerIdentity, isAnswer: Bool) {
        let allowed = auth.tools.tools(of: caller.scopes)
        if !allowed.isEverything { exchanges.toolFilters.insert(allowed, isAnswer: isAnswer, for: exchange.slot) }
    }
}

/// The tool that a message calls, so that every reader must take it for the same.
enum CalledTool: Equatable {
    /// The message calls no tool.
    case none
    /// It asks which tools there are.
    case list
    case tool(String)
    /// Readers may differ: it is no JSON, or a batch, or has a name twice or in another case.
    case unclear

    init(of body: [UInt8]) {
        let text = body.span
        guard String(validating: body, as: UTF8.self) != nil, let summary = RequestSummary(of: text),
            Self.hasPlainNames(text)
        else {
            self = .unclear
            return
        }
        // Compared without escapes: `tools\\/call` is the same method.
        let method = JSONText.unescaped(body[summary.methodText])
        switch summary.method {
        case .batch: self = .unclear
        case _ where method == "tools/call":
            guard let range = summary.name, let name = JSONText.unescaped(body[range]) else {
                self = .unclear
                return
            }
            self = .tool(name)
        case _ where method == "tools/list": self = .list
        default: self = .none
        }
    }

    /// Whether no member that matters stands under a name that some readers take for another: in another case, or with escapes.
    private static func hasPlainNames(_ text: Span<UInt8>) -> Bool {
        var reader = JSONReader()
        guard reader.openObject(text) else { return reader.peek(text) == UInt8(ascii: "[") }
        while let name = reader.nextName(text) {
            let bytes = text.extracting(name)
            guard isPlain(bytes, ["method", "params", "id", "jsonrpc"]) else { return false }
            guard JSONString.content(bytes, equals: "params"), reader.peek(text) == UInt8(ascii: "{") else {
                guard reader.value(text) != nil else { return false }
                continue
            }
            guard reader.openObject(text) else { return false }
            while let inner = reader.nextName(text) {
                guard isPlain(text.extracting(inner), ["name", "arguments"]), reader.value(text) != nil else {
                    return false
                }
            }
        }
        return reader.failure == nil && reader.isAtEnd(text)
    }

    private static func isPlain(_ name: Span<UInt8>, _ known: [String]) -> Bool {
        let text = String(decoding: name.indices.map { name[$0] }, as: UTF8.self)
        guard let plain = JSONText.unescaped(text) else { return false }
        return known.contains(text) || !known.contains(plain.lowercased())
    }
}
