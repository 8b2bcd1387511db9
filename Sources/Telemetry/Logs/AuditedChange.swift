import Kernel

/// A change that somebody made to a running Berth, or tried to make.
package struct AuditedChange: Sendable, Equatable {
    /// In nanoseconds since 1970.
    package var time: UInt64
    /// Who: an address, `user 1000` of the Unix socket, or `signal`.
    package var from: String
    /// What was asked for: `POST /drain?server=mcp/mcp-3:3001`, `SIGHUP`. It must hold no token.
    package var request: String
    /// What came of it: `applied`, `unchanged`, `rejected`, `denied`, `started`.
    package var outcome: String
    /// The status of the response; 0 if there was none.
    package var status: UInt16
    /// What changed or why nothing did, a sentence; empty: nothing more is to be said.
    package var detail: String

    /// A change that was made now.
    package init(from: String, request: String, outcome: String, status: UInt16 = 0, detail: String = "") {
        time = UInt64(WallClock.seconds()) * 1_000_000_000
        self.from = from
        self.request = request
        self.outcome = outcome
        self.status = status
        self.detail = detail
    }
}

extension LogBuffer {
    /// Characters of a text that are written; a request line may be long.
    private static var longestText: Int { 1_000 }

    mutating func append(_ change: AuditedChange, _ time: inout LogTime) {
        append("{\"time\":\"")
        time.append(internet: change.time, to: &self)
        append("\",\"event\":\"change\",\"from\":\"")
        append(escaping: String(change.from.prefix(Self.longestText)))
        append("\",\"request\":\"")
        append(escaping: String(change.request.prefix(Self.longestText)))
        append("\",\"outcome\":\"")
        append(escaping: change.outcome)
        append("\"")
        if change.status > 0 {
            append(",\"status\":")
            append(decimal: UInt64(change.status))
        }
        if !change.detail.isEmpty {
            append(",\"detail\":\"")
            append(escaping: String(change.detail.prefix(Self.longestText)))
            append("\"")
        }
        append("}")
    }
}
