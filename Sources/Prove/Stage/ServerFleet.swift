import Glibc
import Kernel
import Load
import SampleServer

/// The servers behind the balancer: processes of their own, each on a port of its own, which it keeps.
final class ServerFleet {
    /// What a server does at the moment.
    enum State: Equatable {
        case starting, running, stopped, gone
    }

    struct Server {
        let port: UInt16
        var state = State.gone
        var process: Program?
        /// How often it was started.
        var starts = 0
        var isDraining = false
    }

    private(set) var servers: [Server]
    private let programs: Programs
    private let folder: WorkFolder
    private let history: ServerHistory
    /// A command that starts a server; nil for sample servers.
    private let command: String?
    private let eventsPerSecond: Double

    init(
        _ count: Int, command: String?, eventsPerSecond: Double, programs: Programs, folder: WorkFolder,
        history: ServerHistory
    ) throws(ProveError) {
        servers = try Ports.free(count).map { Server(port: $0) }
        self.command = command
        self.eventsPerSecond = eventsPerSecond
        self.programs = programs
        self.folder = folder
        self.history = history
    }

    /// The name of a server, whichever of its processes answers.
    func name(_ index: Int) -> String { "mcp-\(index + 1)" }

    /// The name that the present process of a server answers with: it tells this process from those before it.
    private func processName(_ index: Int) -> String { "\(name(index)).\(servers[index].starts)" }

    /// Starts all servers, and waits until they take connections.
    func startAll() throws(ProveError) {
        for index in servers.indices { try start(index) }
        let deadline = Instant.now() + .seconds(30)
        while servers.contains(where: { $0.state == .starting }) {
            refresh()
            if let index = servers.firstIndex(where: { $0.process?.ended != nil }) {
                throw ProveError("\(name(index)) has ended: \(folder.tail("\(name(index)).log"))")
            }
            guard Instant.now() < deadline else { throw ProveError("the servers take no connections after 30 s") }
            usleep(20_000)
        }
    }

    func start(_ index: Int) throws(ProveError) {
        servers[index].starts += 1
        let port = servers[index].port
        let words: [String]
        if let command {
            words = ["/bin/sh", "-c", "exec " + command.replacing("{port}", with: "\(port)")]
        } else {
            words = [
                programs.berth, "replica", "--name", processName(index), "--port", "\(port)",
                "--executions", folder.file(executionFile(index)), "--events-per-second", "\(eventsPerSecond)",
            ]
        }
        servers[index].process = try programs.start(
            words, endsBy: SIGKILL, environment: ["PORT": "\(port)"], output: folder.file("\(name(index)).log"))
        servers[index].state = .starting
    }

    /// Sees which servers that were started take connections by now.
    func refresh() {
        for index in servers.indices where servers[index].state == .starting && Ports.isOpen(servers[index].port) {
            servers[index].state = .running
        }
    }

    func kill(_ index: Int) {
        // Told first: an answer that is lost must not be looked into before.
        history.ended(processName(index))
        servers[index].process?.signal(SIGKILL)
        _ = servers[index].process?.wait(milliseconds: 2_000)
        servers[index].state = .gone
    }

    /// Ends it as a service manager does: SIGTERM, and SIGKILL after two seconds.
    func terminate(_ index: Int) {
        history.ended(processName(index))
        servers[index].process?.end(milliseconds: 2_000)
        servers[index].state = .gone
    }

    func stop(_ index: Int) {
        history.stopped(processName(index))
        servers[index].process?.signal(SIGSTOP)
        servers[index].state = .stopped
    }

    func resume(_ index: Int) {
        servers[index].process?.signal(SIGCONT)
        history.continued(processName(index))
        servers[index].state = .running
    }

    func markDraining(_ index: Int, _ isDraining: Bool) { servers[index].isDraining = isDraining }

    func endAll() {
        for server in servers { server.process?.signal(SIGKILL) }
        for server in servers { _ = server.process?.wait(milliseconds: 2_000) }
    }

    private func executionFile(_ index: Int) -> String { "\(name(index)).executions" }

    /// The calls that the servers have executed, over all their processes; nil if they keep no account.
    var executions: [ExecutionLog.Entry]? {
        guard command == nil else { return nil }
        return servers.indices.flatMap { ExecutionLog.entries(path: folder.file(executionFile($0))) }
    }
}
