import Admin
import ArgumentParser
import Configuration
import Foundation
import Kernel
import Logging
import Proxy

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run the load balancer.",
        discussion: """
            SIGTERM or SIGINT drains: no new connections, calls in progress finish, event streams are ended properly,
            exit 0. A second one leaves at once. The admin address answers /healthz, /readyz and /stats.
            """)

    @Argument(help: "The configuration file (TOML).")
    var file: String

    func run() throws {
        let configuration = try CheckedFile.load(file).configuration
        // Before any thread is made, so that all of them inherit the mask.
        let signals = try Signals([SIGTERM, SIGINT])
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        let log = Logger(label: "berth")
        let server: RunningProxy
        do {
            server = try RunningProxy(configuration, log: log)
        } catch let error as StartError {
            log.critical("\(error)")
            throw ExitCode.failure
        }
        server.announce()
        // A debugger, or a signal that is not ours, may end a wait early.
        while signals.wait() == nil {}
        log.notice("draining, at most \(configuration.global.drainTimeout)")
        let result = server.proxy.drain { signals.wait(milliseconds: 50) != nil }
        log.notice(result == .finished ? "drained" : "cut off what had not finished")
    }
}
