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
            SIGTERM or SIGINT drains: /readyz says 503 for drain_delay, then new connections are refused, requests in
            progress finish, event streams are ended, and the process exits with 0. A second signal ends it at once.
            SIGHUP reads the file again and applies what has changed; a file with errors changes nothing. The admin address
            serves /healthz, /readyz, /stats and /config, and takes POST /reload, /drain and /undrain with admin_token.
            """)

    @Argument(help: "The configuration file (TOML).")
    var file: String

    func run() throws {
        let checked = try CheckedFile.load(file)
        // Before any thread is created, so that all threads inherit the signal mask.
        let signals = try Signals([SIGTERM, SIGINT, SIGHUP])
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        let log = Logger(label: "berth")
        let server: RunningProxy
        do {
            server = try RunningProxy(checked, log: log)
        } catch let error as StartError {
            log.critical("\(error)")
            throw ExitCode.failure
        }
        server.announce()
        RunCommand.waitForStop(signals) { server.reloader.request(.reload) }
        server.reloader.stop()
        server.proxy.announceDrain()
        let global = server.reloader.status.file.configuration.global
        if RunCommand.delay(global.drainDelay, signals, log) == .interrupted { return }
        log.notice("draining, for at most \(global.drainTimeout)")
        let result = server.proxy.drain { RunCommand.isStop(signals.wait(milliseconds: 50)) }
        log.notice(result == .finished ? "drained" : "drain timeout: closed the remaining connections")
    }

    /// Waits for the signal to stop; SIGHUP asks for a reload.
    private static func waitForStop(_ signals: borrowing Signals, reload: () -> Void) {
        while true {
            // A debugger or another signal may end a wait early.
            guard let signal = signals.wait() else { continue }
            if isStop(signal) { return }
            reload()
        }
    }

    private static func isStop(_ signal: CInt?) -> Bool { signal == SIGTERM || signal == SIGINT }

    private enum DelayResult { case passed, interrupted }

    /// Waits before the listeners close; a second signal to stop ends the process.
    private static func delay(_ delay: Duration, _ signals: borrowing Signals, _ log: Logger) -> DelayResult {
        guard delay > .zero else { return .passed }
        log.notice("not ready any more; listeners close in \(delay)")
        let end = ContinuousClock.now + delay
        while ContinuousClock.now < end {
            if isStop(signals.wait(milliseconds: 50)) { return .interrupted }
        }
        return .passed
    }
}
