import ASCII
import HTTP
import MCP
import Reactor
import Tokens

/// Which tools a caller may call, and may know of.
extension Worker where Outside: ~Copyable {
    /// What becomes of a request by the tools that its caller may call; nil: it goes on. The request is parsed and at the front of
    /// `io.received`.
    mutating func checkTool(_ exchange: Handle, _ auth: RouteAuth, _ caller: CallerIdentity) -> PhaseResult? {
        // Some servers read a body whatever the method is.
        guard exchanges[exchange].method == .post || io.requestHead.hasBody else {
            // In its stream there may be answers to anything (MCP 2024-11-05, HTTP+SSE; 2025-03-26, "Resumability").
            if exchanges[exchange].method == .get { hideTools(exchange, auth, caller, isAnswer: false) }
            return nil
        }
        guard exchanges[exchange].isWhole else { return .respond(.tooLargeToCheck) }
        let verdict: ToolVerdict
        if let place = RequestID.undividedBody(of: io.received, io.requestHead) {
            let known = exchanges.calls.summary(exchanges[exchange].call)
            verdict = ToolVerdict(io.received.span.extracting(place), known, auth.tools, caller.scopes)
        } else {
            let body = RequestID.body(of: io.received, io.requestHead)
            guard body.count < JSONRPC.maximumBytes else { return .respond(.tooLargeToCheck) }
            verdict = ToolVerdict(body.span, nil, auth.tools, caller.scopes)
        }
        switch verdict {
        case .allowed: return nil
        case .list:
            hideTools(exchange, auth, caller, isAnswer: true)
            return nil
        case .unclear: return .respond(.unreadableForPolicy)
        case .forbidden(let name):
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

/// What a policy says of a message.
private enum ToolVerdict {
    /// It calls a tool that the scopes allow, or none.
    case allowed
    /// It asks which tools there are.
    case list
    /// It calls a tool that they do not allow.
    case forbidden(String)
    /// It cannot be told.
    case unclear

    init(_ body: Span<UInt8>, _ known: RequestSummary?, _ policy: ToolPolicy, _ scopes: Set<String>) {
        switch CalledTool(of: body, known: known) {
        case .none: self = .allowed
        case .list: self = .list
        case .unclear: self = .unclear
        case .tool(let place): self.init(tool: body.extracting(place), policy, scopes)
        case .escapedTool(let name): self.init(tool: name.span, policy, scopes)
        }
    }

    private init(tool: Span<UInt8>, _ policy: ToolPolicy, _ scopes: Set<String>) {
        self = policy.allows(tool, to: scopes) ? .allowed : .forbidden(String(decoding: tool.copied, as: UTF8.self))
    }
}
