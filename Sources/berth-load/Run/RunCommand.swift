import ArgumentParser
import Foundation
import Kernel
import Load
import LoadReport

/// `berth-load run`, the default subcommand.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a load test and report its results.",
        discussion: """
            Exits with 0 if all calls were correct, with 1 if an answer was wrong or a call failed, with 2 if the run \
            could not begin. Ctrl-C ends the run early and reports what was measured.
            """)

    @OptionGroup var options: PlanOptions

    @OptionGroup var output: OutputOptions

    func run() throws {
        let plan: LoadPlan
        do throws(LoadError) {
            plan = try options.plan()
        } catch {
            throw RunSeries.exitCode(reporting: error)
        }
        try RunSeries.run([plan], output: output)
    }
}
