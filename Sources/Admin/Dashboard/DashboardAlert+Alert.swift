import Foundation
import Kernel
import Telemetry

extension DashboardAlert {
    /// The alerts that `watch` knows of, those that are over left out.
    package static func present(in watch: AlertWatch) -> [DashboardAlert] {
        let now = Instant.now()
        let wallClock = UInt64(max(0, Date().timeIntervalSince1970) * 1_000)
        return watch.alerts.filter { $0.state != .resolved }.map { alert in
            let age = (now - alert.since).nanoseconds / 1_000_000
            return DashboardAlert(
                name: alert.rule.rawValue, state: alert.state.rawValue, severity: alert.rule.severity.rawValue,
                since: wallClock - min(age, wallClock), summary: alert.message)
        }
    }
}
