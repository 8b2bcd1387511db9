import Logging

/// What only the control thread does, and what every worker may say to the log.
struct Control {
    /// Makes health checks.
    let runsHealthChecks: Bool
    /// By the server's slot; empty on workers that make none.
    var healthChecks: [HealthCheck?] = []
    /// Answers requests on admin listeners.
    let admin: AdminHandler?
    let log: Logger?
}
