import ArgumentParser
import LoadReport

/// `berth status`
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show the servers of a running Berth, and the configuration that it runs by.",
        discussion: "The same figures, and more, are in JSON at /stats of the admin address. Needs admin in [global].")

    @OptionGroup var berth: RunningBerth

    func run() throws {
        try berth.withClient { client in print(try StatusSummary(client).text, terminator: "") }
    }
}

/// What `/stats` says, as far as commands show it.
struct StatusSummary: Decodable {
    struct Pool: Decodable {
        var active: Int
        var waiting: Int
    }

    struct Errors: Decodable {
        var badGateway, unavailable, timedOut: Int

        var count: Int { badGateway + unavailable + timedOut }
    }

    struct Server: Decodable {
        var address: String
        /// In one word.
        var state: String
        /// Why its last check failed; missing if that passed.
        var reason: String?
        var backup: Bool
        var weight: Int
        var pool: Pool
        var streams: Int
        var sessions: Int
        var requests: Int
        var errors: Errors

        /// It has nothing to do, and nobody will come back to it.
        var isEmpty: Bool { pool.active <= 0 && streams <= 0 && sessions <= 0 }
        var text: String { "\(sessions) sessions, \(pool.active) calls, \(streams) streams" }
    }

    struct Upstream: Decodable {
        var name: String
        var servers: [Server]
    }

    struct Configuration: Decodable {
        var hash: String
        var lastError: String?
    }

    private(set) var pid: Int
    private(set) var uptimeSeconds: Double
    private(set) var clients: Int
    private(set) var draining: Bool
    private(set) var configuration: Configuration?
    private(set) var upstreams: [Upstream]

    init(_ client: AdminClient) throws { self = try client.page("/stats") }

    /// A server by its upstream and address, `upstream/host:port`; nil if there is none.
    func server(_ path: String) -> Server? {
        for upstream in upstreams {
            if let server = upstream.servers.first(where: { "\(upstream.name)/\($0.address)" == path }) {
                return server
            }
        }
        return nil
    }

    /// A line about the process, what is wrong, and a table of servers.
    var text: String {
        var lines = ["pid \(pid), up \(NumberFormat.clock(seconds: uptimeSeconds)), \(clients) clients"]
        if let configuration { lines[0] += ", configuration \(configuration.hash.prefix(8))" }
        if draining { lines.append("draining: it ends when its calls and streams have") }
        for upstream in upstreams where !upstream.servers.contains(where: { $0.state == "healthy" }) {
            lines.append("upstream \(upstream.name) has no healthy server that takes new sessions")
        }
        for upstream in upstreams {
            for server in upstream.servers where server.state == "down" {
                lines.append("\(upstream.name)/\(server.address) is down\(server.reason.map { ": \($0)" } ?? "")")
            }
        }
        if let error = configuration?.lastError { lines.append("the last reload was rejected:\n\(error)") }
        return lines.joined(separator: "\n") + "\n\n" + table
    }

    /// The servers, a line each.
    var table: String {
        var table = TextTable(
            ["server", "state", "weight", "sessions", "calls", "streams", "waiting", "requests", "failures"],
            leading: [0, 1])
        for upstream in upstreams {
            for server in upstream.servers {
                table.append([
                    "\(upstream.name)/\(server.address)", server.state + (server.backup ? ", backup" : ""),
                    "\(server.weight)", "\(server.sessions)", "\(server.pool.active)", "\(server.streams)",
                    "\(server.pool.waiting)", "\(server.requests)", "\(server.errors.count)",
                ])
            }
        }
        return table.text
    }
}
