import ArgumentParser
import Foundation
import Load

/// `berth-load scenario`
struct ScenarioCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scenario",
        abstract: "Perform the runs of a scenario file and show them side by side.",
        discussion: """
            Exits as run does, and with 2 if the file has errors; all are printed with line and column.
            """)

    @Argument(help: "The scenario file (TOML); bench/scenarios has examples.")
    var file: String

    @Option(help: ArgumentHelp("URL of the MCP endpoint; overrides those of the file.", valueName: "url"))
    var url: String?

    @Option(help: "Seconds of measuring of each run; overrides the file.")
    var seconds: Double?

    @Flag(help: "Do not verify the server's certificate.")
    var insecure = false

    @Flag(help: "Only check the file.")
    var check = false

    @OptionGroup var output: OutputOptions

    func validate() throws {
        _ = try target()
    }

    func run() throws {
        let scenario = try scenario()
        guard !check else {
            return print("\(file): valid, \(scenario.runs.count) run\(scenario.runs.count == 1 ? "" : "s")")
        }
        try RunSeries.run(scenario.runs, output: output, title: scenario.name)
    }

    private func scenario() throws -> Scenario {
        switch Scenario.load(path: file, url: try target()) {
        case .success(var scenario):
            for index in scenario.runs.indices {
                if let seconds { scenario.runs[index].seconds = seconds }
                if insecure { scenario.runs[index].trust = .anyone }
                do throws(LoadError) {
                    try scenario.runs[index].check()
                } catch {
                    throw ValidationError("\(error)")
                }
            }
            return scenario
        case .failure(let errors):
            StandardStream.error.write("\(errors)\n")
            throw ExitCode(2)
        }
    }

    private func target() throws -> Target? {
        do throws(TargetError) {
            return try url.map { text throws(TargetError) in try Target(url: text) }
        } catch {
            throw ValidationError("\(error)")
        }
    }
}
