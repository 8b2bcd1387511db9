import FoundationEssentials
import Kernel
import Proxy

/// The document of `/sessions`: those used last, first. No id is in it, only digests that ids do not follow from.
struct SessionsPage: Encodable {
    /// One session.
    struct Session: Encodable {
        var digest: String
        var upstream: String
        /// `host:port`.
        var server: String
        var ageSeconds: Double
        /// Since its last use, as far as that was noted.
        var idleSeconds: Double
        var recoveries: Int
        /// It was opened anew on another server.
        var recovered: Bool
        /// It may hold state that cannot be brought to another server.
        var dirty: Bool
        var learned: Bool
        var forgotten: Bool

        init(_ summary: SessionSummary) {
            digest = summary.digest
            upstream = summary.upstream
            server = summary.server
            ageSeconds = (Double(summary.age.nanoseconds) / 1e8).rounded() / 10
            idleSeconds = (Double(summary.idle.nanoseconds) / 1e8).rounded() / 10
            recoveries = summary.recoveries
            recovered = summary.recoveries > 0
            dirty = summary.isDirty
            learned = summary.isLearned
            forgotten = summary.isForgotten
        }
    }

    /// How many match, listed or not.
    var total: Int
    var sessions: [Session]

    /// The most that one page lists.
    static let longest = 10_000

    init(_ listing: SessionListing) {
        total = listing.total
        sessions = listing.sessions.map(Session.init)
    }
}

extension SessionQuery {
    /// The query of a target: `upstream`, `server`, `digest` and `limit`.
    init(query: String) {
        let items = URLComponents(string: "?" + query)?.queryItems ?? []
        self.init { name in items.first { $0.name == name }?.value }
    }

    /// The same from named texts; a limit that is no number is 100.
    init(parameter: (String) -> String?) {
        self.init(
            upstream: parameter("upstream"), server: parameter("server"), digest: parameter("digest")?.lowercased(),
            limit: min(max(0, parameter("limit").flatMap { Int($0) } ?? 100), SessionsPage.longest))
    }
}
