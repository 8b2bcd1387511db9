/// Reads HTTP/1.x request heads, strictly (RFC 9112): whatever two parsers could read in two ways is refused.
package struct RequestParser: Sendable {
    package let limits: HeadLimits

    package init(limits: HeadLimits) {
        self.limits = limits
    }

    /// Parses one head at the start of `input`. Ranges in `head` count from the first byte of `input`.
    package func parse(_ input: Span<UInt8>, into head: inout RequestHead) -> HeadOutcome {
        .incomplete
    }
}
