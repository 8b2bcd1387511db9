package import Telemetry

extension AuditedChange {
    /// An order to the reloader that was carried out, or was not.
    package init(_ outcome: Reloader.Outcome, of request: String, from: String) {
        switch outcome {
        case .applied(let changes, let deferred):
            self.init(
                from: from, request: request, outcome: "applied", detail: (changes + deferred).joined(separator: "; "))
        case .unchanged: self.init(from: from, request: request, outcome: "unchanged")
        case .rejected(let reason): self.init(from: from, request: request, outcome: "rejected", detail: reason)
        }
    }
}
