import Caching
import HTTP
import JSON
import MCP
import Reactor

/// One message that asks for something, in the body that it stands in.
struct LimitedCall: ~Escapable {
    private let body: Span<UInt8>
    private let summary: RequestSummary

    @_lifetime(copy body)
    init(_ summary: RequestSummary, in body: Span<UInt8>) {
        self.summary = summary
        self.body = body
    }

    var isInitialize: Bool { if case .initialize = summary.method { true } else { false } }
    var isToolCall: Bool { if case .toolsCall = summary.method { true } else { false } }
    /// Its answer is an event stream that stays open.
    var isListen: Bool { if case .listen = summary.method { true } else { false } }

    /// Whether the method fits a pattern.
    func methodFits(_ pattern: [UInt8]) -> Bool { Self.fits(pattern, body, summary.methodText) }

    /// Whether the tool does; one that the message does not say in one way fits all.
    func toolFits(_ pattern: [UInt8]) -> Bool {
        guard let name = summary.name else { return true }
        return Self.fits(pattern, body, name)
    }

    private static func fits(_ pattern: [UInt8], _ body: Span<UInt8>, _ range: Range<Int>) -> Bool {
        let text = body.extracting(range)
        for index in text.indices where text[index] == UInt8(ascii: "\\") {
            guard let plain = JSONText.unescaped(text) else { return true }
            return NamePattern.fits(pattern.span, plain.span)
        }
        return NamePattern.fits(pattern.span, text)
    }

    /// Whether a message is never counted, because to refuse it could leave a session hanging, or have a client take the server
    /// for one of an older revision (MCP 2026-07-28): a notification, an answer to the server, `server/discover`.
    static func isExempt(_ summary: RequestSummary, in body: Span<UInt8>) -> Bool {
        switch summary.method {
        case .response, .discover: true
        default: !summary.hasID && fits(notifications, body, summary.methodText)
        }
    }

    private static let notifications = Array("notifications/*".utf8)

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
