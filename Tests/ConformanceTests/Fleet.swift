import Foundation
import Testing

/// Three replicas, Berth in front of them, and the directory of their files; ended together.
final class Fleet {
    let replicas: [ReplicaProcess]
    let berth: BerthProcess
    let directory: URL

    /// Makes a fleet, runs `body` on it, and ends it. Berth must still be running then.
    static func with(
        _ kind: ReplicaProcess.Kind, affinity: BerthProcess.Affinity = .signed, replicas count: Int = 3,
        heartbeat: String = "15s", onLost: String = "clean", checks: String? = nil, trace: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation,
        _ body: (Fleet) async throws -> Void
    ) async throws {
        try await with(
            { directory in
                try (1...count).map { try ReplicaProcess(kind, named: "replica-\($0)", in: directory) }
            },
            configure: { configuration in
                configuration.affinity = affinity
                configuration.heartbeat = heartbeat
                configuration.onLost = onLost
                if let checks { configuration.checks = checks }
                configuration.trace = trace
            }, sourceLocation: sourceLocation, body)
    }

    /// The same with other replicas, and with a configuration that may be changed before it is written.
    static func with(
        _ start: (URL) throws -> [ReplicaProcess], configure: (inout BerthConfiguration) -> Void,
        sourceLocation: SourceLocation = #_sourceLocation, _ body: (Fleet) async throws -> Void
    ) async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "berth-sdk-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        try await Certificate.make(in: directory)
        let replicas = try start(directory)
        defer { replicas.forEach { $0.end() } }
        for replica in replicas { try await replica.ready() }
        var configuration = BerthConfiguration(servers: replicas.map(\.address), directory: directory)
        configure(&configuration)
        let berth = try BerthProcess(configuration)
        defer { berth.kill() }
        try await berth.ready()

        let fleet = Fleet(replicas, berth, directory)
        do {
            try await body(fleet)
        } catch {
            Issue.record("\(error)\nberth said:\n\(berth.lastErrorLines())", sourceLocation: sourceLocation)
        }

        #expect(berth.isRunning, "berth died:\n\(berth.lastErrorLines())", sourceLocation: sourceLocation)
    }

    private init(_ replicas: [ReplicaProcess], _ berth: BerthProcess, _ directory: URL) {
        self.replicas = replicas
        self.berth = berth
        self.directory = directory
    }

    /// Starts a client script that connects to Berth.
    func client(
        _ script: String, _ arguments: String..., on version: SDK.Version = .v1,
        through listener: BerthProcess.ListenerKind = .https, path: String = "/mcp"
    ) throws -> Script {
        let url = berth.url(listener, path)
        let trust = ["--url", url, "--ca", directory.appending(path: "cert.pem").path]
        return try Script(script, version, trust + arguments, in: directory)
    }

    /// Starts the client of the admin address's tools.
    func adminClient(_ arguments: String..., on version: SDK.Version) throws -> Script {
        let own = ["--url", berth.admin + "/mcp", "--token", BerthConfiguration.adminToken]
        return try Script("admin_tools.py", version, own + arguments, in: directory)
    }
}
