/// A change that somebody has asked for on the admin address, and what came of it: an entry of the audit log.
package struct AdminChange: Sendable, Equatable {
    /// How it ended.
    package enum Outcome: String, Sendable, Encodable {
        case applied, unchanged, rejected
        /// It goes on after the answer, as an upgrade does.
        case started
        /// Who asked for it may not have it.
        case denied
    }

    /// `drain`, `weight`, `reload` and so on, as in the path.
    package var action: String
    /// The server, the session's digest or the level that it is about; empty if it is about the process.
    package var subject: String
    /// What it is to be: the weight, the time; empty if there is nothing to say.
    package var value: String
    /// Who asked: an address, or a user of this machine.
    package var client: String
    /// By which door: `http` or `mcp`.
    package var interface: String
    package var outcome: Outcome
    /// Why nothing has changed; nil if nothing is wrong.
    package var error: String?

    package init(
        action: String, subject: String = "", value: String = "", client: String, interface: String = "http",
        outcome: Outcome, error: String? = nil
    ) {
        self.action = action
        self.subject = subject
        self.value = value
        self.client = client
        self.interface = interface
        self.outcome = outcome
        self.error = error
    }

    /// The change as it is posted: "POST /weight mcp/mcp-3:3001 20".
    package var request: String { "POST /" + [action, subject, value].filter { !$0.isEmpty }.joined(separator: " ") }

    /// One line for the log: "drain mcp/mcp-3:3001 by user 0: applied".
    package var line: String {
        let words = [action, subject, value].filter { !$0.isEmpty }.joined(separator: " ")
        return "\(words) by \(client): \(outcome.rawValue)\(error.map { ", \($0)" } ?? "")"
    }
}

/// Writes a change down. Called from any thread; must not block.
package typealias AuditTrail = @Sendable (AdminChange) -> Void
