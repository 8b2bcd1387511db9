/// How new sessions, and requests that may go anywhere, are placed. Keeping a session where it is, is no matter of
/// policy.
package enum Policy: Equatable, Sendable {
    /// In turn, in proportion to weight, as evenly as can be.
    case roundRobin
    /// By the client's address.
    case ipHash
    /// By a key that Berth mints and the session carries.
    case sessionHash
    /// Where the fewest calls are in progress for its weight.
    case leastRequests
    /// The less busy of two drawn at random.
    case powerOfTwo
}
