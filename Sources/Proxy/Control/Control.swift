import Logging

/// What only the control thread does, and what every worker may say to the log.
struct Control {
    /// Makes health checks.
    let runsHealthChecks: Bool
    /// By the server's slot; empty on workers that make none.
    var healthChecks: [HealthCheck?] = []
    /// The checks are to end, and what servers keep for them.
    var isEndingHealthChecks = false
    /// By the slot of an upstream, what its servers' tools are if they differ, as it was last said.
    var catalogs: [Int: [Int64]] = [:]
    /// Answers requests on admin listeners.
    let admin: AdminHandler?
    /// Responses of the admin address that go on; some may have ended.
    var streams: [AdminStream] = []
    let log: Logger?
    /// How often this worker says that a server's response was bad.
    var badResponses = LogLimiter()
    /// How often it says that a session stays lost.
    var lostSessions = LogLimiter()
    /// How often it says that a request exceeded a limit.
    var refusals = LogLimiter()

    init(runsHealthChecks: Bool, admin: AdminHandler?, log: Logger?) {
        self.runsHealthChecks = runsHealthChecks
        self.admin = admin
        self.log = log
    }
}
