import ArgumentParser
import Foundation
import Kernel
import Load

extension RunSeries {
    /// What the commands do with plans: make the runs, report them, and end the program with what they came to.
    static func run(_ plans: [LoadPlan], output: OutputOptions, title: String = "") throws {
        let signals = try Signals([SIGINT, SIGTERM])
        var series = RunSeries(plans)
        var failure: LoadError?
        do throws(LoadError) {
            try series.perform(on: output.screen, until: signals)
        } catch {
            failure = error
        }
        // What was measured before a run that could not begin is worth no less.
        if !series.figures.isEmpty { try output.report(series.figures, title: title) }
        if let failure { throw exitCode(reporting: failure) }
        try output.checkResults(series.figures)
    }

    /// Says why there is nothing to measure; what the program then ends with.
    static func exitCode(reporting error: LoadError) -> ExitCode {
        FileHandle.standardError.write(Data("berth-load: \(error)\n".utf8))
        return ExitCode(2)
    }
}
