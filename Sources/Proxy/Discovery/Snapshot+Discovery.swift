import Balancing
package import Configuration
package import Discovery
import Kernel

extension Snapshot {
    /// Adds the servers that were found for an upstream, which must be the last. What stands in the file is not found once more, and
    /// of two servers with one tag, which signed session ids would not tell apart, the first is taken.
    mutating func appendFound(
        _ configuration: UpstreamConfiguration, _ addresses: [String: [SocketAddress]], upstream: Int, from first: Int
    ) {
        var tags = Set(servers[first...].map(\.tag))
        for server in discovered[configuration.name] ?? [] where tags.insert(ServerTag.tag(of: server.name)).inserted {
            let found = (addresses[server.host] ?? []).prefix(ServerPlan.maximumAddresses)
            servers.append(
                ServerPlan(server, at: found.map { $0.at(port: server.port) }, configuration, upstream: upstream))
        }
    }

    /// Adds servers that vanished before a process took another's place, and had something to finish. They keep that and get nothing
    /// new. `servers`: by upstream.
    package mutating func append(leaving servers: [String: [DiscoveredServer]], _ configuration: Configuration) {
        for (index, upstream) in configuration.upstreams.enumerated() {
            var names = Set(self.servers[upstreams[index].servers].map(\.name))
            for server in servers[upstream.name] ?? [] where names.insert(server.name).inserted {
                let address = SocketAddress(literal: server.host, port: server.port)
                var plan = ServerPlan(server, at: address.map { [$0] } ?? [], upstream, upstream: index)
                plan.isRemoved = true
                append(plan, toUpstream: index)
            }
        }
    }
}

extension ServerPlan {
    /// The plan of a server that was found.
    fileprivate init(
        _ server: DiscoveredServer, at addresses: [SocketAddress], _ configuration: UpstreamConfiguration, upstream: Int
    ) {
        self.init(address: .loopback(port: server.port), name: server.name, upstream: upstream)
        self.addresses = addresses
        if SocketAddress(literal: server.host, port: 0) == nil { host = server.host }
        weight = server.weight
        isBackup = server.isBackup
        isDiscovered = true
        serverName = configuration.tls?.serverName ?? server.certificateName
    }
}
