package import Telemetry

extension AuditedChange {
    /// A change on the admin address, for the audit log.
    package init(_ change: AdminChange) {
        self.init(
            from: "\(change.client) (\(change.interface))", request: change.request, outcome: change.outcome.rawValue,
            detail: change.error ?? "")
    }
}
