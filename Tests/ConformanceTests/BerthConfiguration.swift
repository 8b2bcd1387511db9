import Foundation

/// The file that a `BerthProcess` runs with.
struct BerthConfiguration {
    /// The addresses of its servers.
    var servers: [String]
    var affinity = BerthProcess.Affinity.signed
    var heartbeat = "15s"
    var onLost = "clean"
    /// The end of the file, from the table of health checks on.
    var checks = """
        type     = "tcp"
        interval = "200ms"
        timeout  = "200ms"
        rise     = 1
        fall     = 2
        """
    /// The value of `trace`; nil: the file has none.
    var trace: String?
    /// Further lines of `[global]`.
    var logs = ""
    /// The value of `timeouts`, of servers; nil: the file has none.
    var timeouts: String?
    /// Further tables.
    var rest = ""
    /// Addresses of servers behind the path `/modern`, an upstream of their own.
    var modern: [String] = []
    /// The folder of this file and of those that it names.
    var directory: URL

    /// Writes it. Ports that are not in `ports` are left to the kernel. Returns its path.
    func write(_ name: String, ports: [String: Int]) throws -> String {
        let list = Self.list(servers)
        let file = directory.appending(path: name)
        let text = """
            [global]
            workers = 2
            admin   = "127.0.0.1:\(ports["admin"] ?? 0)"
            admin_token = "file:\(directory.path)/admin.token"
            secret  = "file:\(directory.path)/session.keys"
            drain_timeout = "1s"
            \(trace.map { "trace = \($0)" } ?? "")
            \(logs)

            [listen]
            http  = "127.0.0.1:\(ports["http"] ?? 0)"
            https = "127.0.0.1:\(ports["https"] ?? 0)"
            cert  = "\(directory.path)/cert.pem"
            key   = "\(directory.path)/key.pem"
            limits = { request_body = "32MiB" }

            \(modern.isEmpty ? "" : secondUpstream)

            [upstream.mcp]
            servers  = [\(list)]
            \(timeoutsOfServers)

            [upstream.mcp.session]
            affinity = "\(affinity.rawValue)"
            on_lost  = "\(onLost)"

            [upstream.mcp.sse]
            heartbeat = "\(heartbeat)"

            [upstream.mcp.health_check]
            \(checks)

            \(rest)

            """
        try Data(text.utf8).write(to: file)
        return file.path
    }

    private static func list(_ addresses: [String]) -> String {
        addresses.map { "\"\($0)\"" }.joined(separator: ", ")
    }

    private var timeoutsOfServers: String { timeouts.map { "timeouts = \($0)" } ?? "" }

    private var secondUpstream: String {
        """
        [[route]]
        path     = "/modern"
        upstream = "modern"
        [[route]]
        path     = "/mcp"
        upstream = "mcp"

        [upstream.modern]
        servers  = [\(Self.list(modern))]
        \(timeoutsOfServers)
        """
    }

    /// What changes on the admin address need.
    static let adminToken = "0123456789abcdef0123456789abcdef"

    /// Writes the token that changes need.
    func writeToken() throws {
        let token = directory.appending(path: "admin.token")
        try Data("\(Self.adminToken)\n".utf8).write(to: token)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: token.path)
    }
}
