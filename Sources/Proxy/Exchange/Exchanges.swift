import Kernel
import Reactor
import Telemetry

/// The exchanges of one worker: requests that have begun and whose responses have not ended.
struct Exchanges: ~Copyable {
    private(set) var slab: Slab<Exchange>
    var deadlines: SlotDeadlines
    /// By an exchange's slot: positions from 64 on of servers that could not be reached for it. Those below are bits of
    /// the exchange.
    private var triedBeyond: [UInt32: Set<Int>] = [:]
    /// What is known of each, for those who watch.
    var calls: OpenCalls
    /// Draws the ids of spans; nil until the first call that may have one.
    var traceIDs: TraceIDGenerator?
    /// Calls are counted by method and tool.
    var countsCalls = true
    /// Responses that are read for what servers say of their tools.
    var toolLists = ToolListTable()
    /// Those that have to do with a cache.
    var caching = CachedExchanges()
    /// Open GET streams of sessions.
    var streams = SessionStreams()
    /// What the routes of some say beside the upstream.
    var extras = RouteExtrasTable()
    /// Who has sent them, where routes ask for that.
    var authentication = Authentication()
    /// Those whose answers are filtered by what their callers may know of.
    var toolFilters = ToolFilters()
    /// Those whose routes limit how many requests there may be.
    var limits = LimitedExchanges()

    init(limit: Int) {
        slab = Slab(limit: limit)
        calls = OpenCalls(limit: limit)
        deadlines = SlotDeadlines(.exchangeDeadline, limit: limit)
    }

    var count: Int { slab.count }
    /// Slots that were ever occupied: the bound for a walk over all exchanges.
    var slots: Int { slab.slots }
    func contains(_ exchange: Handle) -> Bool { slab.contains(exchange) }
    func handle(inSlot slot: Int) -> Handle? { slab.handle(inSlot: slot) }
    mutating func insert(_ exchange: consuming Exchange) -> Handle? { slab.insert(exchange) }
    mutating func discard(_ exchange: Handle) {
        let call = slab[exchange].call
        if call != OpenCalls.none { calls.discard(call) }
        if !triedBeyond.isEmpty { triedBeyond[exchange.slot] = nil }
        if !toolLists.isEmpty { toolLists.discard(exchange.slot) }
        if !extras.isEmpty {
            extras.discard(exchange.slot)
            authentication.discard(exchange.slot)
        }
        if !toolFilters.isEmpty { toolFilters.discard(exchange.slot) }
        if !limits.isEmpty { limits.end(exchange.slot) }
        if !streams.conflicts.isEmpty { streams.conflicts[exchange.slot] = nil }
        if !streams.probes.isEmpty { streams.probes[exchange.slot] = nil }
        slab.discard(exchange)
    }

    // MARK: - Servers that could not be reached

    /// Remembers that the server in this position of the exchange's upstream could not be reached for it.
    mutating func noteTried(_ exchange: Handle, _ position: Int) {
        if position < UInt64.bitWidth {
            slab[exchange].tried |= 1 << UInt64(position)
        } else {
            triedBeyond[exchange.slot, default: []].insert(position)
        }
    }

    /// Whether `noteTried` was called for the position.
    func wasTried(_ exchange: Handle, _ position: Int) -> Bool {
        if position < UInt64.bitWidth { return slab[exchange].tried & 1 << UInt64(position) != 0 }
        return !triedBeyond.isEmpty && triedBeyond[exchange.slot]?.contains(position) == true
    }

    // MARK: - Streams of sessions

    /// The exchange's response is a stream that its session's key finds.
    mutating func insertStream(_ exchange: Handle, key: UInt64) {
        slab[exchange].streamKey = key
        streams.insert(exchange.slot, in: slab)
    }

    /// The stream is over.
    mutating func removeStream(_ exchange: Handle) {
        streams.remove(exchange.slot, in: slab)
    }

    /// The open stream that a key finds, another than `exchange`.
    func stream(_ key: UInt64, except exchange: Handle) -> Handle? {
        streams.find(key, except: exchange.slot, in: slab).flatMap { slab.handle(inSlot: Int($0)) }
    }

    subscript(exchange: Handle) -> Exchange {
        @inline(__always) _read { yield slab[exchange] }
        @inline(__always) _modify { yield &slab[exchange] }
    }

    /// Has the exchange looked at no later than `deadline`.
    mutating func setDeadline(_ exchange: Handle, _ deadline: Instant, _ clock: inout Clock) {
        slab[exchange].deadline = deadline
        deadlines.arm(exchange.slot, at: deadline, now: clock.now, in: &clock.timers)
    }
}
