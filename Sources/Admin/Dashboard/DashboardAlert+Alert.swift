import Telemetry

extension DashboardAlert {
    /// The alerts that `watch` knows of, those that are over left out.
    package static func present(in watch: AlertWatch) -> [DashboardAlert] {
        watch.alerts.filter { $0.state != .resolved }.map { alert in
            DashboardAlert(
                name: alert.rule.rawValue, state: alert.state.rawValue, severity: alert.rule.severity.rawValue,
                since: UInt64(clamping: watch.milliseconds(alert.since)), summary: alert.message)
        }
    }
}
