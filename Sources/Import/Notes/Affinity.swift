/// What is wrong with the ways in which others keep sessions with servers, in sentences without a period.
enum Affinity {
    static let signed =
        "the id that a client gets says which server made its session, for any number of clients and any network"
    static let cookies = "MCP clients keep no cookies"
    static let none =
        "nothing keeps sessions with their servers: the second request of most would go to a server that does not know them. "
        + "Here \(signed)"
    static let learned = "ids are signed: nothing is learned, and nothing lost at a restart"

    /// What was wrong, and what is so now.
    static func repair(_ problem: String) -> String { "\(problem). \(NoteWriter.sentence(signed))" }

    /// What is wrong with a hash of a key, as nginx and HAProxy name keys.
    static func problem(ofHash key: String) -> String {
        let key = key.lowercased().replacing("-", with: "_")
        if key.contains("mcp_session_id") {
            return
                "the first request of a session has no id yet: it is hashed to one server, and all later ones to another"
        }
        if ["remote_addr", "realip", "forwarded_for", "source", "src"].contains(where: key.contains) {
            return
                "all who come from one NAT address share a server, and a client that changes its network loses its session"
        }
        if key.contains("cookie") { return cookies }
        if key.contains("session") {
            return "the GET that opens a session has no id yet: it is hashed to one server, and the POSTs to another"
        }
        return "MCP knows nothing by which the first request of a session and all later ones would be hashed alike"
    }
}

/// What becomes of the longest silence of a server that others allow.
struct SilenceLimit {
    /// What the upstream says as `first_byte`; nil: the default.
    let firstByte: Duration?
    let verdict: Verdict
    let reason: String

    /// `program`: who cuts streams after that time.
    init(_ timeout: Duration, of program: String) {
        let usual = Duration.seconds(300)
        if timeout >= .seconds(3_600) || timeout == usual {
            (firstByte, verdict) = (nil, .byDefault)
            reason = "streams have no timeout, other answers 5m to begin"
        } else if timeout > usual {
            (firstByte, verdict) = (timeout, .kept)
            reason = "timeouts.first_byte; streams have no timeout"
        } else {
            (firstByte, verdict) = (max(timeout, .milliseconds(1)), .repaired)
            reason =
                "\(program) cuts every event stream that is silent for so long; here that is the time that an answer has to "
                + "begin (timeouts.first_byte), and comments keep silent streams open"
        }
    }
}
