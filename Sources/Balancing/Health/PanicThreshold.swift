/// The rule for an upstream that is mostly down: so few endpoints left would only be overrun, and more likely it is the
/// probes that are wrong.
package enum PanicThreshold {
    /// Whether all endpoints are to be tried, healthy or not: less than `thresholdPercent` of them are available. Never
    /// with a threshold of 0.
    package static func applies(available: Int, total: Int, thresholdPercent: Int) -> Bool {
        guard total > 0 else { return false }
        return available * 100 < total * thresholdPercent
    }
}
