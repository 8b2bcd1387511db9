/// How the requests of a session find its server.
package enum Scheme: String, CaseIterable, Codable, Sendable {
    /// The id says it, signed: Berth.
    case signed = "signed id (Berth)"
    /// A consistent-hash ring says it, of the session's id, for every request.
    case ring = "ring of the id"
    /// A Maglev table says it, of the session's id, for every request.
    case maglev = "Maglev of the id"
    /// A table remembers it, in the balancer that has seen the session begin.
    case learned = "learned table"
    /// A consistent-hash ring says it, of the client's address, for every request.
    case addressHash = "ip-hash"

    /// How new sessions are placed.
    package var policy: PlacementPolicy {
        switch self {
        case .signed, .learned: .roundRobin
        case .ring: .sessionHash
        case .maglev: .maglev
        case .addressHash: .addressHash
        }
    }

    /// Whether a hash says for each request anew where it goes, whoever has the session.
    var isHashing: Bool { policy.isHashing }
}
