import ArgumentParser
import Foundation
import Load
import LoadReport

/// The files to which the figures of runs are written.
struct ReportFiles {
    /// The path of the JSON report, or "-" for standard output; nil for none.
    var json: String?
    /// The path of the HTML page, or "-" for standard output; nil for none.
    var html: String?
    /// Title of the page; if empty, made from the runs' names.
    var title = ""

    func write(_ runs: [RunFigures]) throws {
        if let json { try Self.write(try ReportDocument(runs: runs).json(), to: json) }
        if let html { try Self.write(ReportPage(runs, title: title).html(), to: html) }
    }

    static func read(_ path: String) throws -> ReportDocument {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw failure("\(path) cannot be read")
        }
        do throws(ReportError) {
            return try ReportDocument(json: String(decoding: data, as: UTF8.self), from: path)
        } catch {
            throw failure("\(error)")
        }
    }

    static func printTable(_ runs: [RunFigures]) {
        let style = TerminalStyle.forOutput(
            descriptor: STDOUT_FILENO, environment: ProcessInfo.processInfo.environment)
        StandardStream.output.write(RunTable.text(runs, style: style))
    }

    private static func write(_ text: String, to path: String) throws {
        if path == "-" { return StandardStream.output.write(text) }
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        } catch {
            throw failure("\(path) cannot be written")
        }
    }

    /// Prints an error. Returns the exit code 2.
    private static func failure(_ text: String) -> ExitCode {
        StandardStream.error.write("berth-load: \(text)\n")
        return ExitCode(2)
    }
}
