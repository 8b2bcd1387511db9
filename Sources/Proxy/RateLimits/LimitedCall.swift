import Caching
import HTTP
import JSON
import MCP
import Reactor

/// One message that asks for something, in the body that it stands in.
struct LimitedCall: ~Escapable {
    private let body: Span<UInt8>
    private let summary: RequestSummary
    /// By what its text says.
    private let method: MCPMethod

    /// Nil if the text of its method is malformed.
    @_lifetime(copy body)
    init?(_ summary: RequestSummary, in body: Span<UInt8>) {
        self.summary = summary
        self.body = body
        guard let method = summary.plainMethod(in: body) else { return nil }
        self.method = method
    }

    var isInitialize: Bool { if case .initialize = method { true } else { false } }
    var isToolCall: Bool { if case .toolsCall = method { true } else { false } }
    /// Its answer is an event stream that stays open.
    var isListen: Bool { if case .listen = method { true } else { false } }

    /// It is never counted, because to refuse it could leave a session hanging, or have a client take the server for one of an
    /// older revision (MCP 2026-07-28): a notification, an answer to the server, `server/discover`.
    var isExempt: Bool {
        switch method {
        case .response, .discover: true
        default: !summary.hasID && methodFits(Self.notifications)
        }
    }

    private static let notifications = Array("notifications/*".utf8)

    /// Whether the method fits a pattern.
    func methodFits(_ pattern: [UInt8]) -> Bool { Self.fits(pattern, body, summary.methodText) }

    /// Whether the tool does; one that the message does not say in one way fits all.
    func toolFits(_ pattern: [UInt8]) -> Bool {
        guard let name = summary.name else { return true }
        return Self.fits(pattern, body, name)
    }

    private static func fits(_ pattern: [UInt8], _ body: Span<UInt8>, _ range: Range<Int>) -> Bool {
        let content = body.extracting(range)
        guard JSONText.hasEscape(content) else { return NamePattern.fits(pattern.span, content) }
        guard let plain = JSONText.unescaped(content) else { return true }
        return NamePattern.fits(pattern.span, plain.span)
    }

    /// As how many requests an array of messages counts. Of one that is malformed every brace may begin one.
    static func messages(inBatch body: Span<UInt8>) -> Int {
        var reader = JSONReader()
        var count = 0
        if reader.openArray(body) {
            while reader.nextElement(body), reader.value(body) != nil { count += 1 }
        }
        if reader.failure == nil { return max(1, count) }
        var braces = 0
        for index in body.indices where body[index] == UInt8(ascii: "{") { braces += 1 }
        return max(1, braces)
    }
}
