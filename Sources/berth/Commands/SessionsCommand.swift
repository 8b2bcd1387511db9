import ArgumentParser
import LoadReport

/// `berth sessions`
struct SessionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sessions",
        abstract: "List the sessions of a running Berth, those used last first.",
        discussion: """
            A session is shown by its digest, as in the log: no id can be made of it. "berth whose" finds the digest of an id,
            and "berth forget" ends a session.
            """)

    @Option(help: "Only sessions of this upstream.")
    var upstream: String?

    @Option(help: "Only sessions of this server, as host:port or upstream/host:port.")
    var server: String?

    @Option(help: "How many at most.")
    var limit = 100

    @OptionGroup var berth: RunningBerth

    /// What `/sessions` says.
    private struct Page: Decodable {
        struct Session: Decodable {
            var digest, upstream, server: String
            var ageSeconds, idleSeconds: Double
            var recovered, dirty, forgotten: Bool

            var notes: String {
                [recovered ? "recovered" : nil, dirty ? "has state" : nil, forgotten ? "forgotten" : nil]
                    .compactMap { $0 }.joined(separator: ", ")
            }
        }

        var total: Int
        var sessions: [Session]
    }

    func run() throws {
        try berth.withClient { client in
            var query = ["limit=\(limit)"]
            if let upstream { query.append("upstream=\(AdminClient.escaped(upstream))") }
            if let server { query.append("server=\(AdminClient.escaped(server))") }
            let page: Page = try client.page("/sessions?" + query.joined(separator: "&"))
            var table = TextTable(["digest", "server", "age", "idle", ""], leading: [0, 1, 4])
            for session in page.sessions {
                table.append([
                    session.digest, "\(session.upstream)/\(session.server)",
                    NumberFormat.clock(seconds: session.ageSeconds), NumberFormat.clock(seconds: session.idleSeconds),
                    session.notes,
                ])
            }
            print(table.text, terminator: "")
            if page.total > page.sessions.count { print("and \(page.total - page.sessions.count) more") }
        }
    }
}

/// `berth forget`
struct ForgetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget",
        abstract: "Have a session's client told that the session is gone.",
        discussion: "Its next request gets 404, whereupon clients begin another session (MCP, Session Management).")

    @Argument(help: "The session's digest; see \"berth sessions\".")
    var session: String

    @OptionGroup var berth: RunningBerth

    func run() throws { try berth.withClient { client in try client.change("forget", ["session": session]) } }
}

/// `berth log-level`
struct LogLevelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log-level", abstract: "Change from which level on a running Berth writes its log.")

    @Argument(help: "trace, debug, info, notice, warning, error or critical.")
    var level: String

    @OptionGroup var berth: RunningBerth

    func run() throws { try berth.withClient { client in try client.change("log-level", ["level": level]) } }
}
