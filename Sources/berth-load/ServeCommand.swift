import ArgumentParser
import Foundation
import Kernel
import SampleServer

/// The servers to load a balancer with: cheap enough not to be what limits a run, and honest enough to be checked.
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Start sample MCP servers to put behind what is measured.",
        discussion: """
            They speak every revision of the protocol: Streamable HTTP at /mcp, HTTP+SSE at /sse. When all listen, \
            each prints one line of JSON with its name and address. SIGTERM or SIGINT ends them.
            """)

    @Option(help: "Servers, each with a thread, a port and sessions of its own, 1 to 64.")
    var replicas = 1

    @Option(help: "Address of the first; the others take the ports after it. Port 0 lets the kernel choose each.")
    var listen = "127.0.0.1:0"

    @Option(help: "What whoami calls them; several are numbered: replica-1, replica-2.")
    var name = "replica"

    @Option(help: "Fill results of tools up to so many bytes with spaces.")
    var replyBytes = 0

    @Option(help: "Events a second on each session's own stream, numbered and with the time of CLOCK_MONOTONIC.")
    var eventsPerSecond = 0.0

    @Flag(help: "Answer calls with event streams where JSON would do.")
    var answerWithEvents = false

    @Flag(help: "End when standard input ends, as it does when the process that holds it dies.")
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
        // Before any thread is made, so that all inherit the mask.
        let signals = try Signals([SIGTERM, SIGINT])
        Machine.raiseDescriptorLimit()
        let servers = try (0..<replicas).map { try server($0) }
        for server in servers { try server.start() }
        for server in servers { try announce(server) }
        if untilEOF { try endWithInput() }
        _ = signals.wait()
        for server in servers { server.stop() }
    }

    private func server(_ index: Int) throws -> SampleServer {
        guard let first = ServeCommand.address(listen) else { throw ExitCode.validationFailure }
        let port = first.port == 0 ? 0 : first.port + UInt16(index)
        let address = SocketAddress(high: first.high, low: first.low, port: port, isIPv4: first.isIPv4)
        return try SampleServer(
            name: replicas == 1 ? name : "\(name)-\(index + 1)", address: address,
            options: SampleServer.Options(
                answersWithEvents: answerWithEvents, maximumSessions: 1_000_000, maximumConnections: 1_000_000,
                replyBytes: replyBytes, eventsPerSecond: eventsPerSecond))
    }

    private func announce(_ server: SampleServer) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let line = try encoder.encode(["replica": server.name, "address": "\(server.address)"])
        // Not `print`: a pipe would see nothing before the process ends.
        try FileHandle.standardOutput.write(contentsOf: line + [UInt8(ascii: "\n")])
    }

    /// Reads and forgets standard input; its end comes to `run` as SIGTERM does.
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

    /// "127.0.0.1:3001" or "[::1]:3001"; nil for anything else.
    private static func address(_ text: String) -> SocketAddress? {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        return SocketAddress(literal: String(host), port: port)
    }
}
