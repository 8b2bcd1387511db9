import DashboardPage
import FoundationEssentials
import Proxy
import Telemetry

/// The dashboard: its page, the stream of its figures, and the journey of one session.
package final class Dashboard: Sendable {
    private let sources: DashboardSources
    private let updates: DashboardUpdates

    /// A dashboard of these figures, which are made once a second while somebody watches.
    package convenience init(_ sources: DashboardSources) { self.init(sources, every: 1_000) }

    /// The same with another time between two updates, in milliseconds.
    init(_ sources: DashboardSources, every milliseconds: CInt) {
        self.sources = sources
        updates = DashboardUpdates(sources, every: milliseconds)
    }

    /// Ends all streams. Nothing is sent afterwards.
    package func stop() { updates.stop() }

    /// Answers a GET of one of the dashboard's paths, now or later; false if the path is none of them.
    func answer(_ request: AdminRequest, _ respond: @escaping @Sendable (AdminResponse) -> Void) -> Bool {
        switch request.path {
        case "/": respond(Self.redirection)
        case "/dashboard": respond(Self.page)
        case "/events": updates.subscribe(respond)
        case "/events/session": respond(session(request.query))
        default: return false
        }
        return true
    }

    private static var redirection: AdminResponse {
        var response = AdminResponse(status: 303, body: "the dashboard is at /dashboard\n")
        response.fields = ["location": "/dashboard"]
        return response
    }

    private static var page: AdminResponse {
        var response = AdminResponse(
            status: 200, contentType: "text/html; charset=utf-8", body: DashboardPage.standard.html)
        response.fields = [
            "content-security-policy": DashboardPage.standard.policy, "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer", "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
        ]
        return response
    }

    private func session(_ query: String) -> AdminResponse {
        let items = URLComponents(string: "?" + query)?.queryItems ?? []
        let id = items.first { $0.name == "id" }?.value.flatMap(SessionDigest.number)
        guard let id, let session = sources.calls?.session(id) else {
            return AdminResponse(status: 404, body: "no session with this digest was used lately\n")
        }
        return JSONPage.response(
            DashboardDocument.Session(session, DashboardNames(sources.proxy.snapshot), withSteps: true))
    }
}
