/// Reads HTTP/1.x response heads. As strict as the request parser: a server that can be misread is a fault too.
package struct ResponseParser: Sendable {
    package let limits: HeadLimits

    package init(limits: HeadLimits) {
        self.limits = limits
    }

    /// Parses one head at the start of `input`. `method` is the request's: it decides whether there is a body
    /// (RFC 9112 §6.3: none for HEAD, 1xx, 204, 304 whatever the fields say).
    package func parse(_ input: Span<UInt8>, answering method: Method, into head: inout ResponseHead) -> HeadOutcome {
        .incomplete
    }
}
