import Balancing

/// The Berths of a fleet as far as they place sessions, each with a selection of the proxy's own that knows nothing of the
/// others. Servers are numbered; a fleet that grows or shrinks does so at its end.
struct Placement: Sendable {
    let kind: PlacementPolicy
    private let berths: Int
    private let seed: UInt64
    /// Servers that are configured.
    private(set) var count: Int
    private(set) var isEligible: [Bool]
    /// One a Berth; a single one where a key decides and all choose alike; none for Maglev.
    private var selections: [ServerSelection] = []
    private var maglev: MaglevTable?
    private let maglevSize: Int
    /// By Berth, the turns of the rotation that its workers share. It begins at 0 in every process.
    private var turns: [UInt64]
    /// By Berth, servers that start slowly.
    private var slowStarts: [SlowStart] = []
    private var slowStartNanoseconds: UInt64 = 0
    /// By server and Berth, the calls under way; empty unless they are compared.
    private var calls: [Int32] = []

    init(_ kind: PlacementPolicy, _ plan: FleetPlan) {
        self.kind = kind
        berths = plan.berths
        seed = plan.seed
        count = plan.servers
        isEligible = Array(repeating: true, count: plan.servers)
        turns = Array(repeating: 0, count: plan.berths)
        maglevSize = MaglevTable.size(servers: plan.servers)
        if kind.comparesCalls { calls = Array(repeating: 0, count: plan.servers * plan.berths) }
        rebuild()
    }

    // MARK: - Choosing

    /// The server for a new session of a Berth; nil: there is none. `isAcceptable` is asked as the proxy asks whether a
    /// server is full.
    mutating func choose(
        _ berth: Int, key: UInt64, random: UInt64, nanoseconds: UInt64, isAcceptable: (Int) -> Bool
    ) -> Int? {
        if let maglev { return maglev.server(of: key).flatMap { isAcceptable($0) ? $0 : nil } }
        let index = kind.isHashing ? 0 : berth
        let turn = kind == .roundRobin ? turns[berth] : nil
        let isSlow = !slowStarts.isEmpty && slowStarts[berth].isActive
        if isSlow { slowStarts[berth].beginChoice(at: nanoseconds, duration: slowStartNanoseconds) }
        selections[index].begin(key: kind.isHashing ? key : nil, random: random, turn: turn)
        var passedOver: UInt64 = 0
        while let position = selections[index].next() {
            guard isAcceptable(position), !isSlow || slowStarts[berth].admits(position) else {
                passedOver += 1
                continue
            }
            selections[index].accept(position, calls: calls.isEmpty ? 0 : Int(calls[position * berths + berth]))
        }
        guard let chosen = selections[index].finish() else { return nil }
        if turn != nil { turns[berth] &+= 1 + passedOver }
        if isSlow { slowStarts[berth].chose(chosen) }
        return chosen
    }

    /// The server for a new session, of which any that is eligible will do.
    mutating func choose(_ berth: Int, key: UInt64, random: UInt64, nanoseconds: UInt64 = 0) -> Int? {
        choose(berth, key: key, random: random, nanoseconds: nanoseconds) { _ in true }
    }

    /// A call that lasts as long as its session begins.
    mutating func callBegan(_ berth: Int, _ server: Int) {
        calls[server * berths + berth] += 1
        if kind == .leastRequests { selections[berth].callBegan(server) }
    }

    /// It ends.
    mutating func callEnded(_ berth: Int, _ server: Int) {
        calls[server * berths + berth] -= 1
        if kind == .leastRequests { selections[berth].callEnded(server) }
    }

    // MARK: - Servers that come and go

    /// Health checks find servers down, or they drain: they get no new sessions.
    mutating func exclude(_ servers: [Int]) {
        for server in servers {
            isEligible[server] = false
            for index in selections.indices { selections[index].setEligible(server, false) }
        }
        if kind == .maglev { rebuildMaglev() }
    }

    /// The configuration has another number of servers: selections are made anew, as a reload does.
    mutating func resize(to count: Int) {
        isEligible = (0..<count).map { $0 >= self.count || isEligible[$0] }
        if kind.comparesCalls {
            calls = Array(calls.prefix(count * berths))
            calls += Array(repeating: 0, count: count * berths - calls.count)
        }
        self.count = count
        rebuild()
    }

    /// Servers start slowly from now on.
    mutating func startSlowly(_ servers: [Int], since nanoseconds: UInt64, seconds: Double) {
        slowStartNanoseconds = UInt64(seconds * 1e9)
        slowStarts = Array(repeating: SlowStart(), count: berths)
        let entrants = servers.map {
            SlowStart.Entrant(position: $0, since: nanoseconds, part: 1 / Double(count))
        }
        for berth in slowStarts.indices { slowStarts[berth].update(entrants) }
    }

    private static func tag(_ server: Int, _ seed: UInt64) -> UInt64 { ServerTag.tag(of: "mcp-\(server).\(seed):3001") }

    private mutating func rebuild() {
        guard let policy = kind.policy else { return rebuildMaglev() }
        let entries = (0..<count).map { ServerSelection.Entry(tag: Self.tag($0, seed)) }
        let selection = ServerSelection(policy: policy, entries: entries)
        selections = Array(repeating: selection, count: kind.isHashing ? 1 : berths)
        for server in 0..<count where !isEligible[server] {
            for index in selections.indices { selections[index].setEligible(server, false) }
        }
        guard kind == .leastRequests else { return }
        for server in 0..<count {
            for berth in 0..<berths {
                for _ in 0..<calls[server * berths + berth] { selections[berth].callBegan(server) }
            }
        }
    }

    private mutating func rebuildMaglev() {
        let permutations = (0..<count).map {
            MaglevTable.Permutation(tag: Self.tag($0, seed), size: maglevSize)
        }
        maglev = MaglevTable(permutations, size: maglevSize) { isEligible[$0] }
    }
}
