import ArgumentParser

@main
struct BerthLoad: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "berth-load",
        abstract: "Loads an MCP endpoint, and checks that every answer is true.",
        subcommands: [RunCommand.self, ScenarioCommand.self, ReportCommand.self, ServeCommand.self],
        defaultSubcommand: RunCommand.self)
}
