/// The rule for an upstream most of whose servers are unhealthy: the few that are left would be overloaded, and it is more
/// likely that the health checks are wrong (Envoy's panic threshold).
package enum PanicThreshold {
    /// Whether all servers are to be tried, healthy or not.
    ///
    /// - Parameters:
    ///   - available: Healthy servers of the upstream.
    ///   - total: All its servers.
    ///   - thresholdPercent: All are tried if fewer than this percentage are available; 0 means never.
    package static func applies(available: Int, total: Int, thresholdPercent: Int) -> Bool {
        guard total > 0 else { return false }
        return available * 100 < total * thresholdPercent
    }
}
