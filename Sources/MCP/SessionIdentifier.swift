import ASCII

/// The rules for a server's session id (MCP 2025-03-26, "Session Management").
package enum SessionIdentifier {
    /// The longest id of a server that is accepted, in bytes: the bound of a whole head. The SDKs' ids have at most 80,
    /// those of gateways up to a few hundred, and some are tokens of some kilobytes.
    package static var maximumLength: Int { 65_536 }

    /// Whether the bytes can be the id of a server's session: visible ASCII, 0x21 to 0x7E (MCP 2025-03-26, "Session
    /// Management"), 1 to `maximumLength` bytes. The signed id that a client sends may be longer;
    /// `SignedSessionID.parse` has its own limit.
    package static func isValid(_ id: Span<UInt8>) -> Bool {
        guard !id.isEmpty, id.count <= maximumLength else { return false }
        for index in id.indices where id[index] < 0x21 || id[index] > 0x7E { return false }
        return true
    }

    /// Whether the bytes are only `A-Z a-z 0-9 . _ -`, which no intermediary escapes or rejects.
    static func isPlain(_ id: Span<UInt8>) -> Bool {
        for index in id.indices {
            let byte = id[index]
            if Base64URL.value(of: byte) == nil, byte != UInt8(ascii: ".") { return false }
        }
        return true
    }
}
