import ArgumentParser
import Configuration
import FoundationEssentials

/// The command `berth`; each subcommand is a type of its own.
@main
struct Berth: ParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "berth",
        abstract: "A load balancer for MCP servers with session affinity.",
        discussion: """
            Try it:                  berth demo
            Prove it:                berth prove
            Come from nginx:         berth import /etc/nginx/nginx.conf
            Check a configuration:   berth check /etc/berth/berth.toml
            Run it:                  berth run /etc/berth/berth.toml

            A minimal configuration for production:

              [listen]
              https = ":443"
              cert  = "/etc/berth/mcp.pem"
              key   = "/etc/berth/mcp.key"

              [upstream.mcp]
              servers = ["mcp-1:3001", "mcp-2:3001", "mcp-3:3001"]
            """,
        version: version,
        subcommands: [
            RunCommand.self, CheckCommand.self, ReloadCommand.self, StatusCommand.self, TopCommand.self,
            ServerCommand.self, DrainCommand.self, SessionsCommand.self, ForgetCommand.self, PurgeCommand.self,
            WhoseCommand.self,
            ExplainCommand.self, LogsCommand.self, LogLevelCommand.self, UpgradeCommand.self, DemoCommand.self,
            ProveCommand.self, ImportCommand.self, SchemaCommand.self, VersionCommand.self, LaunchCommand.self,
            ReplicaCommand.self,
        ])

    /// The names of the subcommands.
    static var commands: Set<String> { Set(configuration.subcommands.compactMap { $0.configuration.commandName }) }
    /// The path of this executable.
    static let executable = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "berth"

    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if let message = unknownSubcommand(in: arguments) { exit(withError: ValidationError(message)) }
        main(arguments)
    }

    /// The error message if the first argument is neither an option nor a subcommand, or an option by which other
    /// programs take their configuration file; nil otherwise.
    static func unknownSubcommand(in arguments: [String]) -> String? {
        if arguments.count == 2, ["-c", "-f", "--config", "--file"].contains(arguments[0]) {
            return "the configuration file needs no option; did you mean \"berth run \(arguments[1])\"?"
        }
        if let first = arguments.first, commands.contains(first) { return nil }
        return Suggestion.unknownCommand(
            in: arguments,
            known: configuration.subcommands.filter { $0.configuration.shouldDisplay }.compactMap {
                $0.configuration.commandName
            },
            instead: { $0.hasSuffix(".toml") ? "berth run \($0)" : nil })
    }
}
