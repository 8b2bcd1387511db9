import Configuration

/// What differs between two configurations, in words for the log.
struct ConfigurationChanges {
    /// What is in force when the workers have the new one, a line each.
    private(set) var lines: [String] = []
    /// What a running process cannot change, a line each.
    private(set) var deferred: [String] = []

    init(from old: Configuration, to new: Configuration) {
        compare(old.global, new.global)
        if old.metrics != new.metrics { lines.append("[metrics] changed") }
        compare(old.listeners, new.listeners)
        if old.alerts != new.alerts { lines.append("[alerts] changed") }
        if old.routes != new.routes { lines.append("routes changed") }
        for upstream in old.upstreams where !new.upstreams.contains(where: { $0.name == upstream.name }) {
            lines.append("upstream \(upstream.name) removed")
        }
        for upstream in new.upstreams {
            if let known = old.upstreams.first(where: { $0.name == upstream.name }) {
                compare(known, upstream)
            } else {
                lines.append("upstream \(upstream.name) added")
            }
        }
    }

    private mutating func compare(_ old: GlobalConfiguration, _ new: GlobalConfiguration) {
        if old.workers != new.workers {
            deferred.append("workers = \(new.workers) takes effect with the next start")
        }
        var rest = old
        rest.workers = new.workers
        if rest != new { lines.append("[global] changed") }
    }

    private mutating func compare(_ old: [ListenerConfiguration], _ new: [ListenerConfiguration]) {
        for listener in old where !new.contains(where: { $0.address == listener.address }) {
            lines.append("listener \(listener.address) removed")
        }
        for listener in new {
            guard let known = old.first(where: { $0.address == listener.address }) else {
                lines.append("listener \(listener.address) added")
                continue
            }
            guard known != listener else { continue }
            lines.append("listener \(listener.address) changed")
            if known.tcp != listener.tcp {
                deferred.append("tcp of listener \(listener.address) takes effect with the next start")
            }
        }
        let (before, after) = (old.map(\.maximumConnections).reduce(0, +), new.map(\.maximumConnections).reduce(0, +))
        if after > before {
            deferred.append("a sum of max_connections above \(before) takes effect with the next start")
        }
    }

    private mutating func compare(_ old: UpstreamConfiguration, _ new: UpstreamConfiguration) {
        for server in old.servers where !new.servers.contains(where: { $0.address == server.address }) {
            lines.append(
                "server \(new.name)/\(server.address) removed: it keeps its sessions for at most drain_timeout")
        }
        for server in new.servers {
            let known = old.servers.first { $0.address == server.address }
            if known == nil { lines.append("server \(new.name)/\(server.address) added") }
            if let known, known != server { lines.append("server \(new.name)/\(server.address) changed") }
        }
        var rest = old
        rest.servers = new.servers
        if rest != new { lines.append("upstream \(new.name) changed") }
    }
}
