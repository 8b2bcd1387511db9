/// What a reply may cost. A server that passes one of these is not read any further.
package struct ReplyLimits: Equatable, Sendable {
    /// Bytes of a whole reply, its framing included.
    package var bytes = 16 << 20
    /// Bytes of a line: a status, an error, a number or a length.
    package var line = 8_192
    /// Elements of a reply, at all depths together.
    package var elements = 65_536
    /// Arrays, sets and maps within each other.
    package static var depth: Int { 8 }

    /// The limits as they are by default.
    package init() {}
}

/// Why bytes are no reply.
package enum ReplyFault: Equatable, Sendable {
    /// No type of the protocol begins with this byte.
    case unknownType(UInt8)
    /// A number or a length is none, or does not fit.
    case badNumber
    /// A line or a value does not end with CR LF.
    case badEnd
    /// What only stands alone stands within another reply.
    case misplaced
    /// A line, a reply, the elements or the depth pass the limits.
    case tooLong, tooManyElements, tooDeep
}
