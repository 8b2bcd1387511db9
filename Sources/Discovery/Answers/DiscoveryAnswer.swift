package import Kernel

/// What a source has answered.
package struct DiscoveryAnswer: Sendable, Equatable {
    /// The servers that it names, in any order.
    package var servers: [DiscoveredServer]
    /// How long it holds; nil: the source does not say.
    package var ttl: Interval?
    /// Origins of servers that could not be asked: those that are known of them stay.
    package var unanswered: Set<String> = []
    /// Why they could not.
    package var problem: DiscoveryFailure?

    package init(servers: [DiscoveredServer], ttl: Interval? = nil) {
        self.servers = servers
        self.ttl = ttl
    }
}
