import ArgumentParser
import Foundation
import Kernel
import Load
import LoadReport

/// `berth-load run`, which is also what `berth-load` alone means.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Makes load on an MCP endpoint and reports what came of it.",
        discussion: """
            Exits with 0 if all was well, with 1 if an answer was wrong or a call failed, and with 2 if there was \
            nothing to measure. Ctrl-C ends the run early and reports what was measured.
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
