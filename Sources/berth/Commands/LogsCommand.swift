import ASCII
import ArgumentParser
import FoundationEssentials
import Glibc
import Kernel

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
                usleep(500_000)
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
        guard response.status == 404 else { return response.body.trimmed }
        return "this Berth sends no calls; \"berth logs --follow --file FILE\" follows its access log"
    }

    private func show(_ line: String) {
        if let lost = LostLines.count(line) { return note("\(lost) calls are not shown: they came too fast") }
        StandardStream.output.say(line)
    }

    private func note(_ text: String) { StandardStream.error.say("berth: \(text)") }

    /// Prints the end of a file, and with `follow` what is added to it.
    private func tail(_ path: String) throws {
        guard var tail = LogTail(path) else { throw AdminClient.Failure(description: "cannot read \(path)") }
        try? StandardStream.output.write(tail.lastLines(10))
        while follow {
            usleep(200_000)
            let added = tail.added()
            if !added.isEmpty { try? StandardStream.output.write(added) }
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
    private var file: ReadableFile
    private var identity: UInt64?

    init?(_ path: String) {
        guard let file = try? ReadableFile(path) else { return nil }
        self.path = path
        self.file = file
        identity = ReadableFile.number(of: path)
    }

    /// So many lines at the end of the file, of its last 64 KiB; what is added follows.
    mutating func lastLines(_ count: Int) -> String {
        file.offset = max(0, file.size - 65_536)
        let lines = text(rest).split(separator: "\n", omittingEmptySubsequences: false)
        return lines.suffix(count + 1).joined(separator: "\n")
    }

    /// What was added since the last call. A file that another has taken the place of is read to its end first.
    mutating func added() -> String {
        var bytes = rest
        let present = ReadableFile.number(of: path)
        if let present, present != identity, let next = try? ReadableFile(path) {
            file = next
            identity = present
            bytes += rest
        } else if file.size < file.offset {
            // A file that was cut begins anew.
            file.offset = 0
        }
        return text(bytes)
    }

    private var rest: [UInt8] { (try? file.rest()) ?? [] }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
