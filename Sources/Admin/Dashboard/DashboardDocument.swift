/// What the dashboard is told, in parts, each of which it gets again when it has changed. Times are milliseconds, points in time
/// those since 1970; calls are those of the last five minutes where nothing else is said.
enum DashboardDocument {
    /// The process and its configuration.
    struct Process: Encodable {
        var version: String
        var pid: Int32
        var uptimeSeconds: Int
        var workers: Int
        /// Client connections open now.
        var clients: Int64
        var draining: Bool
        /// Of the configuration in force; missing without a file.
        var hash: String?
        var loadedAt: UInt64?
        var reloads: StatusDocument.Reloads?
        /// Why the last reload was rejected; missing if it was not.
        var lastError: String?
        /// What can be changed by whoever has the token: the last part of the path of each POST.
        var changes: [String]
    }

    /// All servers together.
    struct Traffic: Encodable {
        /// Calls of the last second.
        var rate: Double
        var calls: UInt64
        var failed: UInt64
        /// Those of them that a tool says failed.
        var toolErrors: UInt64
        var p50: Double?
        var p95: Double?
        var p99: Double?
        /// Of the last second's calls.
        var p95Now: Double?
        /// Calls of the last second that failed.
        var failing: Double
        var sessions: Int64
        var streams: Int64
        var waiting: Int64
        /// Sessions that went on with another server, since the start.
        var recovered: Int64
    }

    /// One upstream.
    struct Upstream: Encodable {
        var name: String
        var balance: String
        var catalogsDiffer: Bool
        /// Where its servers are found, in words; missing if all stand in the configuration.
        var source: String?
        /// Why that brings no servers now; missing if it does.
        var sourceFailure: String?
        /// The share of requests that its cache answers, 0...1, and the answers in it; missing without a cache.
        var cacheHitRate: Double?
        var cachedAnswers: Int?
        var servers: [Server]
    }

    /// One server of an upstream.
    struct Server: Encodable {
        /// Of several that hold, the first.
        enum State: String, Encodable { case removed, checking, down, ejected, draining, healthy }

        /// `upstream/host:port`, which orders name it by.
        var path: String
        var name: String
        var state: State
        /// Why its last check failed; missing if that passed.
        var reason: String?
        /// When.
        var reasonAt: UInt64?
        var draining: Bool
        /// It was found, and does not stand in the configuration.
        var discovered: Bool
        var backup: Bool
        var weight: Int32
        var revisions: [String]
        var sessions: Int64
        var streams: Int64
        /// Connections in use, and how many there may be.
        var active: Int64
        var max: Int64
        var waiting: Int64
        var rate: Double
        var calls: UInt64
        var failed: UInt64
        var p95: Double?
        var p95Now: Double?
    }

    /// One tool of an upstream.
    struct Tool: Encodable {
        var upstream: String
        var name: String
        var calls: UInt64
        var p50: Double?
        var p95: Double?
        var p99: Double?
        /// The share of calls that failed, 0...1.
        var errorRate: Double
    }

    /// The sessions used last.
    struct Sessions: Encodable {
        /// Sessions that servers are believed to hold.
        var total: Int64
        var rows: [Session]
    }

    /// One session.
    struct Session: Encodable {
        /// Stands for it in logs too.
        var id: String
        var server: String?
        var since: UInt64
        var used: UInt64
        var calls: UInt64
        var failed: UInt64
        /// How often it went on with another server.
        var recovered: UInt64
        /// What was called last.
        var last: String
        /// Its last calls, newest first; missing in the list of sessions.
        var steps: [Call]?
    }

    /// Single calls, newest first.
    struct Calls: Encodable {
        /// What a slow call took at least.
        var slowFrom: Double
        var failed: [Call]
        var slow: [Call]
    }

    /// One call.
    struct Call: Encodable {
        /// Counts all calls.
        var id: UInt64
        var at: UInt64
        var took: Double
        /// How long it waited for a connection; missing if it did not.
        var queued: Double?
        var method: String
        /// Of the tool, the prompt or the resource; empty if there is none.
        var name: String
        var outcome: String
        /// Of the JSON-RPC error; 0: there was none.
        var code: Int32
        var status: UInt16
        /// Why Berth answered itself.
        var reason: String?
        var server: String?
        /// Empty: there was none.
        var session: String
        var retries: UInt8
        var recovered: Bool
    }

    /// Where clients connect.
    struct Listener: Encodable {
        /// A name for clients to give to it.
        var name: String
        /// `//*` stands for any of the machine's addresses.
        var url: String
    }

    /// An alert.
    struct Alert: Encodable {
        /// What it is for, in a sentence.
        var name: String
        /// What has the problem; empty: the process.
        var subject: String
        /// `pending`, `firing` or `resolved`.
        var state: String
        /// `critical` or `warning`.
        var severity: String
        /// Since when it is in this state.
        var since: UInt64
        /// What is wrong, in a sentence.
        var summary: String
    }
}
