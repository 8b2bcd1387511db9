import ASCII

/// The header fields that repeat what a message of 2026-07-28 says (MCP 2026-07-28, "Standard request headers"), compared
/// with the message. A server must do the same; a balancer that routes or limits by one of the two should not trust either
/// before both say the same.
package enum RoutingHeaders {
    /// In which way a request contradicts itself: error -32020, `HeaderMismatch`.
    package enum Mismatch: Equatable, Sendable {
        /// `Mcp-Method` is missing, or is not the message's method.
        case methodMissing, method
        /// `Mcp-Name` is missing, or is not what the message names; or it cannot be read, because of a character that does
        /// not belong there or of base64 that is not canonical.
        case nameMissing, name, nameMalformed
        /// `MCP-Protocol-Version` is not the version in `_meta`.
        case version
    }

    /// Compares the values of `Mcp-Method`, `Mcp-Name` and `MCP-Protocol-Version`, which are empty where there is no such
    /// field, with a message that is read in `summary`; nil: they agree.
    ///
    /// Left to the server: responses and batches, which the revision does not have, and members that the message lacks.
    /// Notifications need no fields, but what they have must be right.
    package static func check(
        method: Span<UInt8>, name: Span<UInt8>, version: Span<UInt8>, _ summary: RequestSummary, in body: Span<UInt8>
    ) -> Mismatch? {
        guard summary.method != .response, summary.method != .batch else { return nil }
        guard !summary.hasAmbiguousVersion else { return .version }
        if let text = summary.protocolVersion, !HeaderText(plain: version).equals(body.extracting(text)) {
            return .version
        }
        if method.isEmpty {
            if summary.hasID { return .methodMissing }
        } else if !HeaderText(plain: method).equals(body.extracting(summary.methodText)) {
            return .method
        }
        return checkName(name, summary, body)
    }

    private static func checkName(_ name: Span<UInt8>, _ summary: RequestSummary, _ body: Span<UInt8>) -> Mismatch? {
        let expected: Range<Int>?
        let isRequired: Bool
        switch summary.method {
        case .toolsCall, .promptsGet: (expected, isRequired) = (summary.name, true)
        case .resourcesRead: (expected, isRequired) = (summary.uri, true)
        case .tasksGet, .tasksUpdate, .tasksCancel: (expected, isRequired) = (summary.taskID, false)
        default: return nil
        }
        if name.isEmpty { return isRequired && expected?.isEmpty == false ? .nameMissing : nil }
        guard let text = HeaderText(name) else { return .nameMalformed }
        guard let expected else { return .name }
        return text.equals(body.extracting(expected)) ? nil : .name
    }
}
