import ASCII
import Configuration
import FoundationEssentials
import Glibc
import Kernel
package import Proxy

/// What can be changed on the admin address: by whoever shows the token, and on the Unix socket by this user and root. The
/// response comes when the change is in force. Safe to use from any thread.
package struct AdminChanges: Sendable {
    private let reloader: Reloader
    private let upgrade: Upgrade?
    private let log: LogThreshold?
    private let audit: AuditTrail

    /// Changes by `reloader`. `log` is what the level of the log is changed with; `audit` is told of every change, those that are
    /// not made included.
    package init(
        _ reloader: Reloader, _ upgrade: Upgrade? = nil, log: LogThreshold? = nil,
        audit: @escaping AuditTrail = { _ in }
    ) {
        self.reloader = reloader
        self.upgrade = upgrade
        self.log = log
        self.audit = audit
    }

    var status: ReloadStatus { reloader.status }

    /// What the dashboard has buttons for; nothing as long as nobody can show a token.
    var offered: [String] {
        status.file.configuration.global.adminToken == nil ? [] : ["drain", "undrain", "eject", "uneject", "reload"]
    }

    /// Answers a POST.
    func perform(_ request: AdminRequest, _ respond: @escaping @Sendable (AdminResponse) -> Void) {
        let action = String(request.path.dropFirst())
        let items = URLComponents(string: "?" + request.query)?.queryItems ?? []
        let result = Result { () throws(RequestedChange.Fault) in
            try RequestedChange(action) { name in items.first { $0.name == name }?.value }
        }
        if case .success(nil) = result {
            let all = RequestedChange.usage.joined(separator: ", ")
            respond(AdminResponse(status: 404, body: "no such change; there are \(all)\n"))
            return
        }
        if let refusal = AdminAccess(global: status.file.configuration.global).refusal(ofChange: request) {
            audit(
                AdminChange(
                    action: action, client: "\(request.client)", outcome: .denied,
                    error: refusal.body.trimmed))
            respond(refusal)
            return
        }
        switch result {
        case .success(let change?):
            perform(change, by: "\(request.client)") { respond(JSONPage.response($0, status: $0.status)) }
        case .failure(let fault): respond(AdminResponse(status: 400, body: fault.text + "\n"))
        case .success(nil): break
        }
    }

    /// Does a change that is allowed. `client` and `interface` are for the audit log.
    func perform(
        _ change: RequestedChange, by client: String, interface: String = "http",
        _ report: @escaping @Sendable (ChangeReport) -> Void
    ) {
        let audit = audit
        let done: @Sendable (ChangeReport) -> Void = { result in
            audit(
                AdminChange(
                    action: change.action, subject: change.subject, value: change.value, client: client,
                    interface: interface, outcome: result.outcome, error: result.error))
            report(result)
        }
        switch change.work {
        case .order(let order): reloader.request(order) { done(self.report($0)) }
        case .upgrade: done(startUpgrade())
        case .logLevel(let level): done(setLogLevel(level))
        case .purge(let order): done(purge(order))
        }
    }

    /// Asks for an upgrade, which the thread that waits for signals begins. Whether it succeeds is not known yet: the `pid` in
    /// `/stats` is another when it has.
    private func startUpgrade() -> ChangeReport {
        guard let upgrade else { return rejected("this process cannot be upgraded") }
        guard upgrade.state != .running else { return rejected("an upgrade is under way") }
        _ = ThisProcess.signal(ThisProcess.id, SIGUSR2)
        return ChangeReport(outcome: .started, hash: reloader.status.hash)
    }

    private func setLogLevel(_ name: String) -> ChangeReport {
        guard let log else { return rejected("the log of this process has a fixed level") }
        let before = log.name
        guard log.set(name) else {
            return rejected("\(name) is no level: there are \(LogThreshold.names.joined(separator: ", "))")
        }
        guard before != name else { return ChangeReport(outcome: .unchanged, hash: reloader.status.hash) }
        return ChangeReport(
            outcome: .applied, changes: ["the log says what is \(name) or worse"], hash: reloader.status.hash)
    }

    private func purge(_ order: PurgeOrder) -> ChangeReport {
        do throws(RequestedChange.Fault) {
            let count = try order.perform(reloader.proxy)
            guard count > 0 else { return ChangeReport(outcome: .unchanged, hash: reloader.status.hash) }
            return ChangeReport(
                outcome: .applied, changes: ["\(count) answer\(count == 1 ? "" : "s") purged"],
                hash: reloader.status.hash)
        } catch {
            return rejected(error.text)
        }
    }

    private func rejected(_ reason: String) -> ChangeReport {
        ChangeReport(outcome: .rejected, error: reason, hash: reloader.status.hash)
    }

    private func report(_ outcome: Reloader.Outcome) -> ChangeReport {
        let hash = reloader.status.hash
        return switch outcome {
        case .applied(let changes, let deferred):
            ChangeReport(outcome: .applied, changes: changes, deferred: deferred, hash: hash)
        case .unchanged: ChangeReport(outcome: .unchanged, hash: hash)
        case .rejected(let error): ChangeReport(outcome: .rejected, error: error, hash: hash)
        }
    }
}

/// What a change came to, as JSON.
struct ChangeReport: Encodable, Sendable {
    var outcome: AdminChange.Outcome
    /// What has changed, a line each.
    var changes: [String] = []
    /// What takes effect with the next start, a line each.
    var deferred: [String] = []
    /// Why nothing has changed.
    var error: String?
    /// Of the configuration in force.
    var hash: String

    /// The status of the response.
    var status: UInt16 { outcome == .rejected ? 422 : 200 }
}
