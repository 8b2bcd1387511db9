import ArgumentParser
import Foundation
import Load
import LoadReport

/// `berth-load report`
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Show the runs of several reports side by side.",
        discussion: """
            Reads reports that were written with --json and prints one table of all runs. Exits with 0 if all calls were \
            correct, with 1 if any answer was wrong or any call failed, with 2 if a report cannot be read.
            """)

    @Argument(help: "JSON reports, in the order in which to show their runs.")
    var files: [String]

    @Option(help: "Write an HTML page with charts to this file.")
    var html: String?

    @Option(help: "Write all runs as one JSON report to this file; - for standard output.")
    var json: String?

    @Option(help: "Title of the page.")
    var title = ""

    @Flag(help: "Do not print the table.")
    var quiet = false

    func run() throws {
        var runs: [RunFigures] = []
        for file in files { runs += try ReportFiles.read(file).runs }
        let output = ReportFiles(json: json, html: html, title: title)
        try output.write(runs)
        if !quiet, json != "-" { ReportFiles.printTable(runs) }
        if runs.contains(where: { $0.wrongCount > 0 || $0.failedCount > 0 }) { throw ExitCode.failure }
    }
}
