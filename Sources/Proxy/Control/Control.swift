import Logging

/// What only the control thread does, and what every worker may say to the log.
struct Control {
    /// Health checks, on the worker that makes them; empty on the others.
    var healthChecks: [HealthCheck] = []
    /// Answers requests on admin listeners.
    let admin: AdminHandler?
    let log: Logger?
}
