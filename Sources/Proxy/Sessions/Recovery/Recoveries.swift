import Balancing
import Kernel
import Reactor

/// The recoveries of one worker, and what of them is to be done when the present event has been served.
struct Recoveries {
    /// A request whose session is to be recovered.
    struct Start {
        let key: SessionKey
        let exchange: Handle
        let upstream: Int
        let lost: Int?
        let mayReturn: Bool
        let queuedAt: Instant
        /// A store was asked how the session was opened.
        var hasAskedStore = false
    }

    /// A session that is to be ended at its server.
    struct Deletion {
        let upstream: Int
        let server: Int
        let text: [UInt8]
        let origin: ClientOrigin
    }

    /// By the slot of the upstream. Servers that are asked for more than they do in time do what nobody waits for any more.
    private var queues: [Int: AdaptiveQueue<Start>] = [:]
    /// Exchanges whose recovery is over.
    var waking: [Handle] = []
    var deletions: [Deletion] = []
    /// Those that wait for a store, and those whose stores have answered.
    var searches = RecordSearches()
    var found: [Start] = []
    private(set) var active: [UInt32: Recovery] = [:]
    private var lastID: UInt32 = 0
    /// Some queue may have a start whose turn it is.
    private var mayStart = false

    var hasWork: Bool { mayStart || !waking.isEmpty || !deletions.isEmpty || !found.isEmpty }

    mutating func nextID() -> UInt32 {
        lastID &+= 1
        return lastID
    }

    subscript(id: UInt32) -> Recovery? {
        get { active[id] }
        set { active[id] = newValue }
    }

    /// The exchange waits for a recovery that this worker has begun; one of another worker is not known here.
    mutating func join(_ exchange: Handle, _ key: SessionKey) {
        for (id, recovery) in active where recovery.key == key { active[id]?.waiting.append(exchange) }
    }

    // MARK: - One after the other

    /// Begins it when it is its turn. `servers`: how many there are in its upstream.
    mutating func enqueue(_ start: Start, servers: Int) {
        queues[start.upstream, default: AdaptiveQueue(servers: servers)].append(start)
        mayStart = true
    }

    /// The next one whose turn it is; whoever takes it says `release` when it is over.
    mutating func takeStart() -> Start? {
        for upstream in queues.keys {
            if let start = queues[upstream]?.take() { return start }
        }
        mayStart = false
        return nil
    }

    /// A recovery of the upstream is over, or did not begin. `course` is nil if that says nothing of the servers' speed.
    mutating func release(_ upstream: Int, _ course: AdaptiveQueue<Start>.Course?, at now: Instant) {
        queues[upstream]?.release(course, at: now.nanoseconds)
        mayStart = true
    }
}
