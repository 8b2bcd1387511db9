/// Names a server, or an upstream, for as long as anything uses it: its slot in the server table, and the generation the
/// slot had when it was given out. It outlives snapshots: an unchanged server keeps its name across reloads.
package struct ServerID: Hashable, Sendable {
    /// The row in the server table and in the metrics, below the table's capacity; 65,535 if there is no server.
    package let slot: UInt16
    /// Counts who had the slot, from 1, modulo 2^16; 0 if there is no server.
    package let generation: UInt16

    package init(slot: UInt16, generation: UInt16) {
        self.slot = slot
        self.generation = generation
    }

    /// No server.
    package static var none: ServerID { ServerID(slot: .max, generation: 0) }

    /// Both halves in one number.
    var packed: UInt32 { UInt32(generation) << 16 | UInt32(slot) }

    init(packed: UInt32) {
        self.init(slot: UInt16(truncatingIfNeeded: packed), generation: UInt16(truncatingIfNeeded: packed >> 16))
    }
}
