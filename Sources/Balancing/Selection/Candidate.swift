/// What a selection knows of one endpoint at the moment it chooses.
package struct Candidate: Equatable, Sendable {
    /// Healthy, not draining, not full.
    package var isAvailable: Bool
    /// Takes work only while no other endpoint is available.
    package var isBackup: Bool
    /// Its share relative to the others, from 1.
    package var weight: Int32
    /// Calls in progress there. An idle event stream is no call.
    package var calls: Int32
    /// `ServerTag` of its address.
    package var tag: UInt64

    package init(isAvailable: Bool, isBackup: Bool, weight: Int32, calls: Int32, tag: UInt64) {
        self.isAvailable = isAvailable
        self.isBackup = isBackup
        self.weight = weight
        self.calls = calls
        self.tag = tag
    }
}
