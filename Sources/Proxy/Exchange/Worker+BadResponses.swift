import HTTP
import Kernel
import Logging
import Reactor

/// What operators are told of servers whose responses cannot be forwarded.
extension Worker where Outside: ~Copyable {
    /// Logs why a server's response was refused.
    mutating func logBadResponse(_ exchange: Handle, _ fault: ResponseFault) {
        guard let log = control.log, let omitted = control.badResponses.admit(at: clock.now) else { return }
        let server = Int(exchanges[exchange].server)
        guard server >= 0 else { return }
        let upstream = servers.upstreams[servers.upstream(of: server)].plan.name
        let more = omitted == 0 ? "" : " (\(omitted) more of these were not logged)"
        log.warning(
            "server \(servers[server].plan.name) of upstream \(upstream): invalid response: \(fault)\(more)")
    }
}
