import HTTP
import Kernel
import Reactor
import Synchronization
import TLS

/// One thread of a run: its epoll, its connections, its sessions, the calls under way between them.
///
/// A session with something to ask stands in line; a connection with room stands in another; `pump` brings them
/// together, at the pace of the schedule if there is one. What a connection hears goes up as `answerBegan`,
/// `answerGave` and `answerEnded`, whatever the version of HTTP below.
struct Engine: ~Copyable {
    let assignment: Assignment
    let statistics: Statistics
    let timeout: Interval
    var world: Linux
    /// The turn's one reading of the clock.
    var now: Instant
    var connections: Slab<Connection>
    var sessions: Slab<Session>
    var calls: Slab<Call>
    var groups: [ConnectionGroup] = []
    /// The requests of each lane.
    var forms: Slab<RequestForms>
    /// Their header fields for HTTP/2, which are empty in HTTP/1.1.
    var fields: [HTTP2RequestForms] = []
    var ids: CallID
    var replicas = ReplicaNames()
    var counters = Counters()
    /// Calls completed while measuring, since the ledger was told last.
    var untold: UInt64 = 0

    // Scratch: each is empty between two uses.
    var received = ByteBuffer(capacity: Engine.readBytes)
    var composed = ByteBuffer(capacity: 4_096)
    var ciphertext = ByteBuffer()
    var outgoing = ByteBuffer()
    var heard = HTTP2ClientEvents()
    var head = ResponseHead()
    let parser = ResponseParser(limits: HeadLimits(headBytes: 32_768))

    var engine: TLSEngine
    /// What spares the next handshake its full length.
    var ticket: TLSTicket?
    /// The address that is dialled, of the assignment's.
    var address = 0
    var hasEverOpened = false
    /// Something was heard that is HTTP/2.
    var hasEverAnswered = false

    /// Connections with more to read than one turn allows.
    var listed: [Handle] = []
    /// Connections that may have something to send, and calls to be made again (HTTP/2).
    var unsettled: [Handle] = []
    var unsent: [Handle] = []
    /// Connections that rest, and until when, earliest first.
    var resting: [(connection: Handle, until: Instant)] = []
    var nextSweep: Instant
    var phase = Phase.warmingUp
    /// Seconds of measuring that were handed in.
    var secondsTold = 0
    /// Never read. It gives the engine an address of its own: without, Swift 6.3 copies all of it for every call of a
    /// method that does not mutate it.
    private let anchor = Atomic(false)

    enum Phase {
        case warmingUp, measuring
        /// No more calls but good-byes; those under way may end.
        case ending
    }

    static let readBytes = 65_536
    static let readsPerTurn = 16
    /// The most of an answer that is kept to be judged as a whole.
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
        nextSweep = now
        ids = CallID(thread: assignment.thread)
        let parts = assignment.parts
        let connectionCount = parts.reduce(0) { $0 + $1.connections + ($1.workload == .legacy ? $1.sessions : 0) }
        let sessionCount = parts.reduce(0) { $0 + $1.sessions }
        connections = Slab(limit: connectionCount)
        sessions = Slab(limit: sessionCount)
        // Each session has a call and perhaps a stream.
        calls = Slab(limit: sessionCount * 2)
        forms = Slab(limit: parts.count)
        for part in parts { resetCalls(part) }
    }

    /// Makes the lane of a part, with everything in it.
    private mutating func resetCalls(_ part: Assignment.Part) {
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
            _ = sessions.insert(Session(group: group, home: home, step: groups[group].firstStep))
        }
        let requests = RequestForms(assignment.plan, part.workload)
        if speaksHTTP2 { fields.append(requests.fields(assignment.plan.target)) }
        _ = forms.insert(requests)
    }

    func session(inSlot slot: Int) -> Handle { sessions.handle(inSlot: slot) ?? .none }
    func connection(inSlot slot: Int) -> Handle { connections.handle(inSlot: slot) ?? .none }
    func form(_ group: Int) -> Handle { forms.handle(inSlot: group) ?? .none }
}
