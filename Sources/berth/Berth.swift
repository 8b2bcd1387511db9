import ArgumentParser

/// The command line. Everything it does is done elsewhere.
@main
struct Berth: ParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "berth",
        abstract: "The load balancer for MCP servers: every session keeps its replica.",
        discussion: """
            Try it:            berth demo
            Check a file:      berth check /etc/berth/berth.toml
            Run it:            berth run /etc/berth/berth.toml

            The smallest file that is safe in production:

              [listen]
              https = ":443"
              cert  = "/etc/berth/mcp.pem"
              key   = "/etc/berth/mcp.key"

              [upstream.mcp]
              servers = ["mcp-1:3001", "mcp-2:3001", "mcp-3:3001"]
            """,
        version: version,
        subcommands: [RunCommand.self, CheckCommand.self, DemoCommand.self, VersionCommand.self])
}
