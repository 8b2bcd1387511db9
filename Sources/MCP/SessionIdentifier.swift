/// What a session id may be.
package enum SessionIdentifier {
    /// The longest id of a replica that is carried, in bytes. No SDK mints more than 80; gateways mint up to a few
    /// hundred.
    package static var maximumLength: Int { 512 }

    /// Whether the bytes can be the id of a replica's session: visible ASCII, 0x21 to 0x7E (MCP 2025-03-26,
    /// "Session Management"), and not longer than `maximumLength`. What a client presents may be longer, as it is
    /// sealed: `SignedSessionID.parse` has its own bound.
    package static func isValid(_ id: Span<UInt8>) -> Bool {
        guard !id.isEmpty, id.count <= maximumLength else { return false }
        for index in id.indices where id[index] < 0x21 || id[index] > 0x7E { return false }
        return true
    }

    /// Whether the bytes use only `A-Z a-z 0-9 . _ -`, the letters that no middlebox has an opinion about.
    static func isPlain(_ id: Span<UInt8>) -> Bool {
        for index in id.indices {
            let byte = id[index]
            if Base64URL.value(of: byte) == nil, byte != UInt8(ascii: ".") { return false }
        }
        return true
    }
}
