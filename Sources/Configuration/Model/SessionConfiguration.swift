/// `session`: session affinity.
package struct SessionConfiguration: Sendable, Equatable {
    /// How a session is kept with its server.
    package var affinity = SessionAffinityMode.signed
    /// What becomes of a session whose server is gone.
    package var onLost = SessionLossPolicy.clean
    /// The time without requests after which a session may be forgotten, 1 s...366 days.
    package var idle = Duration.seconds(24 * 3600)
    /// Sessions of a server at which it gets no new one, 1...10_000_000; nil: no limit.
    package var maximumPerServer: Int?
    /// Where learned ids are shared with other Berths; nil: they are not.
    package var store: StoreConfiguration?

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

/// What becomes of a session whose server is gone.
package enum SessionLossPolicy: String, Sendable, CaseIterable {
    /// The client is told: 404.
    case never
    /// It is opened anew on another server, under the client's own id, if it provably holds no state.
    case clean
    /// It is opened anew on another server in any case.
    case always
}
