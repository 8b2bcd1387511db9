import Admin
import ArgumentParser
import Configuration
import FoundationEssentials
import Glibc
import Kernel
import Logging
import Proxy
import Telemetry

/// `berth run`
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run the load balancer.",
        discussion: """
            SIGTERM or SIGINT drains: /readyz says 503 for drain_delay, then new connections are refused, requests in
            progress finish, event streams are ended, and the process exits with 0. A second signal ends it at once.
            SIGHUP reads the file again and applies what has changed; a file with errors changes nothing. SIGUSR1 opens log
            files anew, after they were moved away. SIGUSR2 starts the program again, as it is on disk by then, and hands
            everything over to it: no connection is lost. The admin address serves /dashboard, /healthz, /readyz, /metrics,
            /stats, /servers, /sessions, /logs, /alerts and /config, and takes changes with admin_token; the Unix socket,
            admin = "unix:/run/berth/admin.sock", takes them from this user and root without one.
            """)

    @Argument(help: "The configuration file (TOML).")
    var file: String

    func run() throws {
        // Before any thread is created: the environment changes, and all threads inherit the signal mask.
        let inheritance = try RunCommand.inheritance()
        let checked = try CheckedFile.load(file)
        let signals = try Signals([SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2])
        let threshold = LogThreshold()
        LoggingSystem.bootstrap { ThresholdLogHandler(StreamLogHandler.standardError(label: $0), threshold) }
        let log = Logger(label: "berth")
        let service = ServiceManager(path: ProcessInfo.processInfo.environment["NOTIFY_SOCKET"])
        let server: RunningProxy
        do {
            server = try RunningProxy(checked, log: log, threshold: threshold, inheriting: inheritance)
        } catch let error as StartError {
            log.critical("\(error)")
            inheritance.predecessor?.reportFailure("\(error)")
            throw ExitCode.failure
        }
        let pidFile = checked.configuration.global.pidFile.map { PIDFile(path: $0) }
        do { try pidFile?.write() } catch { log.error("cannot write the pid file: \(error)") }
        defer { pidFile?.remove() }
        server.announce()
        // A process that takes another's place is spoken for by that one.
        if inheritance.predecessor == nil { service.say(.ready(status: "Serving")) }
        let loop = SignalLoop(server: server, service: service, log: log)
        switch loop.run(signals) {
        case .stopped:
            loop.stop(signals)
            server.proxy.removeSocketFiles()
        case .replaced: loop.leave(signals)
        }
        server.proxy.calls.stop(within: .seconds(2))
    }

    private static func inheritance() throws -> Inheritance {
        do throws(StartError) {
            return try Inheritance.fromEnvironment()
        } catch {
            StandardStream.error.say("berth: \(error)")
            throw ExitCode.failure
        }
    }
}
