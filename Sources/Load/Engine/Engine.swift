import HTTP
import Kernel
import Reactor
import Synchronization
import TLS

/// One thread of a run. Owns its epoll, its connections, its sessions and the calls under way.
///
/// Sessions with a call to make and connections with capacity wait in two queues; `dispatchCalls` takes one of each, at
/// the pace of the schedule if there is one. HTTP/1.1 and HTTP/2 report what they receive as `responseHeadReceived`,
/// `responseBodyReceived` and `responseEnded`.
struct Engine: ~Copyable {
    let assignment: Assignment
    let statistics: Statistics
    let timeout: Interval
    var world: Linux
    /// The last reading of the clock.
    var now: Instant
    var connections: Slab<Connection>
    var sessions: Slab<Session>
    var calls: Slab<Call>
    var groups: [ConnectionGroup] = []
    /// The request templates of each group.
    var forms: Slab<RequestForms>
    /// The header fields of each group for HTTP/2; empty in HTTP/1.1.
    var fields: [HTTP2RequestForms] = []
    var ids: CallIDGenerator
    var replicas = ReplicaNames()
    var counters = Counters()
    /// Calls completed while measuring that were not yet added to the run's total.
    var unreportedCalls: UInt64 = 0

    // Scratch: each is empty between two uses.
    var received = ByteBuffer(capacity: Engine.readBytes)
    var composed = ByteBuffer(capacity: 4_096)
    var ciphertext = ByteBuffer()
    var outgoing = ByteBuffer()
    var http2Events = HTTP2ClientEvents()
    var head = ResponseHead()
    let parser = ResponseParser(limits: HeadLimits(headBytes: 32_768))

    var engine: TLSEngine
    /// The newest TLS session ticket, for resumption.
    var ticket: TLSTicket?
    /// Index of the address that is dialled, in `assignment.addresses`.
    var address = 0
    /// Whether a connection was ever open. Until then a failure to connect ends the run.
    var hasEverOpened = false
    /// Whether an HTTP/2 response was ever received.
    var hasEverAnswered = false

    /// Connections with more to read than one turn allows.
    var pendingReads: [Handle] = []
    /// Connections that may have frames to send (HTTP/2).
    var pendingFlushes: [Handle] = []
    /// Calls that the server did not process, to be sent again (HTTP/2).
    var unprocessed: [Handle] = []
    /// Connections in their reconnect delay, and its end, earliest first.
    var backingOff: [(connection: Handle, until: Instant)] = []
    /// Sessions whose event stream has ended, and when they open it again, earliest first.
    var resting: [(session: Handle, until: Instant)] = []
    /// Calls that begin before this time count as disturbed, by `Assignment.history`.
    var disturbedUntil = Instant(nanoseconds: 0)
    var nextHousekeeping: Instant
    var phase = Phase.warmingUp
    /// Seconds of measuring that were reported to `statistics`.
    var secondsReported = 0
    /// Never read. An atomic gives the engine a fixed address; without one, Swift 6.3 copies the whole engine for every
    /// call of a non-mutating method.
    private let anchor = Atomic(false)

    /// The phases of a run, in order.
    enum Phase {
        case warmingUp, measuring
        /// No new calls but DELETE; those under way may end.
        case ending
    }

    /// Bytes of one read, at most.
    static let readBytes = 65_536
    /// Reads from one connection in one turn, at most.
    static let readsPerTurn = 16
    /// Bytes of a response body or an event that are buffered, at most.
    static let answerLimit = 16_777_216

    init(_ assignment: Assignment) throws {
        let world = try Linux()
        let engine = try TLSEngine()
        self.assignment = assignment
        statistics = assignment.statistics
        timeout = assignment.timeout
        self.world = world
        self.engine = engine
        now = .now()
        nextHousekeeping = now
        ids = CallIDGenerator(thread: assignment.thread)
        let parts = assignment.parts
        let connectionCount = parts.reduce(0) { $0 + $1.connections + ($1.workload == .legacy ? $1.sessions : 0) }
        let sessionCount = parts.reduce(0) { $0 + $1.sessions }
        connections = Slab(limit: connectionCount)
        sessions = Slab(limit: sessionCount)
        // Each session has a call and perhaps a stream.
        calls = Slab(limit: sessionCount * 2)
        forms = Slab(limit: parts.count)
        for part in parts { addGroup(part) }
        if assignment.history != nil { counters.trial = TrialCounters() }
    }

    /// Adds the group of a part, with its connections, sessions and request templates.
    private mutating func addGroup(_ part: Assignment.Part) {
        let group = groups.count
        let firstConnection = connections.slots
        let firstSession = sessions.slots
        let streams = part.workload == .legacy ? part.sessions : 0
        for _ in 0..<(part.connections + streams) { _ = connections.insert(Connection(group: group)) }
        let schedule = part.rate.map { Schedule(start: now, rate: $0) }
        groups.append(
            ConnectionGroup(
                part.workload, connections: firstConnection..<(firstConnection + part.connections),
                streams: (firstConnection + part.connections)..<connections.slots,
                sessions: firstSession..<(firstSession + part.sessions), isShuffled: part.isShuffled,
                depth: part.depth, schedule: schedule))
        for index in 0..<part.sessions {
            let home = firstConnection + index % part.connections
            let isListing = assignment.listing != nil && part.workload.isStateless
            _ = sessions.insert(Session(group: group, home: home, step: isListing ? .list : groups[group].firstStep))
        }
        let requests = RequestForms(assignment.plan, part.workload)
        if speaksHTTP2 { fields.append(requests.fields(assignment.plan.target)) }
        _ = forms.insert(requests)
    }

    func session(inSlot slot: Int) -> Handle { sessions.handle(inSlot: slot) ?? .none }
    func connection(inSlot slot: Int) -> Handle { connections.handle(inSlot: slot) ?? .none }
    func form(_ group: Int) -> Handle { forms.handle(inSlot: group) ?? .none }
}
