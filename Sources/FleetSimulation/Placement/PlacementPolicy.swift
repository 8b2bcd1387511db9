import Balancing

/// How new sessions are placed.
package enum PlacementPolicy: String, CaseIterable, Codable, Sendable {
    case roundRobin = "round-robin"
    case powerOfTwo = "power-of-two"
    case leastRequests = "least-requests"
    /// By the ring of the proxy, over a key that the session's id carries.
    case sessionHash = "session-hash"
    /// By the ring of the proxy, over the client's address.
    case addressHash = "ip-hash"
    /// By the table of the Maglev paper, over a key of the session. Berth does not have it.
    case maglev

    /// What the proxy calls it; nil: it does not have it.
    var policy: Policy? {
        switch self {
        case .roundRobin: .roundRobin
        case .powerOfTwo: .powerOfTwo
        case .leastRequests: .leastRequests
        case .sessionHash: .sessionHash
        case .addressHash: .ipHash
        case .maglev: nil
        }
    }

    /// Whether a key alone decides, so that all Berths choose alike.
    var isHashing: Bool { self == .sessionHash || self == .addressHash || self == .maglev }

    /// Whether the calls under way are compared.
    var comparesCalls: Bool { self == .powerOfTwo || self == .leastRequests }
}
