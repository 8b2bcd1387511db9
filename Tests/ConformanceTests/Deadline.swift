/// A condition did not hold before its deadline.
struct DeadlinePassed: Error, CustomStringConvertible {
    let description: String
}

/// Calls `attempt()` every 10 ms and returns its first value that is not nil.
///
/// - Throws: `DeadlinePassed` after `limit`, or what `attempt` throws.
func eventually<Value>(
    _ what: String, within limit: Duration, _ attempt: () async throws -> Value?
) async throws -> Value {
    let clock = ContinuousClock()
    let end = clock.now + limit
    while true {
        if let value = try await attempt() { return value }
        if clock.now > end { throw DeadlinePassed(description: "\(what): not within \(limit)") }
        try await Task.sleep(for: .milliseconds(10))
    }
}
