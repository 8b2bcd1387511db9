/// Bounds on one head.
package struct HeadLimits: Sendable {
    /// Bytes from the first of the start line to the blank line's end. More is `headTooLarge`.
    package var headBytes: Int
    /// Bytes of the request target. More is `targetTooLong`.
    package var targetBytes: Int
    /// Field lines, 1...`FieldTable.capacity`. More is `headTooLarge`.
    package var fields: Int

    package init(headBytes: Int = 65_536, targetBytes: Int = 8_192, fields: Int = 100) {
        self.headBytes = headBytes
        self.targetBytes = targetBytes
        self.fields = fields
    }
}

/// What a parser found at the start of its input.
package enum HeadOutcome: Equatable, Sendable {
    /// The head is not complete; call again, from its first byte, with more.
    case incomplete
    /// The head ends after so many bytes; the parsed head is filled in.
    case complete(Int)
    case invalid(HTTPParseError)
}
