/// `session`: session affinity.
package struct SessionConfiguration: Sendable, Equatable {
    /// How a session is kept with its server.
    package var affinity = SessionAffinityMode.signed
    /// The time without requests after which a session may be forgotten, 1 s...366 days.
    package var idle = Duration.seconds(24 * 3600)

    package init() {}
}

/// How the server of a session is found.
package enum SessionAffinityMode: String, Sendable, CaseIterable {
    /// The session id names the server, and is signed with the key of `global.secret`.
    case signed
    /// A table maps the server's own session id, which is forwarded unchanged.
    case learned
    /// No affinity: every request goes to the server that `balance` selects.
    case off
}
