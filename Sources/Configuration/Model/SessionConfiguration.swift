/// `session`: how a session is kept with its replica.
package struct SessionConfiguration: Sendable, Equatable {
    package var affinity = SessionAffinityMode.signed
    /// How long a session may be silent before it may be forgotten, 1 s...366 days.
    package var idle = Duration.seconds(24 * 3600)

    package init() {}
}

/// Who remembers which replica owns a session.
package enum SessionAffinityMode: String, Sendable, CaseIterable {
    /// The id that the client holds says it, signed with the key of `global.secret`.
    case signed
    /// A table does; the replica's own id passes unchanged.
    case learned
    /// Nobody: every request goes where `balance` says.
    case off
}
