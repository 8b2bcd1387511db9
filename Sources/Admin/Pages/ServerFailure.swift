import FoundationEssentials
import Kernel
import Proxy

/// Why the last check of a server failed, and when, for documents.
struct ServerFailure {
    /// In the words of the log.
    let reason: String
    /// In milliseconds since 1970.
    let at: UInt64

    /// Nil if the last check passed, or there was none.
    init?(of server: ServerPlan, _ proxy: ProxyServer) {
        guard let problem = proxy.problem(of: server) else { return nil }
        reason = problem.text
        let age = UInt64((max(Instant.now(), problem.at) - problem.at).nanoseconds / 1_000_000)
        let now = DashboardNames.wallMilliseconds
        // Whole seconds: the same every time.
        at = (now - min(now, age) + 500) / 1_000 * 1_000
    }
}
