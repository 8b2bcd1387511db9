import ArgumentParser
import Foundation
import Load
import LoadReport

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Show the runs of several reports side by side.",
        discussion: """
            Reads what --json wrote and prints one table of all runs. Ends with 1 if any answer was wrong or failed, so \
            that a script may judge reports long after the runs.
            """)

    @Argument(help: "Reports in JSON, in the order in which their runs are to be shown.")
    var files: [String]

    @Option(help: "Write a page with charts, that needs nothing else, to this file.")
    var html: String?

    @Option(help: "Write all runs as one report in JSON to this file; - is the standard output.")
    var json: String?

    @Option(help: "What the page is called.")
    var title = ""

    @Flag(help: "Print no table.")
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
