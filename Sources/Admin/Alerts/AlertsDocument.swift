import Kernel
import Telemetry

/// The document of `/alerts`: every rule, and the alerts there are.
struct AlertsDocument: Encodable {
    /// One rule.
    struct Rule: Encodable {
        /// As in the Prometheus rules that come with Berth.
        var name: String
        /// `critical` or `warning`.
        var severity: String
        /// When it fires, in a sentence.
        var summary: String
        /// How long its condition must hold until it fires.
        var forSeconds: Int
        /// `firing` or `pending` if it is so for anything, else `inactive`.
        var state: String
    }

    /// One alert.
    struct Entry: Encodable {
        var name: String
        var severity: String
        /// `pending`, `firing` or `resolved`.
        var state: String
        /// What has the problem: an upstream, `upstream/tool`, a listener, a certificate; empty: the process.
        var subject: String
        /// Since when it is in this state, in milliseconds since 1970.
        var since: Int64
        /// What is wrong, in a sentence; of one that is resolved what was.
        var message: String
    }

    /// When the numbers were looked at last, in milliseconds since 1970; missing: not yet.
    var evaluatedAt: Int64?
    var rules: [Rule]
    var alerts: [Entry]

    init(_ watch: AlertWatch) {
        let list = watch.alerts
        let thresholds = watch.presentThresholds
        evaluatedAt = watch.evaluatedAt.map(watch.milliseconds)
        rules = AlertRule.allCases.map { rule in
            let states = Set(list.filter { $0.rule == rule }.map(\.state))
            let state = states.contains(.firing) ? "firing" : states.contains(.pending) ? "pending" : "inactive"
            return Rule(
                name: rule.rawValue, severity: rule.severity.rawValue, summary: rule.summary,
                forSeconds: Int(thresholds.delay(of: rule).nanoseconds / 1_000_000_000), state: state)
        }
        alerts = list.map { alert in
            Entry(
                name: alert.rule.rawValue, severity: alert.rule.severity.rawValue, state: alert.state.rawValue,
                subject: alert.subject, since: watch.milliseconds(alert.since), message: alert.message)
        }
    }
}
