package import Kernel

/// What has become of a source's answers since the start.
package struct DiscoveryCounts: Sendable, Equatable {
    /// When the source last answered with servers.
    package internal(set) var answeredAt: Instant?
    /// Why the last question failed, as a whole or in part; nil if it did not.
    package internal(set) var failure: DiscoveryFailure?
    /// Failures by what they were.
    package internal(set) var failures: [DiscoveryFailure.Reason: Int] = [:]
    /// Servers that appeared.
    package internal(set) var appeared = 0
    /// Servers that vanished.
    package internal(set) var vanished = 0
    /// Servers that came back within `DiscoveryLimits.flapWindow`.
    package internal(set) var flaps = 0
    /// Changes that wait because there were too many.
    package internal(set) var waiting = 0
    /// Servers of the last answer that are left out because there are too many.
    package internal(set) var omitted = 0

    package init() {}
}
