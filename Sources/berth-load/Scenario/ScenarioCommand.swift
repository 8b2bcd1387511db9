import ArgumentParser
import Foundation
import Load

/// `berth-load scenario`
struct ScenarioCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scenario",
        abstract: "Makes the runs of a scenario file and shows them side by side.",
        discussion: """
            Exits as run does, and with 2 if there is an error in the file; each is told with its line and column.
            """)

    @Argument(help: "The scenario (TOML), as those in bench/scenarios.")
    var file: String

    @Option(help: ArgumentHelp("The MCP endpoint, instead of any that the file names.", valueName: "url"))
    var url: String?

    @Option(help: "Seconds measured in each run, instead of what the file says.")
    var seconds: Double?

    @Flag(help: "Accept any certificate.")
    var insecure = false

    @Flag(help: "Only check the file.")
    var check = false

    @OptionGroup var output: OutputOptions

    func validate() throws {
        _ = try target()
    }

    func run() throws {
        let scenario = try scenario()
        guard !check else { return print("\(file): good. \(scenario.runs.count) runs.") }
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
            FileHandle.standardError.write(Data("\(errors)\n".utf8))
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
