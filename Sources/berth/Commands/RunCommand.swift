import Admin
import ArgumentParser
import Configuration
import Foundation
import Kernel
import Logging
import Proxy

/// `berth run`
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run the load balancer.",
        discussion: """
            SIGTERM or SIGINT drains: new connections are refused, requests in progress finish, event streams are ended,
            then the process exits with 0. A second signal ends it at once. The admin address serves /healthz, /readyz
            and /stats.
            """)

    @Argument(help: "The configuration file (TOML).")
    var file: String

    func run() throws {
        let configuration = try CheckedFile.load(file).configuration
        // Before any thread is created, so that all threads inherit the signal mask.
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
        // A debugger or another signal may end a wait early.
        while signals.wait() == nil {}
        log.notice("draining, for at most \(configuration.global.drainTimeout)")
        let result = server.proxy.drain { signals.wait(milliseconds: 50) != nil }
        log.notice(result == .finished ? "drained" : "drain timeout: closed the remaining connections")
    }
}
