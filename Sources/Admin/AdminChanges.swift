import Configuration
import Foundation
import Kernel
package import Proxy

/// What can be changed on the admin address, by whoever shows the token: `POST /reload`, `POST /drain?server=…` and
/// `POST /undrain?server=…`. The response comes when the change is in force. Safe to use from any thread.
package struct AdminChanges: Sendable {
    private let reloader: Reloader
    private let upgrade: Upgrade?

    /// Changes by `reloader`, under the token of the configuration in force.
    package init(_ reloader: Reloader, _ upgrade: Upgrade? = nil) {
        self.reloader = reloader
        self.upgrade = upgrade
    }

    var status: ReloadStatus { reloader.status }

    /// What the dashboard has buttons for; nothing as long as nobody can show a token.
    var offered: [String] {
        status.file.configuration.global.adminToken == nil ? [] : ["drain", "undrain", "reload"]
    }

    /// What a change came to, as JSON.
    private struct Report: Encodable {
        /// `applied`, `unchanged` or `rejected`.
        var outcome: String
        /// What has changed, a line each.
        var changes: [String] = []
        /// What takes effect with the next start, a line each.
        var deferred: [String] = []
        /// Why nothing has changed.
        var error: String?
        /// Of the configuration in force.
        var hash: String
    }

    func perform(_ request: AdminRequest, _ respond: @escaping @Sendable (AdminResponse) -> Void) {
        if let refusal = refusal(of: request) {
            respond(refusal)
            return
        }
        if request.path == "/upgrade", let upgrade {
            respond(start(upgrade))
            return
        }
        guard let order = order(request) else {
            respond(
                AdminResponse(
                    status: 404, body: "no such change; there are /reload, /drain?server=… and /undrain?server=…\n"))
            return
        }
        reloader.request(order) { outcome in respond(report(outcome)) }
    }

    /// Asks for an upgrade, which the thread that waits for signals begins. Whether it succeeds is not known yet: the `pid` in
    /// `/stats` is another when it has.
    private func start(_ upgrade: Upgrade) -> AdminResponse {
        let hash = reloader.status.hash
        guard upgrade.state != .running else {
            return JSONPage.response(
                Report(outcome: "rejected", error: "an upgrade is under way", hash: hash), status: 422)
        }
        _ = ThisProcess.signal(ThisProcess.id, SIGUSR2)
        return JSONPage.response(Report(outcome: "started", hash: hash))
    }

    /// Why a request may change nothing; nil if it may.
    private func refusal(of request: AdminRequest) -> AdminResponse? {
        guard let source = status.file.configuration.global.adminToken else {
            return AdminResponse(
                status: 403, body: "changes need a token: set admin_token in [global] of the configuration file\n")
        }
        do throws(StartError) {
            let token = try AdminToken(source)
            guard let shown = request.authorization, token.matches(shown) else {
                return AdminResponse(status: 401, body: "changes need \"Authorization: Bearer\" with the admin token\n")
            }
            return nil
        } catch {
            return AdminResponse(status: 503, body: "\(error)\n")
        }
    }

    private func order(_ request: AdminRequest) -> Reloader.Order? {
        let items = URLComponents(string: "?" + request.query)?.queryItems ?? []
        let server = items.first { $0.name == "server" }?.value
        return switch (request.path, server) {
        case ("/reload", _): .reload
        case ("/drain", let server?): .drain(server: server, true)
        case ("/undrain", let server?): .drain(server: server, false)
        default: nil
        }
    }

    private func report(_ outcome: Reloader.Outcome) -> AdminResponse {
        let hash = reloader.status.hash
        return switch outcome {
        case .applied(let changes, let deferred):
            JSONPage.response(Report(outcome: "applied", changes: changes, deferred: deferred, hash: hash))
        case .unchanged:
            JSONPage.response(Report(outcome: "unchanged", hash: hash))
        case .rejected(let error):
            JSONPage.response(Report(outcome: "rejected", error: error, hash: hash), status: 422)
        }
    }
}
