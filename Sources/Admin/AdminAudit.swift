import Foundation
package import Proxy
import Telemetry

/// Has the audit log say what was changed on the admin address, or was tried to. Safe to use from any thread.
package struct AdminAudit: Sendable {
    private let logs: CallLogs

    /// Writes to the audit log of these.
    package init(_ logs: CallLogs) {
        self.logs = logs
    }

    /// `respond`, which also records the response if the request is to change something.
    package func recording(
        _ request: AdminRequest, _ respond: @escaping @Sendable (AdminResponse) -> Void
    ) -> @Sendable (AdminResponse) -> Void {
        guard request.isPost else { return respond }
        let logs = logs
        return { response in
            respond(response)
            logs.record(Self.change(request, response))
        }
    }

    /// What a report of a change says, as far as an auditor asks.
    private struct Report: Decodable {
        var outcome: String
        var changes: [String]?
        var error: String?
    }

    static func change(_ request: AdminRequest, _ response: AdminResponse) -> AuditedChange {
        let report = try? JSONDecoder().decode(Report.self, from: Data(response.body.utf8))
        return AuditedChange(
            from: "admin address", request: "POST \(request.path)\(query(request))",
            outcome: report?.outcome ?? outcome(response.status), status: response.status,
            detail: report.map { $0.error ?? ($0.changes ?? []).joined(separator: "; ") } ?? "")
    }

    private static func outcome(_ status: UInt16) -> String {
        switch status {
        case 200..<300: "applied"
        case 401, 403: "denied"
        default: "rejected"
        }
    }

    /// Keys whose values are names and figures. Of others, which may be tokens or ids of sessions, only the key is written.
    private static let shown: Set<String> = ["server", "upstream", "weight", "level", "pattern"]

    private static func query(_ request: AdminRequest) -> String {
        guard !request.query.isEmpty else { return "" }
        let items = URLComponents(string: "?" + request.query)?.queryItems ?? []
        return "?"
            + items.map { "\($0.name)=\(shown.contains($0.name) ? $0.value ?? "" : "...")" }.joined(separator: "&")
    }
}
