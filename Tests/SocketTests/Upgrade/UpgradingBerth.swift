import Foundation
import Glibc
import Kernel

/// A `berth run` that may be replaced, by itself or by another program, in front of one recording replica.
final class UpgradingBerth {
    let folder: TemporaryFolder
    let replica: RecordingReplica
    let plain: SocketAddress
    let admin: SocketAddress
    /// The first process; those after it are known by `/stats`.
    let command: BerthCommand
    private var upgrades = 0
    private let affinity: String
    /// More keys of the upstream.
    private let settings: String

    init(
        workers: Int = 2, affinity: String = "signed", settings: String = "", environment: [String: String] = [:],
        answering script: @escaping RecordingReplica.Script = { _ in [.answer("ok")] }
    ) throws {
        folder = try TemporaryFolder()
        replica = try RecordingReplica(script)
        self.affinity = affinity
        self.settings = settings
        try FileManager.default.createSymbolicLink(
            atPath: folder.path("berth"), withDestinationPath: try BerthCommand.executable().path)
        let token = try folder.write("admin.token", "0123456789abcdef0123456789abcdef\n")
        chmod(token, 0o600)
        let file = try Self.write(folder, workers: workers, replica, affinity, settings: settings)
        command = try BerthCommand(
            ["run", file], in: folder, environment: environment, program: folder.path("berth"))
        plain = .loopback(port: try command.port(after: "listening on http://"))
        admin = .loopback(port: try command.port(after: "admin on http://"))
    }

    deinit {
        if let process = try? Status(from: admin).pid, process != command.identifier { kill(process, SIGKILL) }
        replica.stop()
    }

    private static func write(
        _ folder: TemporaryFolder, workers: Int, _ replica: RecordingReplica, _ affinity: String, settings: String,
        more: String = ""
    ) throws -> String {
        try folder.write(
            "berth.toml",
            """
            [global]
            workers = \(workers)
            admin = "127.0.0.1:0"
            admin_token = "file:\(folder.path("admin.token"))"
            pid_file = "\(folder.path("berth.pid"))"
            upgrade_timeout = "20s"
            secret = "file:\(folder.path("session.keys"))"
            [[listen]]
            http = "127.0.0.1:0"
            \(more)
            [upstream.mcp]
            servers = ["\(replica.address)"]
            pool = { max = 500 }
            session = { affinity = "\(affinity)" }
            \(settings)
            """)
    }

    /// Writes the configuration anew; what runs works by it after an upgrade.
    func configure(workers: Int, more: String = "") throws {
        _ = try Self.write(folder, workers: workers, replica, affinity, settings: settings, more: more)
    }

    /// Puts another program in Berth's place: the shell runs `script`. Nil: Berth itself again.
    func replaceProgram(with script: String?) throws {
        let path = folder.path("berth")
        try FileManager.default.removeItem(atPath: path)
        guard let script else {
            try FileManager.default.createSymbolicLink(
                atPath: path, withDestinationPath: try BerthCommand.executable().path)
            return
        }
        _ = try folder.write("berth", "#!/bin/sh\n\(script)\n")
        chmod(path, 0o755)
    }

    /// Writes the configuration with an `upgrade_timeout` of a second, and has it reloaded.
    func shortenUpgrades() throws {
        let path = folder.path("berth.toml")
        let text = try String(contentsOfFile: path, encoding: .utf8)
        _ = try folder.write("berth.toml", text.replacing("\"20s\"", with: "\"1s\""))
        try reload()
    }

    /// Has the configuration read again, and waits until that is done.
    func reload() throws {
        let before = command.complained.split(separator: "was reloaded").count
        kill(try process, SIGHUP)
        try eventually("the reload: \(command.complained)") {
            command.complained.split(separator: "was reloaded").count > before
        }
    }

    /// A configuration for commands, with the admin address as it is.
    func commandFile() throws -> String {
        let text = try String(contentsOfFile: folder.path("berth.toml"), encoding: .utf8)
        return try folder.write("command.toml", text.replacing("admin = \"127.0.0.1:0\"", with: "admin = \"\(admin)\""))
    }

    /// What the pid file says.
    var pidInFile: CInt? {
        get throws {
            let text = try String(contentsOfFile: folder.path("berth.pid"), encoding: .utf8)
            return CInt(text.trimmingCharacters(in: .whitespacesAndNewlines))
        }
    }

    /// The process that a program in Berth's place has written down.
    var child: CInt? {
        let text = try? String(contentsOfFile: folder.path("child"), encoding: .utf8)
        return text.flatMap { CInt($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }

    /// The process that serves the admin address.
    var process: CInt { get throws { try Status(from: admin).pid } }

    /// Upgrades by SIGUSR2 and waits until another process answers.
    func upgrade() throws {
        let old = try process
        kill(old, SIGUSR2)
        upgrades += 1
        // While both accept, either may answer.
        try eventually("process \(old) has left: \(command.complained)") {
            command.complained.split(separator: "has taken over").count > upgrades
        }
        try eventually("another process than \(old): \(command.complained)") {
            guard let now = try? process else { return false }
            return now != old && (0..<3).allSatisfy { _ in (try? process) == now }
        }
    }
}

/// Clients that call without a pause, and what went wrong for them.
final class UpgradeLoad: Sendable {
    private let address: SocketAddress
    private let isOver = Flag()
    private let running = SharedCount()
    /// Calls that were answered as they should be.
    let calls = SharedCount()
    /// Connections that the proxy ended as it should.
    let reconnects = SharedCount()
    private let problems = Problems()

    init(_ address: SocketAddress) { self.address = address }

    /// What went wrong, at most a hundred texts.
    var failures: [String] { problems.texts }

    /// Starts clients that make a connection for each call.
    func startNewConnections(_ count: Int) throws {
        try start(count, named: "connects") { load in
            let client = try Client(load.address)
            client.send("POST /new HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
            guard try client.response().text == "ok" else { throw TimedOut(description: "a wrong answer") }
            load.calls.add()
        }
    }

    /// Starts clients that keep a connection until its answer says that it closes.
    func startKeepAlive(_ count: Int) throws {
        try start(count, named: "keeps") { load in
            let client = try Client(load.address)
            while !load.isOver.isRaised {
                client.send("POST /kept HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
                let response = try client.response()
                guard response.text == "ok" else { throw TimedOut(description: "a wrong answer") }
                load.calls.add()
                if response.values("connection") == ["close"] {
                    load.reconnects.add()
                    return
                }
            }
        }
    }

    /// Starts clients that keep an event stream open, and open it again when it has ended properly.
    func startStreams(_ count: Int) throws {
        try start(count, named: "streams") { load in
            let client = try Client(load.address)
            client.send("GET /events HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n")
            guard try client.head().status == 200 else { throw TimedOut(description: "no stream") }
            while !load.isOver.isRaised {
                guard client.receives(within: 20) else { continue }
                guard try client.chunk() != nil else {
                    load.reconnects.add()
                    return
                }
            }
        }
    }

    private func start(_ count: Int, named name: String, _ body: @escaping @Sendable (UpgradeLoad) throws -> Void)
        throws
    {
        for _ in 0..<count {
            running.add()
            try Kernel.Thread(named: name) { [self] in
                while !isOver.isRaised {
                    do { try body(self) } catch { problems.add("\(name): \(error)") }
                }
                running.add(-1)
            }.detach()
        }
    }

    /// Ends all clients and waits for them.
    func stop() throws {
        isOver.raise(true)
        try eventually("the clients have ended") { running.value == 0 }
    }
}
