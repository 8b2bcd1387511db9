import ArgumentParser
import Foundation
import Kernel
import Load

extension RunSeries {
    /// Performs the runs of a command, reports them, and throws the exit code.
    static func run(_ plans: [LoadPlan], output: OutputOptions, title: String = "") throws {
        let signals = try Signals([SIGINT, SIGTERM])
        var series = RunSeries(plans, asksFirst: output.preflight) { text in
            if !output.quiet { writeLine(text) }
        }
        var failure: LoadError?
        do throws(LoadError) {
            try series.perform(on: output.screen, until: signals)
        } catch {
            failure = error
        }
        // Earlier runs are reported even if a later one cannot begin.
        if !series.figures.isEmpty { try output.report(series.figures, title: title) }
        if let failure { throw exitCode(reporting: failure) }
        try output.checkResults(series.figures)
    }

    /// Prints why a run cannot begin. Returns the exit code 2.
    static func exitCode(reporting error: LoadError) -> ExitCode {
        writeLine("\(error)")
        return ExitCode(2)
    }

    private static func writeLine(_ text: String) {
        StandardStream.error.write("berth-load: \(text)\n")
    }
}
