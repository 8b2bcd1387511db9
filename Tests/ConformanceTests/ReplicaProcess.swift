import Foundation

/// A process of an MCP server made with an official SDK, on a port that the kernel chose.
final class ReplicaProcess {
    enum Kind: String {
        case sessions = "replica_v1.py"
        case bothRevisions = "replica_v2.py"
        case cache = "replica_cache.py"
        case fastMCP = "replica_fastmcp.py"
        case raw = "replica_raw.py"
        case mixedV1 = "mixed_v1.py"
        case mixedV2 = "mixed_v2.py"
        case mixedFastMCP = "mixed_fastmcp.py"

        var version: SDK.Version {
            switch self {
            case .sessions, .raw, .mixedV1: .v1
            case .bothRevisions, .cache, .fastMCP, .mixedV2, .mixedFastMCP: .v2
            }
        }
    }

    let name: String
    private let kind: Kind
    private let arguments: [String]
    private let directory: URL
    private var process: ChildProcess
    private(set) var port = 0

    /// Starts it, with further arguments of its script.
    init(_ kind: Kind, named name: String, _ arguments: [String] = [], in directory: URL) throws {
        self.name = name
        self.kind = kind
        self.arguments = arguments
        self.directory = directory
        process = try Self.start(kind, name, arguments, port: 0, directory)
    }

    var address: String { "127.0.0.1:\(port)" }

    /// Waits until it listens.
    func ready() async throws {
        port = try await process.first("port", of: process.outputLines, within: .seconds(60)) { line in
            line.hasPrefix("port=") ? Int(line.dropFirst(5)) : nil
        }
    }

    /// Ends it like a crash, with SIGKILL: the kernel closes its connections.
    func crash() async throws {
        process.kill()
        _ = try await process.exitStatus(within: .seconds(60))
    }

    /// Ends it as a service manager does, with SIGTERM.
    func terminate() async throws {
        process.terminate()
        _ = try await process.exitStatus(within: .seconds(60))
    }

    /// Has it stand still, with SIGSTOP.
    func stop() { process.stop() }

    /// Has it go on, with SIGCONT.
    func resume() { process.resume() }

    /// Starts it again on the same port with the same name and without its sessions.
    func restart() async throws {
        process = try Self.start(kind, name, arguments, port: port, directory)
        try await ready()
    }

    func end() { process.kill() }

    private static func start(
        _ kind: Kind, _ name: String, _ more: [String], port: Int, _ directory: URL
    ) throws -> ChildProcess {
        let script = SDK.scripts.appending(path: kind.rawValue).path
        let python = try SDK.shared.get().interpreter(kind.version)
        let arguments = [script, "--name", name, "--port", "\(port)", "--until-eof"] + more
        return try ChildProcess(name, python, arguments, in: directory)
    }
}
