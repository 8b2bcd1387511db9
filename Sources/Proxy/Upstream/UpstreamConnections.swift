import Kernel
import Reactor
import TLS

/// The connections of one worker to servers.
struct UpstreamConnections: ~Copyable {
    var slab: Slab<UpstreamConnection>
    var deadlines: SlotDeadlines
    /// Connections to look at again before the worker sleeps.
    var resuming = TurnQueue()
    /// Connections to stores, which are no servers.
    var stores = StoreClients()
    /// No failure of TLS with a server is logged before.
    private var nextTLSLogAt = Instant(nanoseconds: 0)

    init(limit: Int) {
        slab = Slab(limit: limit)
        deadlines = SlotDeadlines(.upstreamDeadline, limit: limit)
    }

    var count: Int { slab.count }
    var isFull: Bool { slab.isFull }
    /// Slots that were ever occupied: the bound for a walk over all connections.
    var slots: Int { slab.slots }
    func contains(_ connection: Handle) -> Bool { slab.contains(connection) }
    func handle(inSlot slot: Int) -> Handle? { slab.handle(inSlot: slot) }
    mutating func insert(_ connection: consuming UpstreamConnection) -> Handle? { slab.insert(connection) }
    mutating func remove(_ connection: Handle) -> UpstreamConnection? { slab.remove(connection) }

    /// Whether the connection speaks TLS. Asked in place: Swift 6.3 allocates memory for some reads through a subscript of
    /// a subscript.
    func usesTLS(_ connection: Handle) -> Bool { slab[connection].transport.tls != nil }

    subscript(connection: Handle) -> UpstreamConnection {
        @inline(__always) _read { yield slab[connection] }
        @inline(__always) _modify { yield &slab[connection] }
    }

    /// Has the connection looked at again before the worker sleeps.
    mutating func resumeLater(_ connection: Handle) { resuming.append(connection, in: &slab) }

    /// Has the connection looked at no later than `deadline`.
    mutating func setDeadline(_ connection: Handle, _ deadline: Instant, _ clock: inout Clock) {
        slab[connection].deadline = deadline
        deadlines.arm(connection.slot, at: deadline, now: clock.now, in: &clock.timers)
    }

    /// The server takes no more; it may have answered before it closed, so reading decides.
    mutating func markBroken(_ connection: Handle) {
        slab[connection].transport.markBroken()
        resumeLater(connection)
    }

    /// Whether a line may be logged.
    enum LogPermit {
        /// Log it: the next one is for later.
        case granted
        /// The last one was logged less than five seconds ago.
        case tooSoon
    }

    /// Asks to log a failure of TLS, which is not done more often than a person can read.
    mutating func takeTLSLogPermit(at now: Instant) -> LogPermit {
        guard now >= nextTLSLogAt else { return .tooSoon }
        nextTLSLogAt = now + .seconds(5)
        return .granted
    }
}
