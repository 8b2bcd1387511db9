package import Kernel

/// What an operator may see of a session: nothing by which it could be taken over.
package struct SessionSummary: Sendable, Equatable {
    /// 16 hexadecimal digits, as all logs have them.
    package var digest: String
    /// The name of its upstream.
    package var upstream: String
    /// The server that has it now, as `host:port`.
    package var server: String
    /// Since it was opened here, or seen first.
    package var age: Interval
    /// Since its last use, as far as it was noted: a session that is busy is noted once a minute.
    package var idle: Interval
    /// Times that it was opened anew on another server.
    package var recoveries: Int
    /// It may hold state that cannot be brought to another server.
    package var isDirty: Bool
    /// Its id is the server's own, and whose it is was learned.
    package var isLearned: Bool
    /// An operator has ordered that its client is told that it is gone.
    package var isForgotten: Bool
}

/// Which sessions are asked for.
package struct SessionQuery: Sendable, Equatable {
    /// Nil: of any upstream.
    package var upstream: String?
    /// As `host:port` or `upstream/host:port`; nil: of any server.
    package var server: String?
    /// Nil: all.
    package var digest: String?
    /// How many at most, those used last first.
    package var limit: Int

    package init(upstream: String? = nil, server: String? = nil, digest: String? = nil, limit: Int = 100) {
        self.upstream = upstream
        self.server = server
        self.digest = digest
        self.limit = limit
    }
}

/// Sessions that a query has found.
package struct SessionListing: Sendable, Equatable {
    /// Those used last first, no more than were asked for.
    package var sessions: [SessionSummary] = []
    /// How many match.
    package var total = 0
}
