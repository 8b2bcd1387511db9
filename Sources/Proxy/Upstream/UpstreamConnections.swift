import Kernel
import Reactor
import TLS

/// The connections of one worker to servers.
struct UpstreamConnections: ~Copyable {
    private(set) var slab: Slab<UpstreamConnection>
    var deadlines: SlotDeadlines
    /// Connections to look at again before the worker sleeps.
    var resuming: [Handle] = []
    var resumingNext: [Handle] = []
    /// By upstream, what new connections to its servers are made with; nil: in clear.
    var tlsContexts: [TLSClientContext?]
    /// No failure of TLS with a server is logged before.
    var nextTLSLogAt = Instant(nanoseconds: 0)

    init(limit: Int, tlsContexts: [TLSClientContext?]) {
        slab = Slab(limit: limit)
        deadlines = SlotDeadlines(.upstreamDeadline, limit: limit)
        self.tlsContexts = tlsContexts
    }

    var count: Int { slab.count }
    var isFull: Bool { slab.isFull }
    /// Slots that were ever occupied: the bound for a walk over all connections.
    var slots: Int { slab.slots }
    func contains(_ connection: Handle) -> Bool { slab.contains(connection) }
    func handle(inSlot slot: Int) -> Handle? { slab.handle(inSlot: slot) }
    mutating func insert(_ connection: consuming UpstreamConnection) -> Handle? { slab.insert(connection) }
    mutating func remove(_ connection: Handle) -> UpstreamConnection? { slab.remove(connection) }

    subscript(connection: Handle) -> UpstreamConnection {
        _read { yield slab[connection] }
        _modify { yield &slab[connection] }
    }

    /// Has the connection looked at again before the worker sleeps.
    mutating func resumeLater(_ connection: Handle) {
        guard !slab[connection].isResuming else { return }
        slab[connection].isResuming = true
        resuming.append(connection)
    }

    /// Has the connection looked at no later than `deadline`.
    mutating func setDeadline(_ connection: Handle, _ deadline: Instant, _ clock: inout Clock) {
        slab[connection].deadline = deadline
        deadlines.arm(connection.slot, at: deadline, now: clock.now, in: &clock.timers)
    }
}
