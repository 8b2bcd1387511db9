import FoundationEssentials
import Glibc
import Kernel
import Load

/// nginx or HAProxy as a process of its own, with a configuration that is written for it.
final class PeerFront: Front {
    let name: String
    var affinity: String { peer.affinity }
    var pid: Int32 { process?.pid ?? 0 }

    private let peer: Peer
    private let programs: Programs
    private let program: String
    private let files: FrontFiles
    private let peerPort: UInt16
    private var process: Program?
    private var revision = 0
    private var draining: Set<Int> = []

    /// Throws if the program is not installed.
    init(_ peer: Peer, servers: [UInt16], programs: Programs, folder: WorkFolder) throws(ProveError) {
        self.peer = peer
        self.programs = programs
        name = peer.kind == .nginx ? "nginx" : "HAProxy"
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "") + ":/usr/sbin:/usr/local/sbin"
        let found = path.split(separator: ":").map { "\($0)/\(peer.kind.rawValue)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
        guard let found else { throw ProveError("\(name) is not installed: there is no \(peer.kind.rawValue) in PATH") }
        program = found
        files = try FrontFiles(folder, servers: servers, prefix: peer.kind.rawValue)
        peerPort = try Ports.free(1)[0]
    }

    var target: Target { Target(isSecure: true, host: "127.0.0.1", port: files.port, path: "/mcp") }
    private var fileName: String { "\(peer.kind.rawValue)\(peer.kind.ending)" }

    func start() throws(ProveError) {
        try writeFile()
        let words = peer.words(program: program, file: files.folder.file(fileName), folder: files.folder.path)
        let process = try programs.start(words, endsBy: SIGTERM, output: files.log)
        self.process = process
        try files.wait(for: process, name)
    }

    private func writeFile() throws(ProveError) {
        // As root, nginx would have its workers run as a user who cannot enter the folder.
        let user = getuid() == 0 ? "user root;" : ""
        var text = peer.text(servers: files.servers, draining: draining)
        for (name, value) in [
            ("LISTEN", "127.0.0.1:\(files.port)"), ("CERT", files.certificate), ("KEY", files.key),
            ("BUNDLE", files.bundle), ("DIR", files.folder.path), ("USER", user),
            ("REVISION", "\(revision)"), ("PEERPORT", "\(peerPort)"),
        ] { text = text.replacing("@\(name)@", with: value) }
        try files.folder.write(fileName, text)
    }

    func perform(_ disturbance: Disturbance) throws(ProveError) -> FrontOutcome {
        switch disturbance {
        case .reload(let changes):
            if changes { revision += 1 }
            try writeFile()
            process?.signal(peer.kind.reloadSignal)
            return .done("reload (\(changes ? "changed" : "unchanged"))")
        case .rotateCertificate:
            try files.writeCertificate()
            process?.signal(peer.kind.reloadSignal)
            return .done("new certificate, and a reload")
        case .rotateKey: return .skipped("\(name) signs no session ids")
        case .upgrade: return .skipped("upgrades are not driven for \(name)")
        case .drain(let server): return try drain(server, true)
        case .undrain(let server): return try drain(server, false)
        case .kill, .terminate, .start, .stop, .resume: return .done("")
        }
    }

    /// nginx reads its configuration again; HAProxy is told at its socket, and its configuration says so to the next process.
    private func drain(_ server: Int, _ isDraining: Bool) throws(ProveError) -> FrontOutcome {
        guard peer.drains else { return .skipped("drains are not driven for this configuration of \(name)") }
        if isDraining { draining.insert(server) } else { draining.remove(server) }
        try writeFile()
        switch peer.kind {
        case .nginx: process?.signal(peer.kind.reloadSignal)
        case .haproxy:
            let command = "set server mcp/\(Peer.name(server)) weight \(isDraining ? 0 : 1)"
            guard ControlSocket.send(command, to: files.folder.file("haproxy.sock")) else {
                return .done("\(name) did not take: \(command)")
            }
        }
        return .done(isDraining ? "no new sessions" : "new sessions again")
    }

    func poll() -> [String] {
        guard let process, process.ended != nil else { return [] }
        self.process = nil
        return ["\(name) has ended: \(files.folder.tail("\(files.prefix).log"))"]
    }

    func end() { process?.end(milliseconds: 3_000) }
}
