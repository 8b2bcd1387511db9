/// The answer to a claim on something that all workers share and that has a bound.
package enum Claim: Sendable {
    /// It is counted. Whoever made the claim gives it back, once.
    case granted
    /// The bound is reached; nothing was counted.
    case denied
}

/// Whether a new client connection may stay.
package enum Admission: Sendable {
    /// It is counted, until `releaseClient`.
    case admitted
    /// There are as many as may be; it was not counted.
    case refused
}

/// What came of replacing a value that other threads may replace as well.
package enum Replacement: Sendable {
    /// The new value is there.
    case replaced
    /// Another thread was faster: nothing was changed. Read the value again.
    case outdated
}
