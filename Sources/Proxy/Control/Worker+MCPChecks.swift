import Balancing
import Kernel
import Logging
import MCP
import Reactor
import Telemetry

/// Checks that speak MCP: each request has a connection of its own, and one may lead to the next. They also find out what
/// revisions a server speaks, and whether the servers of an upstream have the same tools.
extension Worker where Outside: ~Copyable {
    mutating func composeMCPCheck(_ server: Int) {
        guard let check = control.healthChecks[server] else { return }
        io.composed.clear()
        MCPCheckText.append(check.mcp, host: healthCheckHost(server), to: &io.composed)
    }

    /// More of an event stream is here, perhaps with the answer: servers need not end the stream behind it.
    mutating func judgeMCPEvents(_ connection: Handle) {
        guard let check = control.healthChecks[Int(upstreams[connection].server)], check.response.isEventStream,
            let message = MCPCheckText.response(inEvents: check.response.body.bytes)
        else { return }
        handleMCPAnswer(connection, message)
    }

    /// All of an answer is here.
    mutating func judgeMCPAnswer(_ connection: Handle) {
        guard let response = control.healthChecks[Int(upstreams[connection].server)]?.response else { return }
        let bytes = response.body.bytes
        handleMCPAnswer(
            connection, response.isEventStream ? MCPCheckText.response(inEvents: bytes) ?? [] : bytes)
    }

    private mutating func handleMCPAnswer(_ connection: Handle, _ message: [UInt8]) {
        let server = Int(upstreams[connection].server)
        let response = control.healthChecks[server]?.response ?? CheckResponse()
        closeHealthCheck(connection)
        io.received.clear()
        let answer = MCPCheck.Answer(status: response.status, sessionID: response.sessionID, body: message)
        guard let action = control.healthChecks[server]?.mcp.handle(answer, at: clock.now) else { return }
        perform(action, server)
    }

    /// The connection of a request failed, or there was no answer in time.
    mutating func interruptMCPCheck(_ server: Int, _ problem: HealthProblem) {
        guard let action = control.healthChecks[server]?.mcp.interrupted(problem) else { return }
        perform(action, server)
    }

    private mutating func perform(_ action: MCPCheck.Action, _ server: Int) {
        if let check = control.healthChecks[server], check.isEnding {
            let goesOn = check.server == servers[server].id && !servers[server].isRetired
            control.healthChecks[server] =
                goesOn && !control.isEndingHealthChecks ? HealthCheck(server: check.server) : nil
            leaveAfterHealthChecks()
            return
        }
        switch action {
        case .send: openHealthCheck(server)
        case .pass:
            learn(server)
            recordHealth(server, .passed)
        case .fail(let problem): recordHealth(server, .failed, because: problem)
        }
    }

    /// Publishes what a check has found out.
    private mutating func learn(_ server: Int) {
        guard let check = control.healthChecks[server]?.mcp else { return }
        let revisions = Int64(check.revisions.rawValue)
        if metrics.load(.revisions, server: server) != revisions {
            metrics.store(.revisions, server: server, revisions)
            metrics.writer.noteHealthChange()
        }
        let catalog = Int64(bitPattern: check.catalog)
        if catalog != 0, metrics.load(.catalog, server: server) != catalog {
            metrics.store(.catalog, server: server, catalog)
            announceCatalogs(servers.upstream(of: server))
        }
    }

    /// Says whether the servers of an upstream have the same tools, if that has changed. Servers that are down do not count,
    /// nor those whose tools are not known.
    private mutating func announceCatalogs(_ upstream: Int) {
        let members = servers.upstreams[upstream].members.filter {
            metrics.isHealthy(server: $0) && metrics.load(.catalog, server: $0) != 0
        }
        let catalogs = members.map { metrics.load(.catalog, server: $0) }
        let differs = Set(catalogs).count > 1
        // All of them must have been asked again, or a new version would be announced with each server that gets it.
        let state: [Int64] = differs ? catalogs : []
        guard control.catalogs[upstream, default: []] != state else { return }
        let wasDifferent = !control.catalogs[upstream, default: []].isEmpty
        control.catalogs[upstream] = state
        let name = servers.upstreams[upstream].plan.name
        if differs {
            var groups: [(catalog: Int64, names: [String])] = []
            for (server, catalog) in zip(members, catalogs) {
                if let index = groups.firstIndex(where: { $0.catalog == catalog }) {
                    groups[index].names.append(servers[server].plan.name)
                } else {
                    groups.append((catalog, [servers[server].plan.name]))
                }
            }
            let text = groups.map { $0.names.joined(separator: ", ") }.joined(separator: " | ")
            control.log?.warning(
                "servers of upstream \(name) have different tools: \(text)", metadata: ["upstream": "\(name)"])
        } else if wasDifferent {
            control.log?.notice(
                "servers of upstream \(name) have the same tools again", metadata: ["upstream": "\(name)"])
        }
    }
}
