package import Configuration
package import Discovery
import Kernel

extension Configuration {
    /// Where servers are found, for each upstream that says so.
    package var discoveryPlans: [DiscoveryPlan] { upstreams.compactMap { DiscoveryPlan($0) } }
}

extension DiscoveryPlan {
    /// Nil for an upstream whose servers all stand in the file.
    init?(_ upstream: UpstreamConfiguration) {
        guard let discover = upstream.discover else { return nil }
        let source: DiscoverySource =
            switch discover.source {
            case .dns(let name, let port): .dns(name: name, port: port)
            case .srv(let name): .srv(name: name)
            case .file(let path): .file(path: path)
            }
        self.init(upstream: upstream.name, source: source)
        nameServer = discover.nameServer.flatMap { SocketAddress(literal: $0.host, port: $0.port) }
        limits.minimumTTL = Interval(discover.minimumTTL)
        limits.maximumTTL = Interval(discover.maximumTTL)
        limits.maximumServers = discover.maximumServers
        limits.maximumChanges = discover.maximumChanges
    }
}
