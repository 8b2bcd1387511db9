import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// A process of the built `berth run FILE` in front of replicas.
final class BerthProcess {
    enum Affinity: String, CaseIterable, CustomStringConvertible {
        case signed, learned, off
        var description: String { rawValue }
    }

    /// The listener that clients use.
    enum ListenerKind: String, CaseIterable, CustomStringConvertible {
        case http, https
        var description: String { rawValue }
    }

    /// What changes on the admin address need.
    static let adminToken = "admin-token-of-the-conformance-tests"

    private let directory: URL
    private let servers: [String]
    private let affinity: Affinity
    private let heartbeat: String
    private let onLost: String
    private var process: ChildProcess
    private var ports: [String: Int] = [:]

    /// Starts it on ports that the kernel chooses.
    init(
        before servers: [String], affinity: Affinity, heartbeat: String, onLost: String, in directory: URL
    ) throws {
        self.onLost = onLost
        self.servers = servers
        self.affinity = affinity
        self.heartbeat = heartbeat
        self.directory = directory
        process = try Self.start(servers, affinity, heartbeat, onLost, ports: [:], directory)
    }

    /// The executable beside the test bundle, or the one that BERTH_EXECUTABLE names.
    static var executable: URL {
        if let named = ProcessInfo.processInfo.environment["BERTH_EXECUTABLE"] { return URL(filePath: named) }
        let bundle = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(filePath: bundle).deletingLastPathComponent().appending(path: "berth")
    }

    var isRunning: Bool { process.isRunning }
    func lastErrorLines() -> String { process.lastErrorLines() }

    func url(_ listener: ListenerKind, _ path: String) -> String {
        "\(listener.rawValue)://127.0.0.1:\(ports[listener.rawValue] ?? 0)\(path)"
    }

    /// The URL of a path on the admin address.
    func adminURL(_ path: String) -> String { "http://127.0.0.1:\(ports["admin"] ?? 0)\(path)" }

    /// Waits until it listens and `/readyz` answers 200.
    func ready() async throws {
        for listener in ListenerKind.allCases {
            ports[listener.rawValue] = try await port(after: "listening on \(listener.rawValue)://127.0.0.1:")
        }
        let admin = try await port(after: "admin on http://127.0.0.1:")
        ports["admin"] = admin
        try await eventually("berth: /readyz", within: .seconds(10)) {
            try await Self.status("http://127.0.0.1:\(admin)/readyz") == 200 ? () : nil
        }
    }

    /// Sends SIGTERM and returns the exit status.
    func end() async throws -> Int32? {
        process.terminate()
        return try await process.exitStatus(within: .seconds(15))
    }

    /// Starts it again with the same file, ports and secret, after `end` or `kill`.
    func restart() async throws {
        process = try Self.start(servers, affinity, heartbeat, onLost, ports: ports, directory)
        try await ready()
    }

    func kill() { process.kill() }

    /// Its resident memory, in bytes.
    func residentBytes() throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(process.identifier)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") } ?? ""
        return (Int(line.split(separator: " ").dropLast().last ?? "") ?? 0) * 1024
    }

    private func port(after prefix: String) async throws -> Int {
        try await process.first(prefix, of: process.errorLines, within: .seconds(15)) { line in
            line.range(of: prefix).flatMap { Int(line[$0.upperBound...].prefix { $0.isNumber }) }
        }
    }

    private static func status(_ url: String) async throws -> Int? {
        guard let url = URL(string: url) else { return nil }
        let answer = try? await URLSession.shared.data(from: url)
        return (answer?.1 as? HTTPURLResponse)?.statusCode
    }

    private static func start(
        _ servers: [String], _ affinity: Affinity, _ heartbeat: String, _ onLost: String, ports: [String: Int],
        _ directory: URL
    ) throws -> ChildProcess {
        let list = servers.map { "\"\($0)\"" }.joined(separator: ", ")
        let file = directory.appending(path: "berth.toml")
        let text = """
            [global]
            workers = 2
            admin   = "127.0.0.1:\(ports["admin"] ?? 0)"
            admin_token = "file:\(directory.path)/admin.token"
            secret  = "file:\(directory.path)/session.keys"
            drain_timeout = "1s"

            [listen]
            http  = "127.0.0.1:\(ports["http"] ?? 0)"
            https = "127.0.0.1:\(ports["https"] ?? 0)"
            cert  = "\(directory.path)/cert.pem"
            key   = "\(directory.path)/key.pem"
            limits = { request_body = "32MiB" }

            [upstream.mcp]
            servers = [\(list)]

            [upstream.mcp.session]
            affinity = "\(affinity.rawValue)"
            on_lost  = "\(onLost)"

            [upstream.mcp.sse]
            heartbeat = "\(heartbeat)"

            [upstream.mcp.health_check]
            type    = "tcp"
            interval = "200ms"
            timeout = "200ms"
            rise    = 1
            fall    = 2

            """
        try Data(text.utf8).write(to: file)
        let token = directory.appending(path: "admin.token").path
        _ = FileManager.default.createFile(
            atPath: token, contents: Data(adminToken.utf8), attributes: [.posixPermissions: 0o600])
        return try ChildProcess("berth", executable, ["run", file.path], in: directory)
    }
}
