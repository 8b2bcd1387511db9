import ArgumentParser
import Configuration
import FoundationEssentials
import Glibc
import Kernel

/// `berth upgrade`
struct UpgradeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upgrade",
        abstract: "Have a running Berth replaced by the program that is on disk now, without a lost connection.",
        discussion: """
            The new process takes the listening sockets over, and the old one finishes what it has. Exits with 0 when the
            new one serves, and with 1 if it did not come up: then the old one serves on, and its log says why. Needs admin
            or pid_file in [global], and the rights to signal the process; SIGUSR2 does the same.
            """)

    @OptionGroup var berth: RunningBerth

    func run() throws {
        let global = try berth.global()
        do {
            let watch = try UpgradeWatch(global)
            let new = try watch.upgrade(within: Interval(nanoseconds: limit(global)))
            print("process \(new) has taken over from \(watch.process)")
        } catch let error as AdminClient.Failure {
            StandardStream.error.say("berth: \(error)")
            throw ExitCode.failure
        }
    }

    /// A little longer than the running process waits for the new one.
    private func limit(_ global: GlobalConfiguration) -> UInt64 {
        UInt64(global.upgradeTimeout.components.seconds + 15) * 1_000_000_000
    }
}

/// Asks a process for an upgrade, and watches what comes of it.
struct UpgradeWatch {
    /// What `/stats` says of the process and its upgrades.
    private struct Page: Decodable {
        struct Upgrade: Decodable {
            var failures: Int
            var lastError: String?
        }

        var pid: CInt
        var upgrade: Upgrade?
    }

    /// The process that serves before the upgrade.
    let process: CInt
    private let client: AdminClient?
    private let pidFile: PIDFile?
    private let failures: Int

    init(_ global: GlobalConfiguration) throws {
        client = global.admin == nil && global.adminSocket == nil ? nil : try AdminClient(global)
        pidFile = global.pidFile.map { PIDFile(path: $0) }
        if let page = try client.map({ try Self.page($0) }) {
            process = page.pid
            failures = page.upgrade?.failures ?? 0
        } else if let pidFile {
            guard let found = pidFile.process else {
                throw AdminClient.Failure(description: "\(pidFile.path) names no process; does Berth run?")
            }
            process = found
            failures = 0
        } else {
            throw AdminClient.Failure(
                description: "the configuration has no admin address and no pid file; set admin or pid_file in [global]"
            )
        }
    }

    /// Returns the new process when it serves. Throws why it does not.
    func upgrade(within limit: Interval) throws -> CInt {
        let code = ThisProcess.signal(process, SIGUSR2)
        guard code == 0 else {
            throw AdminClient.Failure(description: "cannot signal process \(process): \(ErrorNumber.text(code))")
        }
        let deadline = Instant.now() + limit
        let pause = try Wake()
        while Instant.now() < deadline {
            pause.sleep(milliseconds: 50)
            if let new = try successor() { return new }
        }
        throw AdminClient.Failure(description: "process \(process) was not replaced in time; its log says why")
    }

    private func successor() throws -> CInt? {
        guard let client else { return pidFile?.process.flatMap { $0 == process ? nil : $0 } }
        // In between, an answer may fail.
        guard let page = try? Self.page(client) else { return nil }
        if page.pid != process { return page.pid }
        guard let upgrade = page.upgrade, upgrade.failures > failures else { return nil }
        throw AdminClient.Failure(
            description: "the upgrade failed, process \(process) serves on: \(upgrade.lastError ?? "its log says why")")
    }

    private static func page(_ client: AdminClient) throws -> Page {
        let response = try client.ask("GET", "/stats")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard response.status == 200, let page = try? decoder.decode(Page.self, from: Data(response.body.utf8)) else {
            throw AdminClient.Failure(description: "/stats of the admin address names no process")
        }
        return page
    }
}
