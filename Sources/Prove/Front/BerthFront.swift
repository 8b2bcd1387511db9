import FoundationEssentials
import Glibc
import Kernel
import Load

/// Berth as a process of its own: `berth run` with a file that is written for it.
final class BerthFront: Front {
    let name: String
    let affinity: String
    private(set) var pid: Int32 = 0
    private(set) var file: BerthFile

    private let programs: Programs
    private let commands: Set<String>
    private let files: FrontFiles
    private let adminPort: UInt16
    private var processes: [Program] = []
    private var pending: [PendingCommand] = []
    private var keys: [String] = []

    /// A command of Berth that runs, or an upgrade whose new process is waited for.
    private struct PendingCommand {
        let what: String
        let process: Program
        let began = Instant.now()
        let log: String
    }

    /// `commands`: the subcommands that the executable has.
    init(
        _ name: String, _ file: BerthFile, servers: [UInt16], programs: Programs, commands: Set<String>,
        folder: WorkFolder, prefix: String
    ) throws(ProveError) {
        self.name = name
        self.programs = programs
        self.commands = commands
        files = try FrontFiles(folder, servers: servers, prefix: prefix)
        adminPort = try Ports.free(1)[0]
        var file = file
        file.servers = servers.map { "127.0.0.1:\($0)" }
        file.listener = "127.0.0.1:\(files.port)"
        file.admin = "127.0.0.1:\(adminPort)"
        file.secret = folder.file("\(prefix)-session.keys")
        (file.certificate, file.key) = (files.certificate, files.key)
        self.file = file
        affinity = file.affinity == "off" ? "no session affinity" : "sessions by signed ids"
    }

    var target: Target { Target(isSecure: true, host: "127.0.0.1", port: files.port, path: "/mcp") }
    private var fileName: String { "\(files.prefix).toml" }
    private var path: String { files.folder.file(fileName) }

    // MARK: Starting and ending

    func start() throws(ProveError) {
        try rotateKey()
        let token = Machine.randomBytes(32).map { "\($0)" }.joined()
        file.token = "file:" + (try files.folder.write("\(files.prefix).token", token + "\n"))
        try leaveOutUnknownKeys()
        let process = try programs.start([programs.berth, "run", path], endsBy: SIGTERM, output: files.log)
        try files.wait(for: process, name)
        processes = [process]
        pid = process.pid
    }

    /// Keys that this executable does not know are left out of the file.
    private func leaveOutUnknownKeys() throws(ProveError) {
        if try isValid() { return }
        let full = file
        file.onLost = nil
        if try isValid() { return }
        file = full
        file.token = nil
        if try isValid() { return }
        file.onLost = nil
        if try isValid() { return }
        throw ProveError("berth check: \(files.folder.tail("check.log"))")
    }

    private func isValid() throws(ProveError) -> Bool {
        try files.folder.write(fileName, file.text)
        let check = try programs.start(
            [programs.berth, "check", path], endsBy: SIGTERM, output: files.folder.file("check.log"))
        return check.wait(milliseconds: 20_000) && check.ended == .code(0)
    }

    func end() {
        for process in processes + pending.map(\.process) { process.signal(SIGKILL) }
        for process in processes { _ = process.wait(milliseconds: 2_000) }
        // An upgrade that was under way has started a process that nobody knows yet.
        for pid in ProcessTable.processes(with: path) {
            let process = Program(pid: pid)
            process.signal(SIGKILL)
            _ = process.wait(milliseconds: 2_000)
        }
    }

    // MARK: Disturbances

    func perform(_ disturbance: Disturbance) throws(ProveError) -> FrontOutcome {
        switch disturbance {
        case .reload(let changes): return try reload(changes)
        case .upgrade(let workers): return try upgrade(workers)
        case .drain(let server): return try run("drain", [serverName(server)])
        case .undrain(let server): return try run("drain", [serverName(server), "--undo"])
        case .rotateKey:
            try rotateKey()
            return .done("a new key signs session ids")
        case .rotateCertificate:
            try files.writeCertificate()
            return .done("new certificate")
        case .kill, .terminate, .start, .stop, .resume: return .done("")
        }
    }

    private func reload(_ changes: Bool) throws(ProveError) -> FrontOutcome {
        if changes { file.revision += 1 }
        try files.folder.write(fileName, file.text)
        return try run("reload", [], note: changes ? "changed" : "unchanged")
    }

    private func upgrade(_ workers: Int) throws(ProveError) -> FrontOutcome {
        guard commands.contains("upgrade") else { return .skipped("this berth has no upgrade") }
        file.workers = workers
        try files.folder.write(fileName, file.text)
        return try run("upgrade", [], note: "\(workers) worker\(workers == 1 ? "" : "s")")
    }

    private func serverName(_ server: Int) -> String { "mcp/\(file.servers[server])" }

    /// Runs a subcommand, whose end `poll` sees.
    private func run(_ command: String, _ words: [String], note: String = "") throws(ProveError) -> FrontOutcome {
        guard commands.contains(command) else { return .skipped("this berth has no \(command)") }
        let log = "\(files.prefix)-\(command)-\(pending.count)-\(Instant.now().nanoseconds).log"
        let process = try programs.start(
            [programs.berth, command] + words + ["--config", path], endsBy: SIGTERM, output: files.folder.file(log))
        pending.append(PendingCommand(what: command, process: process, log: log))
        let options = words.filter { $0.hasPrefix("--") }
        return .done((["berth", command] + options + (note.isEmpty ? [] : ["(\(note))"])).joined(separator: " "))
    }

    /// Writes a key file with a new key on top. The file is dated back, so that its first key signs at once.
    private func rotateKey() throws(ProveError) {
        keys.insert(Data(Machine.randomBytes(32)).base64EncodedString(), at: 0)
        keys.removeLast(max(0, keys.count - 8))
        let name = "\(files.prefix)-session.keys"
        try files.folder.write(name, keys.map { $0 + "\n" }.joined())
        var times = (timespec(), timespec())
        times.0.tv_sec = time(nil) - 300
        times.1 = times.0
        withUnsafePointer(to: &times) { pointer in
            _ = pointer.withMemoryRebound(to: timespec.self, capacity: 2) {
                utimensat(AT_FDCWD, files.folder.file(name), $0, 0)
            }
        }
    }

    // MARK: What runs

    func poll() -> [String] {
        var lines: [String] = []
        if let process = processes.first(where: { $0.pid == pid }), let exit = process.ended {
            lines.append("\(name) has ended (\(exit)): \(files.folder.tail("\(files.prefix).log"))")
            pid = 0
        }
        processes.removeAll { $0.pid != pid && $0.ended != nil }
        pending.removeAll { command in
            guard let exit = command.process.ended else { return false }
            if exit != .code(0) {
                lines.append("berth \(command.what) failed: \(files.folder.tail(command.log))")
            } else if command.what == "upgrade" {
                lines += findNewProcess()
            }
            return true
        }
        return lines
    }

    /// After an upgrade: the process that answers now.
    private func findNewProcess() -> [String] {
        guard let found = StatusPage.pid(port: adminPort), found != pid else { return [] }
        let old = pid
        pid = found
        processes.append(Program(pid: found))
        return ["process \(found) has taken over from \(old)"]
    }
}
