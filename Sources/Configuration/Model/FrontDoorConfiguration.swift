/// `cors` of a route: pages of which origins may read its responses (Fetch, "CORS protocol").
package enum CrossOriginConfiguration: Sendable, Equatable {
    /// Every page may: `["*"]`.
    case everybody
    /// Pages of these origins, serialised as browsers do (RFC 6454 section 6.2). At least one.
    case origins([String])

    /// Origins in one list, at most.
    static let maximumOrigins = 100
}
