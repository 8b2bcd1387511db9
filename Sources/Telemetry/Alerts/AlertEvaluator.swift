import Kernel

/// Decides which alerts there are, from one sample after the other, a few seconds apart. Holds no lock and reads no clock.
package struct AlertEvaluator: Sendable {
    /// How long an alert is still listed after it was resolved.
    private static var memory: Interval { .seconds(900) }
    /// Alerts at most. Names of tools are bounded elsewhere; this is the last line.
    private static var maximum: Int { 1_000 }

    private var conditions = AlertConditions()
    private var alerts: [AlertConditions.Key: Alert] = [:]

    package init() {}

    /// What is pending, fires, or was resolved in the last 15 minutes; firing ones first, then by rule and subject.
    package var list: [Alert] {
        let order: [Alert.State] = [.firing, .pending, .resolved]
        func rank(_ alert: Alert) -> (Int, Int, String) {
            (
                order.firstIndex(of: alert.state) ?? 0, AlertRule.allCases.firstIndex(of: alert.rule) ?? 0,
                alert.subject
            )
        }
        return alerts.values.sorted { rank($0) < rank($1) }
    }

    /// Takes the next sample, and returns the alerts that have begun to fire, or to be resolved, with it.
    @discardableResult
    package mutating func evaluate(_ sample: AlertSample, _ thresholds: AlertThresholds = AlertThresholds()) -> [Alert]
    {
        let wrong = conditions.check(sample, thresholds)
        var changes: [Alert] = []
        for (key, message) in wrong {
            var alert =
                alerts[key]
                ?? Alert(
                    rule: key.rule, subject: key.subject, state: .pending, since: sample.at, message: message)
            alert.message = message
            if alert.state == .resolved { (alert.state, alert.since) = (.pending, sample.at) }
            if alert.state == .pending, sample.at - alert.since >= thresholds.delay(of: key.rule) {
                (alert.state, alert.since) = (.firing, sample.at)
                changes.append(alert)
            }
            if alerts[key] != nil || alerts.count < Self.maximum { alerts[key] = alert }
        }
        for (key, alert) in alerts where wrong[key] == nil {
            switch alert.state {
            case .pending: alerts[key] = nil
            case .firing:
                alerts[key]?.state = .resolved
                alerts[key]?.since = sample.at
                if let resolved = alerts[key] { changes.append(resolved) }
            case .resolved: if sample.at - alert.since > Self.memory { alerts[key] = nil }
            }
        }
        return changes.sorted { ($0.rule.rawValue, $0.subject) < ($1.rule.rawValue, $1.subject) }
    }
}
