import ArgumentParser
import Foundation
import Load
import LoadReport

/// Where the figures of runs go, and what they are to mean for whoever waits for the end.
struct OutputOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Write the figures as JSON; - is the standard output.", valueName: "file"))
    var json: String?

    @Option(help: ArgumentHelp("Write a page with charts, that needs nothing else.", valueName: "file"))
    var html: String?

    @Option(help: "What that page is called.")
    var title: String?

    @Flag(help: "Nothing on the terminal but errors.")
    var quiet = false

    @Flag(help: "Failed calls do not fail the run; wrong answers do all the same.")
    var allowFailures = false

    /// Whether the standard output is for people.
    private var isShown: Bool { !quiet && json != "-" }

    /// A screen on the standard output for a run while it lasts.
    var screen: LiveScreen {
        let mode = LiveScreen.Mode.forOutput(
            descriptor: STDOUT_FILENO, isQuiet: !isShown, environment: ProcessInfo.processInfo.environment)
        return LiveScreen(mode) { FileHandle.standardOutput.write(Data($0.utf8)) }
    }

    /// Shows and writes what came of the runs.
    func report(_ runs: [RunFigures], title name: String = "") throws {
        if isShown { ReportFiles.printTable(runs) }
        try ReportFiles(json: json, html: html, title: title ?? name).write(runs)
    }

    /// Ends the program with 1 if an answer was wrong or a call failed.
    func checkResults(_ runs: [RunFigures]) throws {
        let isBad = runs.contains { $0.wrongCount > 0 || ($0.failedCount > 0 && !allowFailures) }
        if isBad { throw ExitCode.failure }
    }
}
