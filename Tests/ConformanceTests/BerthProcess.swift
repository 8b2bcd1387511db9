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

    private let configuration: BerthConfiguration
    private var commands = 0
    private var process: ChildProcess
    private var ports: [String: Int] = [:]

    /// Starts it on ports that the kernel chooses.
    init(_ configuration: BerthConfiguration) throws {
        self.configuration = configuration
        try configuration.writeToken()
        process = try Self.start(configuration, ports: [:])
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

    /// The address of the admin pages.
    var admin: String { "http://127.0.0.1:\(ports["admin"] ?? 0)" }

    /// Waits until it listens and `/readyz` answers 200.
    func ready() async throws {
        for listener in ListenerKind.allCases {
            ports[listener.rawValue] = try await port(after: "listening on \(listener.rawValue)://127.0.0.1:")
        }
        let admin = try await port(after: "admin on http://127.0.0.1:")
        ports["admin"] = admin
        try await eventually("berth: /readyz", within: .seconds(60)) {
            try await Self.status("http://127.0.0.1:\(admin)/readyz") == 200 ? () : nil
        }
    }

    /// Sends SIGTERM and returns the exit status.
    func end() async throws -> Int32? {
        process.terminate()
        return try await process.exitStatus(within: .seconds(60))
    }

    /// Starts it again with the same file, ports and secret, after `end` or `kill`.
    func restart() async throws {
        process = try Self.start(configuration, ports: ports)
        try await ready()
    }

    /// Runs a command of Berth on it, such as `drain`, and returns its exit status.
    func command(_ words: String..., within limit: Duration) async throws -> Int32? {
        commands += 1
        let file = try configuration.write("command.toml", ports: ports)
        let command = try ChildProcess(
            "command-\(commands)", Self.executable, words + ["--config", file], in: configuration.directory)
        let status = try await command.exitStatus(within: limit)
        if status != 0 { print("berth \(words): \(command.outputLines()) \(command.lastErrorLines())") }
        return status
    }

    /// What `/stats` says of a server.
    struct ServerStatus: Decodable {
        var address: String
        var healthy, draining: Bool
        var sessions: Int
    }

    /// What `/stats` says of the server at `address`.
    func status(of address: String) async throws -> ServerStatus {
        struct Page: Decodable {
            struct Upstream: Decodable { var servers: [ServerStatus] }
            var upstreams: [Upstream]
        }
        guard let url = URL(string: "http://127.0.0.1:\(ports["admin"] ?? 0)/stats") else { throw URLError(.badURL) }
        let page = try JSONDecoder().decode(Page.self, from: try await URLSession.shared.data(from: url).0)
        guard let server = page.upstreams.first?.servers.first(where: { $0.address == address }) else {
            throw DeadlinePassed(description: "/stats knows no server \(address)")
        }
        return server
    }

    func kill() { process.kill() }

    /// Its resident memory, in bytes.
    func residentBytes() throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(process.identifier)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") } ?? ""
        return (Int(line.split(separator: " ").dropLast().last ?? "") ?? 0) * 1024
    }

    private func port(after prefix: String) async throws -> Int {
        try await process.first(prefix, of: process.errorLines, within: .seconds(60)) { line in
            line.range(of: prefix).flatMap { Int(line[$0.upperBound...].prefix { $0.isNumber }) }
        }
    }

    private static func status(_ url: String) async throws -> Int? {
        guard let url = URL(string: url) else { return nil }
        let answer = try? await URLSession.shared.data(from: url)
        return (answer?.1 as? HTTPURLResponse)?.statusCode
    }

    private static func start(_ configuration: BerthConfiguration, ports: [String: Int]) throws -> ChildProcess {
        let file = try configuration.write("berth.toml", ports: ports)
        return try ChildProcess("berth", executable, ["run", file], in: configuration.directory)
    }
}
