import ArgumentParser
import Foundation

/// `berth logs`
struct LogsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Show the calls that a running Berth serves, a line each as they end.",
        discussion: """
            The running process sends them as they end, from now on, as JSON; nothing has to be logged to a file for it. Where
            this command is too slow, lines are left out, and it says how many. Needs admin in [global]. With --file the lines
            of a log file are followed in its place, over its rotation.
            """)

    @Flag(name: .shortAndLong, help: "Go on until it is interrupted; of a file, else the last lines are printed.")
    var follow = false

    @Flag(help: "Only calls that failed.")
    var failed = false

    @Option(help: ArgumentHelp("Only calls that took this long, such as 1s.", valueName: "duration"))
    var slow: String?

    @Option(help: "Only calls of this tool.")
    var tool: String?

    @Option(help: "Only calls that went to this server, as host:port or upstream/host:port.")
    var server: String?

    @Option(help: "Only calls of the session with this digest, as a line has it.")
    var session: String?

    @Option(help: "Follow this log file, and ask nobody.")
    var file: String?

    @OptionGroup var berth: RunningBerth

    func validate() throws {
        guard file != nil || follow else {
            throw ValidationError("say --follow, or the --file whose end is to be shown")
        }
        let isFiltered = failed || slow != nil || tool != nil || server != nil || session != nil
        if file != nil, isFiltered {
            throw ValidationError("a --file is shown as it is: filter what a running Berth sends")
        }
    }

    func run() throws {
        try RunningBerth.reporting {
            if let file { return try tail(file) }
            let client = try berth.client()
            while true {
                let response = try client.follow(target) { show($0) }
                guard response.status == 200 else { throw AdminClient.Failure(description: Self.reason(response)) }
                // Another process may have taken its place.
                note("the connection has ended; following again")
                Thread.sleep(forTimeInterval: 0.5)
            }
        }
    }

    private var target: String {
        let parameters: KeyValuePairs<String, String?> = [
            "failed": failed ? "1" : nil, "slow": slow, "tool": tool, "server": server, "session": session,
        ]
        return parameters.reduce("/logs?follow=1") { target, parameter in
            target + (parameter.value.map { "&\(parameter.key)=\(AdminClient.escaped($0))" } ?? "")
        }
    }

    private static func reason(_ response: AdminClient.Response) -> String {
        guard response.status == 404 else { return response.body.trimmingCharacters(in: .whitespacesAndNewlines) }
        return "this Berth sends no calls; \"berth logs --follow --file FILE\" follows its access log"
    }

    private func show(_ line: String) {
        if let lost = LostLines.count(line) { return note("\(lost) calls are not shown: they came too fast") }
        FileHandle.standardOutput.write(Data("\(line)\n".utf8))
    }

    private func note(_ text: String) { FileHandle.standardError.write(Data("berth: \(text)\n".utf8)) }

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

/// What stands in the stream in place of lines that its reader has lost.
enum LostLines {
    /// How many a line says are lost; nil: it is a call's.
    static func count(_ line: String) -> Int? {
        guard line.hasPrefix("{\"lost\":"), line.hasSuffix("}") else { return nil }
        return Int(line.dropFirst(8).dropLast())
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
