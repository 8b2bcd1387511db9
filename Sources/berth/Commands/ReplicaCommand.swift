import ArgumentParser
import FoundationEssentials
import Glibc
import Kernel
import SampleServer

/// `berth replica`: a sample server. Of `prove` and `demo`.
struct ReplicaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replica", abstract: "Run a sample MCP server.", shouldDisplay: false)

    @Option(help: "The name in its tools' results.")
    var name: String

    @Option(help: "Its port on loopback.")
    var port: UInt16

    @Option(help: "The file that executed calls are written to.")
    var executions: String?

    @Option(help: "Events a second on each session's stream.")
    var eventsPerSecond = 0.0

    func run() throws {
        let signals = try Signals([SIGTERM, SIGINT])
        Machine.raiseDescriptorLimit()
        let server = try SampleServer(
            name: name, address: .loopback(port: port),
            options: SampleServer.Options(
                eventsPerSecond: eventsPerSecond, executions: executions, product: "berth-sample"))
        try server.start()
        _ = signals.wait()
        server.stop()
    }
}
