/// Something that was to happen did not, in the time given to it.
struct DeadlinePassed: Error, CustomStringConvertible {
    let description: String
}

/// The first value of `attempt()` that is not nil, asked for every 10 ms.
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
