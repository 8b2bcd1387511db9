/// What the simulated network and kernel are like: every figure is drawn anew, from the seed, for each socket, segment
/// or call it concerns.
package struct Conditions: Sendable {
    /// One way, in nanoseconds, for each segment; segments of one direction never overtake one another.
    package var latency: ClosedRange<UInt64> = 20_000...400_000
    /// How many bytes travel together.
    package var segmentBytes: ClosedRange<Int> = 1...4096
    /// What a socket of the worker takes from `send` before the peer has acknowledged any.
    package var sendBufferBytes: ClosedRange<Int> = 64...16_384
    /// What waits for the worker to receive it before the peer must stop sending.
    package var receiveBufferBytes: ClosedRange<Int> = 64...16_384
    /// The same at the peer's end.
    package var peerReceiveBufferBytes: ClosedRange<Int> = 64...16_384
    /// Connections that wait for `accept`; when full, a SYN is lost and comes again a second later.
    package var backlog = 128
    /// Descriptors the worker may have open, listeners included: EMFILE beyond.
    package var descriptorLimit = 4096
    /// As the kernel does, give a new descriptor the lowest free number. Off, numbers are never used again, and a
    /// close that comes twice is caught even where the number would have had a new owner.
    package var reusesDescriptors = true
    /// Events that one wait hands out at most; the rest stays for the next.
    package var eventBatch: ClosedRange<Int> = 1...64
    /// Let bytes, FINs and resets arrive in the middle of a turn, between two calls of the worker.
    package var interleaves = true
    /// Nanoseconds that pass whenever the worker looks at the clock: it is busy in between.
    package var lookCost: UInt64 = 0

    package init() {}

    /// Everything as different as may be: what a run over many seeds uses.
    package static var varied: Conditions { Conditions() }

    /// Big buffers, whole messages, equal delays, nothing in mid-turn: for a test that counts events.
    package static var calm: Conditions {
        var conditions = Conditions()
        conditions.latency = 100_000...100_000
        conditions.segmentBytes = 65_536...65_536
        conditions.sendBufferBytes = 65_536...65_536
        conditions.receiveBufferBytes = 65_536...65_536
        conditions.peerReceiveBufferBytes = 65_536...65_536
        conditions.eventBatch = 512...512
        conditions.interleaves = false
        return conditions
    }

    /// Buffers of a few bytes: nearly every write is short and most would block.
    package static var cramped: Conditions {
        var conditions = Conditions()
        conditions.segmentBytes = 1...16
        conditions.sendBufferBytes = 1...64
        conditions.receiveBufferBytes = 1...64
        conditions.peerReceiveBufferBytes = 1...64
        conditions.eventBatch = 1...4
        return conditions
    }
}
