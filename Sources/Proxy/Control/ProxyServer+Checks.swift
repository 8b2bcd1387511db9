import MCP
import Telemetry

extension ProxyServer {
    /// The protocol revisions that a server speaks, by its slot, as its mcp checks have found out; empty: not known.
    package func revisions(server: Int) -> [String] {
        ProtocolRevisions(rawValue: UInt16(truncatingIfNeeded: metrics.view.load(.revisions, server: server))).names
    }
}
