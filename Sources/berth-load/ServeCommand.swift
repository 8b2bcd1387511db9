import ArgumentParser
import Foundation
import Kernel
import Load
import SampleServer

/// `berth-load serve`: sample servers behind a balancer under test, whose results can be checked.
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Start sample MCP servers, to be put behind a balancer.",
        discussion: """
            They support all protocol revisions: Streamable HTTP at /mcp, HTTP+SSE at /sse. When all are listening, one \
            line of JSON with name and address is printed for each. SIGTERM or SIGINT ends them.
            """)

    @Option(help: "Number of servers, each with its own thread, port and sessions: 1 to 64.")
    var replicas = 1

    @Option(help: "Address of the first; the others use the following ports. With port 0 the kernel chooses each.")
    var listen = "127.0.0.1:0"

    @Option(help: "Name that whoami returns; several servers are numbered: replica-1, replica-2.")
    var name = "replica"

    @Option(help: "Pad tool results with spaces to this number of bytes.")
    var replyBytes = 0

    @Option(help: "Events per second on each session's stream, with a number and the time (CLOCK_MONOTONIC).")
    var eventsPerSecond = 0.0

    @Flag(help: "Answer calls with event streams instead of JSON.")
    var answerWithEvents = false

    @Flag(help: "End when standard input ends.")
    var untilEOF = false

    func validate() throws {
        guard 1...64 ~= replicas else { throw ValidationError("--replicas must be 1 to 64") }
        guard 0...1_048_576 ~= replyBytes else { throw ValidationError("--reply-bytes must be 0 to 1048576") }
        guard 0...1_000 ~= eventsPerSecond else { throw ValidationError("--events-per-second must be 0 to 1000") }
        guard let first = ServeCommand.address(listen) else {
            throw ValidationError("--listen must be an IP address and a port, as in 127.0.0.1:0 or [::1]:3001")
        }
        guard Int(first.port) + replicas <= 65_536 else {
            throw ValidationError("--listen leaves no ports for \(replicas) replicas")
        }
    }

    func run() throws {
        // Before any thread is created, so that all threads inherit the signal mask.
        let signals = try Signals([SIGTERM, SIGINT])
        Machine.raiseDescriptorLimit()
        let servers = try listeningServers()
        for server in servers { try server.start() }
        for server in servers { try announce(server) }
        if untilEOF { try endWithInput() }
        _ = signals.wait()
        for server in servers { server.stop() }
    }

    /// The servers. Prints which address cannot be listened on, and throws the exit code 2.
    private func listeningServers() throws -> [SampleServer] {
        guard let first = ServeCommand.address(listen) else { throw ExitCode.validationFailure }
        return try (0..<replicas).map { index in
            let port = first.port == 0 ? 0 : first.port + UInt16(index)
            let address = SocketAddress(high: first.high, low: first.low, port: port, isIPv4: first.isIPv4)
            do {
                return try server(index, address)
            } catch let error as SystemError {
                throw RunSeries.exitCode(reporting: LoadError("cannot listen on \(address): \(error)"))
            }
        }
    }

    private func server(_ index: Int, _ address: SocketAddress) throws -> SampleServer {
        try SampleServer(
            name: replicas == 1 ? name : "\(name)-\(index + 1)", address: address,
            options: SampleServer.Options(
                answersWithEvents: answerWithEvents, maximumSessions: 1_000_000, maximumConnections: 1_000_000,
                replyBytes: replyBytes, eventsPerSecond: eventsPerSecond))
    }

    private func announce(_ server: SampleServer) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let line = try encoder.encode(["replica": server.name, "address": "\(server.address)"])
        // Not `print`, which buffers output to a pipe until the process ends.
        try FileHandle.standardOutput.write(contentsOf: line + [UInt8(ascii: "\n")])
    }

    /// Discards standard input, and sends SIGTERM to this process at its end.
    private func endWithInput() throws {
        try Thread(named: "input") {
            var bytes = [UInt8](repeating: 0, count: 4_096)
            while true {
                let count = read(STDIN_FILENO, &bytes, bytes.count)
                if count == 0 || (count < 0 && errno != EINTR) { break }
            }
            kill(getpid(), SIGTERM)
        }.detach()
    }

    /// Parses "127.0.0.1:3001" or "[::1]:3001"; nil for other text.
    private static func address(_ text: String) -> SocketAddress? {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        return SocketAddress(literal: String(host), port: port)
    }
}
