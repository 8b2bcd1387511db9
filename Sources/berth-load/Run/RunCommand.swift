import ArgumentParser
import Foundation
import Load

/// `berth-load run`, which is also what `berth-load` alone means.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Makes load on an MCP endpoint and reports what came of it.",
        discussion: """
            Exits with 0 if all was well, with 1 if an answer was wrong or a call failed, and with 2 if there was \
            nothing to measure.
            """)

    @OptionGroup var options: PlanOptions

    @Flag(help: "Failed calls do not fail the run; wrong answers do all the same.")
    var allowFailures = false

    @Flag(help: "Nothing on the terminal but errors.")
    var quiet = false

    func validate() throws {
        _ = try options.plan()
    }

    func run() throws {
        let figures: RunFigures
        do throws(LoadError) {
            let load = try LoadRun(try options.plan())
            figures = try load.finish()
        } catch {
            FileHandle.standardError.write(Data("berth-load: \(error)\n".utf8))
            throw ExitCode(2)
        }
        if !quiet { PlainReport.write(figures) }
        if figures.wrongCount > 0 || (figures.failedCount > 0 && !allowFailures) { throw ExitCode(1) }
    }
}
