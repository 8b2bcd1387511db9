import ArgumentParser
import Foundation

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
    }

    struct Server: Decodable {
        var address: String
        var healthy: Bool
        var draining: Bool
        var removed: Bool
        var pool: Pool
        var streams: Int
        var sessions: Int

        /// It has nothing to do, and nobody will come back to it.
        var isEmpty: Bool { pool.active <= 0 && streams <= 0 && sessions <= 0 }
        var text: String { "\(sessions) sessions, \(pool.active) calls, \(streams) streams" }
        var state: String { removed ? "removed" : draining ? "draining" : healthy ? "healthy" : "down" }
    }

    struct Upstream: Decodable {
        var name: String
        var servers: [Server]
    }

    struct Configuration: Decodable {
        var hash: String
        var lastError: String?
    }

    private var pid: Int
    private var uptimeSeconds: Double
    private var clients: Int
    private var configuration: Configuration?
    private var upstreams: [Upstream]

    init(_ client: AdminClient) throws {
        let response = try client.ask("GET", "/stats")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard response.status == 200,
            let summary = try? decoder.decode(StatusSummary.self, from: Data(response.body.utf8))
        else { throw AdminClient.Failure(description: "what answers is not Berth") }
        self = summary
    }

    /// A server by its upstream and address, `upstream/host:port`; nil if there is none.
    func server(_ path: String) -> Server? {
        for upstream in upstreams {
            if let server = upstream.servers.first(where: { "\(upstream.name)/\($0.address)" == path }) {
                return server
            }
        }
        return nil
    }

    /// A line about the process, and a table of servers.
    var text: String {
        var rows = [["server", "state", "sessions", "calls", "streams"]]
        for upstream in upstreams {
            rows += upstream.servers.map { server in
                [
                    "\(upstream.name)/\(server.address)", server.state, "\(server.sessions)", "\(server.pool.active)",
                    "\(server.streams)",
                ]
            }
        }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        var lines = ["pid \(pid), up \(Int(uptimeSeconds)) s, \(clients) clients"]
        if let configuration { lines[0] += ", configuration \(configuration.hash.prefix(8))" }
        if let error = configuration?.lastError { lines.append("the last reload was rejected:\n\(error)") }
        lines.append("")
        for row in rows {
            let cells = zip(row, widths).enumerated().map { index, cell in
                let blanks = String(repeating: " ", count: cell.1 - cell.0.count)
                return index < 2 ? cell.0 + blanks : blanks + cell.0
            }
            lines.append(cells.joined(separator: "  "))
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
