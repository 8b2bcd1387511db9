package import Discovery
package import Kernel
package import Logging

extension ServiceDiscovery {
    /// Discovery that says in the log which servers come and go, and what is wrong with a source. `known`: the servers that an
    /// earlier process has found, by upstream.
    package convenience init(
        known: [String: [DiscoveredServer]] = [:], lookup: SourceLookup = .system, log: Logger
    ) throws(StartError) {
        do throws(SystemError) {
            try self.init(known: known, lookup: lookup) { upstream, action in
                let metadata: Logger.Metadata = ["upstream": "\(upstream)"]
                for notice in action.notices {
                    let line = "discovery of upstream \(upstream): \(notice.text)"
                    log.log(level: notice.isWarning ? .warning : .notice, "\(line)", metadata: metadata)
                }
                for line in action.changeLines(upstream) { log.notice("\(line)", metadata: metadata) }
            }
        } catch {
            throw StartError("cannot start discovery: \(error)")
        }
    }

    /// What a running process or a new one works with: the servers of these plans by upstream. Sources that are new have `limit`
    /// to answer.
    package func found(
        _ plans: [DiscoveryPlan], within limit: Interval
    ) throws(StartError) -> [String: [DiscoveredServer]] {
        do throws(SystemError) {
            return try servers(of: plans, within: limit)
        } catch {
            throw StartError("cannot follow names and files of servers: \(error)")
        }
    }
}

extension DiscoveryState.Action {
    /// Names that a line has at most.
    private static var maximumNames: Int { 8 }

    /// What has changed, a line each for those that came and those that went.
    fileprivate func changeLines(_ upstream: String) -> [String] {
        func names(_ servers: [DiscoveredServer]) -> String {
            let shown = servers.prefix(Self.maximumNames).map(\.name).joined(separator: ", ")
            return servers.count > Self.maximumNames ? "\(shown), …" : shown
        }
        func line(_ servers: [DiscoveredServer], _ verb: String, _ more: String = "") -> [String] {
            guard !servers.isEmpty else { return [] }
            let count = servers.count == 1 ? "1 server" : "\(servers.count) servers"
            return ["discovery of upstream \(upstream): \(count) \(verb)\(more): \(names(servers))"]
        }
        return line(appeared, "appeared")
            + line(vanished, "vanished", " and keep their sessions for at most drain_timeout")
            + line(altered, "changed")
    }
}
