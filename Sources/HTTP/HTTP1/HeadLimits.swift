/// Limits on the size of one head.
package struct HeadLimits: Sendable {
    /// The most bytes from the start line to the end of the blank line. More is `headTooLarge`.
    package var headBytes: Int
    /// The most bytes of the request target. More is `targetTooLong`.
    package var targetBytes: Int
    /// The most field lines, 1...`FieldTable.capacity`. More is `headTooLarge`.
    package var fields: Int

    /// Stores the limits.
    package init(headBytes: Int = 65_536, targetBytes: Int = 8_192, fields: Int = 100) {
        self.headBytes = headBytes
        self.targetBytes = targetBytes
        self.fields = fields
    }
}

/// The result of parsing a head at the start of the input.
package enum HeadOutcome: Equatable, Sendable {
    /// The head is not complete. Parse again from its first byte when more bytes have come.
    case incomplete
    /// The head is complete, has this many bytes and was stored.
    case complete(Int)
    /// The head is refused.
    case invalid(HTTPParseError)
}
