/// How discovery for one upstream is doing.
package struct DiscoveryStatus: Sendable {
    /// The upstream's name.
    package var upstream: String
    /// Where its servers are found.
    package var source: DiscoverySource
    /// Servers in force.
    package var servers: Int
    /// What has become of answers.
    package var counts: DiscoveryCounts

    package init(upstream: String, source: DiscoverySource, servers: Int, counts: DiscoveryCounts) {
        self.upstream = upstream
        self.source = source
        self.servers = servers
        self.counts = counts
    }
}
