import ArgumentParser
import Configuration

/// The command `berth-load`; each subcommand is a type of its own.
@main
struct BerthLoad: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "berth-load",
        abstract: "Load-test an MCP endpoint and check every response.",
        subcommands: [RunCommand.self, ScenarioCommand.self, ReportCommand.self, ServeCommand.self],
        defaultSubcommand: RunCommand.self)

    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if let message = unknownSubcommand(in: arguments) { exit(withError: ValidationError(message)) }
        main(arguments)
    }

    /// The error message if the first argument is neither an option nor a subcommand; nil otherwise.
    static func unknownSubcommand(in arguments: [String]) -> String? {
        Suggestion.unknownCommand(
            in: arguments, known: configuration.subcommands.compactMap { $0.configuration.commandName },
            instead: { word in
                if word.hasPrefix("http://") || word.hasPrefix("https://") { return "berth-load --url \(word)" }
                if word.hasSuffix(".toml") { return "berth-load scenario \(word)" }
                return word.hasSuffix(".json") ? "berth-load report \(word)" : nil
            })
    }
}
