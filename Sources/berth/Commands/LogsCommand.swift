import ArgumentParser
import Foundation

/// `berth logs`
struct LogsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Show the calls that a running Berth serves, a line each as they end.",
        discussion: """
            The running process sends them as it serves them, from now on; nothing has to be logged to a file for it. With
            --file the lines of a log file are followed in its place, over its rotation. Needs admin in [global].
            """)

    @Flag(name: .shortAndLong, help: "Go on until it is interrupted; else the last lines are printed.")
    var follow = false

    @Option(help: "Follow this log file, and ask nobody.")
    var file: String?

    @OptionGroup var berth: RunningBerth

    func run() throws {
        try RunningBerth.reporting {
            if let file { return try tail(file) }
            let client = try berth.client()
            let response = try client.follow("/logs?follow=\(follow ? 1 : 0)") { piece in
                FileHandle.standardOutput.write(Data(LogLines.text(of: piece).utf8))
            }
            switch response.status {
            case 200: return
            case 404:
                throw AdminClient.Failure(
                    description: "this Berth sends no calls; \"berth logs --follow --file FILE\" follows its access log"
                )
            default:
                throw AdminClient.Failure(description: response.body.trimmingCharacters(in: .whitespacesAndNewlines))
            }
        }
    }

    /// Prints the end of a file, and with `follow` what is added to it.
    private func tail(_ path: String) throws {
        guard var tail = LogTail(path) else { throw AdminClient.Failure(description: "cannot read \(path)") }
        FileHandle.standardOutput.write(Data(tail.lastLines(10).utf8))
        while follow {
            Thread.sleep(forTimeInterval: 0.2)
            let added = tail.added()
            if !added.isEmpty { FileHandle.standardOutput.write(Data(added.utf8)) }
        }
    }
}

/// Lines of calls as a stream brings them.
enum LogLines {
    /// The lines in a piece of a stream: those of server-sent events without their field's name, others as they are.
    static func text(of piece: String) -> String {
        var lines = piece.split(separator: "\n", omittingEmptySubsequences: false)
        let endsLine = lines.last?.isEmpty ?? true
        if endsLine { lines = lines.dropLast() }
        let shown = lines.compactMap { line -> Substring? in
            if line.hasPrefix("data: ") { return line.dropFirst(6) }
            // Comments, names of events and the blank lines between them.
            let isField = ["event:", "id:", "retry:", ":"].contains { line.hasPrefix($0) }
            return line.isEmpty || isField ? nil : line
        }
        return shown.isEmpty ? "" : shown.joined(separator: "\n") + (endsLine ? "\n" : "")
    }
}

/// A file that others append to, and now and then replace by another.
struct LogTail {
    private let path: String
    private var handle: FileHandle
    private var identity: UInt64?

    init?(_ path: String) {
        guard let handle = FileHandle(forReadingAtPath: path) else { return nil }
        self.path = path
        self.handle = handle
        identity = Self.identity(path)
    }

    /// So many lines at the end of the file, of its last 64 KiB; what is added follows.
    mutating func lastLines(_ count: Int) -> String {
        let end = (try? handle.seekToEnd()) ?? 0
        try? handle.seek(toOffset: end > 65_536 ? end - 65_536 : 0)
        let text = String(decoding: (try? handle.readToEnd()) ?? Data(), as: UTF8.self)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.suffix(count + 1).joined(separator: "\n")
    }

    /// What was added since the last call. A file that another has taken the place of is read to its end first.
    mutating func added() -> String {
        var data = (try? handle.readToEnd()) ?? Data()
        let present = Self.identity(path)
        if let present, present != identity, let next = FileHandle(forReadingAtPath: path) {
            handle = next
            identity = present
            data += (try? handle.readToEnd()) ?? Data()
        } else if let offset = try? handle.offset(), let size = try? handle.seekToEnd() {
            // A file that was cut begins anew.
            try? handle.seek(toOffset: size < offset ? 0 : offset)
        }
        return String(decoding: data, as: UTF8.self)
    }

    private static func identity(_ path: String) -> UInt64? {
        (try? FileManager.default.attributesOfItem(atPath: path))?[.systemFileNumber] as? UInt64
    }
}
