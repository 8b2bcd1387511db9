import FoundationEssentials

/// The configuration file of Berth under trial.
struct BerthFile {
    /// Addresses of the servers, `127.0.0.1:3001`.
    var servers: [String]
    var workers = 2
    /// The value of `session.on_lost`; nil leaves the key out.
    var onLost: String?
    /// The value of `session.affinity`; nil leaves the key out.
    var affinity: String?
    /// The value of `admin_token`, a file; nil leaves the key out.
    var token: String?
    /// Whether the servers answer `/healthz`.
    var checksHealth = true
    /// The file is another one for each number.
    var revision = 0
    var listener = ""
    var admin = ""
    var secret = ""
    var certificate = ""
    var key = ""

    /// The text of the file.
    var text: String {
        var lines = ["[global]", "workers       = \(workers)", "admin         = \"\(admin)\""]
        if let token { lines.append("admin_token   = \"\(token)\"") }
        lines += ["drain_timeout = \"10s\"", "secret        = \"file:\(secret)\"", ""]
        lines += ["[listen]", "https = \"\(listener)\"", "cert  = \"\(certificate)\"", "key   = \"\(key)\"", ""]
        lines += ["[upstream.mcp]", "servers = ["]
        lines += servers.enumerated().map { index, server in
            // The weight of one server is what a reload changes, and the size of a queue.
            let weight = revision > 0 && index == revision % servers.count ? ", weight = 2" : ""
            return "  { address = \"\(server)\"\(weight) },"
        }
        lines.append("]")
        var session: [String] = []
        if let affinity { session.append("affinity = \"\(affinity)\"") }
        if let onLost { session.append("on_lost = \"\(onLost)\"") }
        if !session.isEmpty { lines += ["", "[upstream.mcp.session]"] + session }
        lines += ["", "[upstream.mcp.queue]", "max = \(1_000 + revision)"]
        lines += ["", "[upstream.mcp.health_check]"]
        if checksHealth { lines += ["type = \"http\"", "path = \"/healthz\""] }
        lines += ["interval = \"500ms\"", "timeout = \"400ms\"", "rise = 1", "fall = 2"]
        return lines.map { $0 + "\n" }.joined()
    }

    /// The same for a reader who wants to run it: other places for files, and no more than is needed.
    var copy: String {
        var lines = [
            "[listen]", "https = \":443\"", "cert  = \"/etc/berth/mcp.pem\"", "key   = \"/etc/berth/mcp.key\"", "",
        ]
        lines += ["[upstream.mcp]", "servers = [\(servers.map { "\"\($0)\"" }.joined(separator: ", "))]", ""]
        if let onLost { lines += ["[upstream.mcp.session]", "on_lost = \"\(onLost)\"", ""] }
        lines += ["[upstream.mcp.health_check]", "type = \"http\"", "path = \"/healthz\"", "interval = \"500ms\""]
        lines += ["timeout = \"400ms\"", "fall = 2"]
        return lines.map { $0 + "\n" }.joined()
    }
}
