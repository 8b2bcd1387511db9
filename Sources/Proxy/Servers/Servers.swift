import Balancing
import Kernel
import MCP
import TLS
import Telemetry

/// The servers as one worker sees them, by the slots of the server table: those outlive snapshots.
struct Servers {
    private var states: [ServerState] = []
    /// By slot.
    var upstreams: [UpstreamState] = []
    /// A connection became free while an exchange waited for one.
    var hasFreedCapacity = false
    /// Some upstream has outlier detection.
    private(set) var detectsOutliers = false
    /// Servers may be ejected: by outlier detection, or since an operator has ordered it once.
    private(set) var heedsEjections = false
    /// Servers that the last snapshot added.
    var added: [Int] = []
    /// Servers at which another worker gave its place to this one since queues were served last.
    var receivedClaims: [Int] = []
    /// The next call that ends makes place for one of another worker.
    var leavesCall = false
    /// Who has how many of the connections to servers that are short of them.
    var shares = ConnectionShares()
    /// By an exchange's slot: what it has of its server. Empty where servers are neither limited nor short of connections.
    var holdings: [UInt32: ServerHoldings] = [:]
    /// What keys of agents are hashed with; 0 until the first is.
    var keySeed: UInt64 = 0
    /// Servers that went down and whose exchanges are to end.
    var goingDown: [DownServer] = []
    /// Leases of earlier snapshots, kept as long as this worker has connections to servers that only they name.
    private var retiring: [ServerLease] = []

    /// Which of the workers that carry traffic has them: where each begins its rotation.
    private let worker: Int
    private let workers: Int

    init(_ snapshot: Snapshot, now: Instant, worker: Int, of workers: Int) {
        self.worker = worker
        self.workers = max(1, workers)
        adopt(snapshot, now: now)
        added = []
    }

    /// Slots that were ever used.
    var slots: Range<Int> { states.indices }

    subscript(server: Int) -> ServerState {
        @inline(__always) _read { yield states[server] }
        @inline(__always) _modify { yield &states[server] }
    }

    /// The upstream of a server.
    func upstream(of server: Int) -> Int { states[server].upstream }

    // MARK: - Snapshots

    /// Takes the plans of a snapshot over. Servers that it names and that were known keep pools, tickets and turns.
    mutating func adopt(_ snapshot: Snapshot, now: Instant) {
        for server in slots { states[server].isRetired = true }
        for plan in snapshot.upstreams {
            let upstream = Int(plan.id.slot)
            let members = plan.servers.map { adopt(snapshot.servers[$0], upstream: upstream, now: now) }
            for (position, server) in members.enumerated() { states[server].position = position }
            adopt(plan, at: upstream, members: members)
        }
        detectsOutliers = snapshot.upstreams.contains { $0.outliers != nil }
        if detectsOutliers { heedsEjections = true }
    }

    /// An operator has ejected a server.
    mutating func heedEjections() { heedsEjections = true }

    private mutating func adopt(_ plan: ServerPlan, upstream: Int, now: Instant) -> Int {
        let slot = Int(plan.id.slot)
        while states.count <= slot { states.append(.vacant) }
        if states[slot].id != plan.id {
            states[slot] = ServerState(plan: plan)
            added.append(slot)
        }
        if states[slot].plan.addresses != plan.addresses { states[slot].move(to: plan.addresses, now: now) }
        states[slot].id = plan.id
        states[slot].plan = plan
        states[slot].upstream = upstream
        states[slot].isRetired = false
        return slot
    }

    private mutating func adopt(_ plan: UpstreamPlan, at slot: Int, members: [Int]) {
        while upstreams.count <= slot { upstreams.append(.vacant) }
        let entries = members.map {
            ServerSelection.Entry(
                weight: states[$0].plan.weight, isBackup: states[$0].plan.isBackup, tag: states[$0].plan.tag)
        }
        let isSame =
            upstreams[slot].members == members && upstreams[slot].selection.policy == plan.policy
            && upstreams[slot].selection.hasEntries(entries)
        let (queue, waiting, rate) = (upstreams[slot].queue, upstreams[slot].waiting, upstreams[slot].serviceRate)
        let old = upstreams[slot]
        let keepsBudget = old.plan.id == plan.id && old.plan.retry == plan.retry
        let budget = keepsBudget ? old.retryBudget : newBudget(plan.retry)
        // What resumes TLS would pass for a certificate that is no longer shown, or one that is no longer trusted.
        if upstreams[slot].tls !== plan.tls { for server in members { states[server].ticket = nil } }
        let selection = isSame ? upstreams[slot].selection : newSelection(plan, entries)
        let slowStart = isSame ? upstreams[slot].slowStart : SlowStart()
        upstreams[slot] = UpstreamState(plan: plan, members: members)
        upstreams[slot].queue = queue
        upstreams[slot].waiting = waiting
        upstreams[slot].serviceRate = rate
        upstreams[slot].retryBudget = budget
        upstreams[slot].selection = selection
        upstreams[slot].slowStart = slowStart
        upstreams[slot].isSelectionNew = !isSame
    }

    /// This worker's share of a budget.
    private func newBudget(_ plan: RetryPlan) -> RetryBudget {
        RetryBudget(percent: plan.budgetPercent, minimumPerSecond: max(1, plan.budgetFloor / workers))
    }

    /// A selection that begins its rotation at this worker's share of the servers, so that the workers' first turns are
    /// spread.
    private func newSelection(_ plan: UpstreamPlan, _ entries: [ServerSelection.Entry]) -> ServerSelection {
        var selection = plan.selection ?? ServerSelection(policy: plan.policy, entries: entries)
        selection.skip(turns: entries.count * min(worker, workers - 1) / workers)
        return selection
    }

    /// Keeps an earlier snapshot's lease: something that is not in the configuration any more is in use here.
    mutating func retire(_ lease: ServerLease) { retiring.append(lease) }

    /// Lets leases go: nothing of what they keep is in use any more.
    mutating func releaseRetired() { retiring.removeAll() }

    /// Leases are kept for removed servers or listeners.
    var hasRetired: Bool { !retiring.isEmpty }

    /// Removed servers still have connections here.
    var hasRetiredInUse: Bool { states.contains { $0.isRetired && $0.openConnections > 0 } }

    /// Makes connections that are yet to come with `context`; those that are there keep what they have. What resumes TLS
    /// goes: it would pass for a certificate that is no longer shown, or one that is no longer trusted.
    mutating func replaceCertificates(_ context: TLSClientContext, upstream: Int) {
        guard upstreams.indices.contains(upstream) else { return }
        upstreams[upstream].tls = context
        for server in upstreams[upstream].members { states[server].ticket = nil }
    }

    /// Tells selections that were made anew of the calls that this worker has under way.
    mutating func seedSelections(_ metrics: WorkerMetrics) {
        for upstream in upstreams.indices where upstreams[upstream].isSelectionNew {
            upstreams[upstream].isSelectionNew = false
            guard upstreams[upstream].countsCalls else { continue }
            for (position, server) in upstreams[upstream].members.enumerated() {
                let calls = max(0, metrics.read(.active, worker: metrics.worker, server: server))
                for _ in 0..<calls { upstreams[upstream].selection.callBegan(position) }
            }
        }
    }

    // MARK: - Choosing

    /// Tells the selection of an upstream which servers may get new work, if anything has changed since it was told.
    mutating func refreshEligibility(_ upstream: Int, _ metrics: WorkerMetrics) {
        let epoch = metrics.writer.healthEpoch
        guard upstreams[upstream].healthEpoch != epoch else { return }
        upstreams[upstream].healthEpoch = epoch
        let mode = mode(of: upstream, metrics)
        for position in upstreams[upstream].members.indices {
            let server = upstreams[upstream].members[position]
            upstreams[upstream].selection.setEligible(position, condition(of: server, metrics).isEligible(mode))
        }
        if upstreams[upstream].plan.healthCheck.slowStart.nanoseconds > 0 { refreshSlowStart(upstream, metrics) }
        if upstreams[upstream].plan.healthCheck.kind == .mcp { refreshRevisions(upstream, metrics) }
    }

    /// Finds out whether it matters which servers get requests of revisions without sessions. Where none is left that
    /// may speak them, all get them: the server's own answer tells the client what it speaks.
    private mutating func refreshRevisions(_ upstream: Int, _ metrics: WorkerMetrics) {
        var hasModern = false
        var hasOther = false
        for position in upstreams[upstream].members.indices where upstreams[upstream].selection.isEligible(position) {
            let mayBeModern = metrics.revisions(server: upstreams[upstream].members[position]).mayBeModern
            if mayBeModern { hasModern = true } else { hasOther = true }
        }
        upstreams[upstream].separatesRevisions = hasModern && hasOther
    }

    /// Which servers of an upstream may get new work; `supposing` something else of one of them than is known.
    func mode(
        of upstream: Int, _ metrics: WorkerMetrics, supposing: (server: Int, condition: ServerCondition)? = nil
    ) -> UpstreamAvailability.Mode {
        var availability = UpstreamAvailability()
        for server in upstreams[upstream].members {
            let supposed = supposing.flatMap { $0.server == server ? $0.condition : nil }
            availability.note(supposed ?? condition(of: server, metrics), isBackup: states[server].plan.isBackup)
        }
        return availability.mode(panicThreshold: upstreams[upstream].plan.panicThreshold)
    }

    /// Finds the servers whose share is to grow from when they came.
    private mutating func refreshSlowStart(_ upstream: Int, _ metrics: WorkerMetrics) {
        let members = upstreams[upstream].members
        let eligible = members.indices.filter { upstreams[upstream].selection.isEligible($0) }
        var weights: [Bool: Double] = [:]
        for position in eligible {
            let plan = states[members[position]].plan
            weights[plan.isBackup, default: 0] += Double(plan.weight)
        }
        upstreams[upstream].slowStart.update(
            eligible.compactMap { position in
                let since = UInt64(bitPattern: metrics.load(.returnedAt, server: members[position]))
                let plan = states[members[position]].plan
                guard since > 0, let all = weights[plan.isBackup] else { return nil }
                return SlowStart.Entrant(position: position, since: since, part: Double(plan.weight) / all)
            })
    }

    /// What is known of a server without looking at its pool.
    @inline(__always)
    func condition(of server: Int, _ metrics: WorkerMetrics) -> ServerCondition {
        ServerCondition(
            isHealthy: metrics.isHealthy(server: server),
            isDraining: states[server].plan.drains || states[server].isRetired,
            isEjected: heedsEjections && metrics.isEjected(server: server))
    }

    /// A call began at a server, or its connection is being opened for it.
    mutating func callBegan(_ server: Int, _ metrics: WorkerMetrics) {
        metrics.count(.active, server: server)
        let upstream = states[server].upstream
        if upstreams[upstream].countsCalls, !states[server].isRetired {
            upstreams[upstream].selection.callBegan(states[server].position)
        }
    }

    mutating func callEnded(_ server: Int, _ metrics: WorkerMetrics) {
        metrics.count(.active, server: server, -1)
        let upstream = states[server].upstream
        if upstreams[upstream].countsCalls, !states[server].isRetired {
            upstreams[upstream].selection.callEnded(states[server].position)
        }
    }
}
