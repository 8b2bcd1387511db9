/// `retry`: requests that are sent again after a failure.
package struct RetryConfiguration: Sendable, Equatable {
    /// How often one request is sent again at most, 0...10; refused connections do not count.
    package var attempts = 2
    /// Retries for a hundred requests, 0...100, beside a few a second that are always granted.
    package var budgetPercent = 20
    /// Whether a tool that its server calls read-only or idempotent may be called again.
    package var trustsAnnotations = false

    package init() {}
}

/// How clients of the revisions before 2026-07-28 are told of faults that pass.
package enum LegacyErrors: String, Sendable, CaseIterable {
    /// By the status: 502, 503 or 504.
    case http
    /// By status 200 with a JSON-RPC error: the one answer after which every client goes on.
    case rpc200
}
