/// How new sessions, and requests that may go to any server, are placed. A session stays with its server whatever the
/// policy is.
package enum Policy: Equatable, Sendable {
    /// In turn, in proportion to weight, as evenly as can be.
    case roundRobin
    /// By a hash of the client's address.
    case ipHash
    /// By a hash of a key that the proxy draws and the session id carries.
    case sessionHash
    /// The server with the fewest calls in progress for its weight.
    case leastRequests
    /// The less busy of two servers drawn at random.
    case powerOfTwo

    /// Whether servers are chosen by consistent hashing of a key.
    package var isHashing: Bool { self == .ipHash || self == .sessionHash }
}
