import HTTP
import MCP
import Reactor

/// Whether the header fields that repeat what a message says, `Mcp-Method`, `Mcp-Name` and `MCP-Protocol-Version`, say the
/// same (MCP 2026-07-28, "Standard request headers").
enum HeaderCheck {
    /// What is wrong with a parsed request at the front of `buffer`; nil: nothing.
    ///
    /// Looked at are POSTs of 2026-07-28 and later, by their header or by their message. Older revisions have no such fields.
    /// Of such a request everything must be readable, and in one way: a message that is not, or is too large to be kept,
    /// could say anything, and one that two readers read in two ways could say it to the server.
    static func fault(
        of head: borrowing RequestHead, in buffer: borrowing ByteBuffer, _ kind: RequestKind, isWhole: Bool
    ) -> ExchangeFault? {
        guard case .post = head.method else { return nil }
        let isModern = if case .modern = kind { true } else { false }
        guard isWhole else { return isModern ? .tooLargeToCheck : nil }
        let body = RequestID.body(of: buffer, head)
        guard body.count < JSONRPC.maximumBytes else { return isModern ? .tooLargeToCheck : nil }
        switch StrictReading(body.span) {
        case .message(let summary):
            guard isModern || summary.isModern else { return nil }
            return disagrees(head, in: buffer, summary, body.span) ? .headerMismatch : nil
        case .batch:
            return isModern ? .ambiguousMessage : nil
        case .flawed(let flaw):
            guard isModern || RequestSummary(of: body.span)?.isModern == true else { return nil }
            switch flaw {
            case .notJSON, .notUnicode: return .unreadableMessage
            case .notMessage, .repeatedName, .variantName, .brokenText: return .ambiguousMessage
            }
        }
    }

    /// Whether the fields of a parsed request at the front of `buffer` do not say what its message says.
    static func disagrees(
        _ head: borrowing RequestHead, in buffer: borrowing ByteBuffer, _ summary: RequestSummary, _ body: Span<UInt8>
    ) -> Bool {
        let bytes = buffer.span
        return RoutingHeaders.check(
            method: bytes.extracting(value(of: .mcpMethod, head)), name: bytes.extracting(value(of: .mcpName, head)),
            version: bytes.extracting((head.protocolVersion ?? .empty).range), summary, in: body) != nil
    }

    /// The parser has refused a head that has one of them twice.
    private static func value(of kind: KnownField, _ head: borrowing RequestHead) -> Range<Int> {
        for index in 0..<head.fields.count where head.fields[index].kind == kind {
            return head.fields[index].value.range
        }
        return 0..<0
    }
}

extension RequestSummary {
    /// The message says of itself that it is of 2026-07-28 or later, or may do so.
    fileprivate var isModern: Bool { protocolVersion != nil || hasAmbiguousVersion }
}
