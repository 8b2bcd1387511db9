package import Reactor

/// One field line of a head, as ranges into the bytes it was parsed from.
package struct Field: BitwiseCopyable, Sendable {
    /// The name, a token.
    package var name: ByteRange
    /// The value, without the white space around it.
    package var value: ByteRange
    /// The whole line, CRLF included.
    package var line: ByteRange
    /// The field that the name stands for.
    package var kind: KnownField
    /// Whether it must not be forwarded: it is hop-by-hop by its name or named by `Connection` (RFC 9110 §7.6.1).
    package var isHopByHop: Bool

    /// Stores all five.
    package init(name: ByteRange, value: ByteRange, line: ByteRange, kind: KnownField, isHopByHop: Bool) {
        self.name = name
        self.value = value
        self.line = line
        self.kind = kind
        self.isHopByHop = isHopByHop
    }

    /// Whether a field of a server's response goes on to the client: it is not hop-by-hop (RFC 9110 §7.6.1) and frames nothing.
    /// `keepsSession`: the id of a session goes on too.
    @inlinable
    package func isForwardedInResponse(keepsSession: Bool) -> Bool {
        switch kind {
        case .transferEncoding: false
        case .mcpSessionID: keepsSession && !isHopByHop
        default: !isHopByHop
        }
    }

    /// An empty field to parse into.
    static var blank: Field {
        Field(name: .empty, value: .empty, line: .empty, kind: .other, isHopByHop: false)
    }
}
