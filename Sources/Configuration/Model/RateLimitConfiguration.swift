/// One entry of `rate_limit`: what it counts, by what, and how much of it may be.
package struct RateLimitConfiguration: Sendable, Equatable {
    /// What tells those apart who have a limit each.
    package enum Key: Sendable, Equatable {
        /// The client's address; of an IPv6 address the first 64 bits.
        case address
        /// The session, once its id is verified; the address where there is none.
        case session
        /// The value of a header field, by its name in lower case; the address where the field is missing.
        case header(String)
        /// Nothing: all requests of the route have one limit.
        case route
        /// A claim of the caller, by its name; the caller, whoever it is, where the claim is missing.
        case claim(String)

        /// As a file has it.
        package var text: String {
            switch self {
            case .address: "ip"
            case .session: "session"
            case .header(let name): "header:\(name)"
            case .route: "route"
            case .claim(let name): "claim:\(name)"
            }
        }
    }

    /// Who has a limit each.
    package var key: Key
    /// The JSON-RPC method that counts, in which `*` stands for any text; nil: every one.
    package var method: String?
    /// The tool whose calls count, in which `*` stands for any text; nil: everything counts.
    package var tool: String?
    /// How many in a time; nil: as many as there may be in progress.
    package var rate: RateText?
    /// How many at once after a pause; nil: as many as in the time of the rate.
    package var burst: Int?
    /// How many may be in progress; nil: any number.
    package var concurrency: Int?
    /// Where the rate is shared with other Berths; nil: this one counts for itself.
    package var store: StoreConfiguration?

    package init(key: Key) {
        self.key = key
    }

    /// Whether both count the same requests by the same rate, wherever that is shared.
    func limitsTheSame(as other: RateLimitConfiguration) -> Bool {
        var copy = self
        copy.store = other.store
        return copy == other
    }

    /// Entries of one route, at most.
    static let maximumEntries = 16
}

extension [RateLimitConfiguration] {
    /// The claims by which they count, each once, in the order of the file.
    var countedClaims: [String] {
        var claims: [String] = []
        for limit in self {
            if case .claim(let name) = limit.key, !claims.contains(name) { claims.append(name) }
        }
        return claims
    }
}
