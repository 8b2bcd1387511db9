import Balancing
import Kernel
import MCP
import Reactor
import TLS

/// What one worker has of a server: its plan, its pool, and what resumes TLS with it.
struct ServerState {
    var id = ServerID.none
    var plan: ServerPlan
    /// The slot of its upstream.
    var upstream = 0
    /// Which of its addresses was good last: the next connection is tried there first.
    var addressIndex = 0
    /// Its place among the servers of its upstream, by which the selection names it.
    var position = 0
    var pool = ServerPool()
    var ticket: TLSTicket?
    /// Connections of this worker to it, those of event streams included.
    var openConnections = 0
    /// Exchanges of this worker whose requests are still coming from their clients while they hold a connection to it.
    var uploads = 0
    /// Places below `pool.max` that another worker gave to this one, for exchanges that wait here.
    var spareClaims: Int64 = 0
    /// When this worker last gave such a place to another that has fewer.
    var gaveClaimAt = Instant(nanoseconds: 0)
    /// Dials by this worker that it refused.
    var refusals = RefusalStreak()
    /// Connections that were opened before are to an address that it had earlier: they carry no more exchanges.
    var addressSince = Instant(nanoseconds: 0)
    /// What it says of its tools, where that is trusted.
    var tools = ToolAnnotations()
    /// No snapshot names it any more: it keeps what it has and gets nothing new.
    var isRetired = true

    /// A slot that no server has.
    static let vacant = ServerState(plan: .vacant)

    init(plan: ServerPlan) { self.plan = plan }

    /// Takes the addresses that its name has now. If the one that was good last is still among them, connections to it are
    /// good too; otherwise those that were opened before `now` are to addresses of the past.
    mutating func move(to addresses: [SocketAddress], now: Instant) {
        let current = plan.addresses.indices.contains(addressIndex) ? plan.addresses[addressIndex] : nil
        plan.addresses = addresses
        if let current, let index = addresses.firstIndex(of: current) {
            addressIndex = index
            return
        }
        addressIndex = 0
        addressSince = now
        ticket = nil
    }
}

/// What one worker has of an upstream: its plan, its servers, whose turn it is, and which exchanges wait.
struct UpstreamState {
    var plan: UpstreamPlan
    /// Slots of its servers, in the order of the configuration.
    var members: [Int] = []
    var selection: ServerSelection
    /// `selection` was made by the last snapshot and knows nothing of calls under way.
    var isSelectionNew = true
    /// The state of health that `selection` knows: it is behind when the metrics' count of changes is another.
    var healthEpoch = -1
    /// What new connections to its servers are made with; nil: in clear.
    var tls: TLSClientContext?
    /// What the policy needs: a random number for each choice, the calls of the servers it proposes, and to be told when
    /// calls begin and end.
    let drawsAtRandom: Bool
    let comparesCalls: Bool
    let countsCalls: Bool
    /// Connections to each of its servers that agents need not share, as in its plan.
    let unsharedConnections: Int64
    /// Those that wait for a connection. Bounded by `queue.max`.
    var queue = FairQueue()
    /// How many they are: a number that is read for every request, without a look at the queue.
    var waiting = 0
    /// How fast those that wait are served.
    var serviceRate = ServiceRate()
    /// Some of the servers that may get new work speak revisions without sessions, or may do so, and others do not.
    var separatesRevisions = false
    /// Servers whose share of new work still grows.
    var slowStart = SlowStart()
    /// Bounds the retries of this worker.
    var retryBudget = RetryBudget.unlimited

    /// A slot that no upstream has.
    static let vacant = UpstreamState(plan: UpstreamPlan(name: "", servers: 0..<0), members: [])

    init(plan: UpstreamPlan, members: [Int]) {
        self.plan = plan
        self.members = members
        selection = ServerSelection(policy: plan.policy, entries: [])
        switch plan.policy {
        case .powerOfTwo: (drawsAtRandom, comparesCalls, countsCalls) = (true, true, false)
        case .leastRequests: (drawsAtRandom, comparesCalls, countsCalls) = (false, true, true)
        case .roundRobin, .ipHash, .sessionHash: (drawsAtRandom, comparesCalls, countsCalls) = (false, false, false)
        }
        tls = plan.tls
        unsharedConnections = plan.pool.unsharedConnections
    }
}
