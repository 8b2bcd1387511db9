import ArgumentParser
import Foundation
import Load
import LoadReport

/// The options for output and exit code.
struct OutputOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Write a JSON report to this file; - for standard output.", valueName: "file"))
    var json: String?

    @Option(help: ArgumentHelp("Write an HTML page with charts to this file.", valueName: "file"))
    var html: String?

    @Option(help: "Title of the page.")
    var title: String?

    @Flag(help: "Print only errors.")
    var quiet = false

    @Flag(help: "Exit with 0 if calls failed but no answer was wrong.")
    var allowFailures = false

    @Flag(inversion: .prefixedNo, help: "Ask the server for its protocol revision and its tools before a run.")
    var preflight = true

    /// Whether the live view and the table are printed to standard output.
    private var isShown: Bool { !quiet && json != "-" }

    /// The live view on standard output.
    var screen: LiveScreen {
        let mode = LiveScreen.Mode.forOutput(
            descriptor: STDOUT_FILENO, isQuiet: !isShown, environment: ProcessInfo.processInfo.environment)
        return LiveScreen(mode) { StandardStream.output.write($0) }
    }

    /// Prints the table and writes the report files.
    func report(_ runs: [RunFigures], title name: String = "") throws {
        if isShown { ReportFiles.printTable(runs) }
        try ReportFiles(json: json, html: html, title: title ?? name).write(runs)
    }

    /// Throws the exit code 1 if an answer was wrong or a call failed.
    func checkResults(_ runs: [RunFigures]) throws {
        let isBad = runs.contains { $0.wrongCount > 0 || ($0.failedCount > 0 && !allowFailures) }
        if isBad { throw ExitCode.failure }
    }
}
