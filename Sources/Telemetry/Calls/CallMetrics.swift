import Synchronization

/// The metrics of calls: how many there were of which tool, how they ended, and how long they took.
///
/// Each worker counts in series of its own, which readers add up. What clients and servers can make up is bounded: names become
/// labels only if a server knows them, codes are 32 at most, and a worker has so many series and no more. Owns its memory and
/// never frees it.
package final class CallMetrics: Sendable {
    /// What bounds the number of series.
    package struct Limits: Sendable {
        /// Names of tools, and of prompts, of each upstream; more are counted together as `_OTHER`.
        package var names = 200
        /// Series of each worker, at 160 bytes each once they are used.
        package var series = 4_096
        /// Series of each worker that tell both the server and the tool or prompt.
        package var namedLegs = 256
        package init() {}
    }

    private nonisolated(unsafe) let states: UnsafeMutablePointer<CallRecorder.State>
    private let workers: Int
    private let upstreams: Int
    private let servers: Int
    private let toolLists: Counters
    private nonisolated(unsafe) let names: UnsafeMutablePointer<LabelNames>
    private let rpcCodes = BoundedCodes.rpc()
    private let statuses = BoundedCodes.statuses()
    /// What other processes have counted; part of every sum.
    let inherited: InheritedCalls

    /// Metrics of `workers`, with slots for `servers`, and as many for upstreams.
    init(workers: Int, servers: Int, limits: Limits = Limits()) {
        self.workers = workers
        self.servers = min(servers, Int(UInt16.max))
        upstreams = self.servers
        inherited = InheritedCalls(upstreams: self.servers, limits: limits)
        toolLists = Counters(self.servers)
        names = .allocate(capacity: 1)
        names.initialize(to: LabelNames(upstreams: self.upstreams, limit: limits.names))
        states = .allocate(capacity: max(1, workers))
        for worker in 0..<workers {
            (states + worker).initialize(
                to: CallRecorder.State(
                    table: CallSeriesTable(capacity: limits.series, namedLegs: limits.namedLegs),
                    phases: CallPhases(upstreams: self.upstreams), names: names, rpcCodes: rpcCodes,
                    statuses: statuses, calls: .calls, sessions: .sessions, toolLists: toolLists,
                    servers: self.servers))
        }
    }

    /// What a worker counts with. Only its thread may use it.
    package func recorder(worker: Int) -> CallRecorder { CallRecorder(states + worker) }

    /// Names of tools, and of prompts, of each upstream at most. Those that are labels stay so.
    package var maximumNames: Int {
        get { names.pointee.maximumPerUpstream }
        set { names.pointee.maximumPerUpstream = newValue }
    }

    /// Makes the name of a tool a label, because a server of the upstream, by its slot, has listed it. Any thread may call this.
    package func allow(tool name: borrowing CallName, upstream: Int) { allow(name, .tool, upstream) }

    /// Makes the name of a prompt a label, because a server of the upstream, by its slot, has listed it. Any thread may call
    /// this.
    package func allow(prompt name: borrowing CallName, upstream: Int) { allow(name, .prompt, upstream) }

    private func allow(_ name: borrowing CallName, _ kind: LabelNames.Kind, _ upstream: Int) {
        guard let upstream = UInt16(exactly: upstream), names.pointee.hasSpace(kind, upstream: upstream) else { return }
        _ = names.pointee.admit(name, kind, upstream: upstream)
    }

    /// The slot gets another upstream. No worker may use it.
    package func reset(upstream: Int) {
        guard let upstream = UInt16(exactly: upstream) else { return }
        for worker in 0..<workers {
            states[worker].table.remove { $0.upstream == upstream }
            states[worker].phases.reset(upstream: upstream)
        }
        inherited.reset(upstream: upstream)
        names.pointee.reset(upstream: upstream)
    }

    /// The slot gets another server. No worker may use it.
    package func reset(server: Int) {
        if (0..<servers).contains(server) { toolLists[server].pointee.store(0, ordering: .relaxed) }
        for worker in 0..<workers {
            states[worker].table.remove { $0.kind == .leg && Int($0.server) == server }
        }
        inherited.reset(server: server)
    }

    /// The number of a name that another process has as a label.
    func name(_ name: CallSeries.Name, upstream: UInt16) -> CallNameID {
        let (text, kind): (String, LabelNames.Kind)
        switch name {
        case .none: return .none
        case .other: return .other
        case .tool(let tool): (text, kind) = (tool, .tool)
        case .prompt(let prompt): (text, kind) = (prompt, .prompt)
        }
        return names.pointee.admit(CallName(Array(text.utf8).span), kind, upstream: upstream) ?? .other
    }

    /// The number of what went wrong in another process.
    func error(_ failure: CallSeries.Failure) -> CallErrorID {
        switch failure {
        case .none: .none
        case .toolError: .toolError
        case .timeout: .timeout
        case .cancelled: .cancelled
        case .aborted: .aborted
        case .other: .other
        case .rpc(let code): rpcCodes.index(of: code).map(CallErrorID.rpc) ?? .other
        case .status(let status): statuses.index(of: status).map(CallErrorID.status) ?? .other
        case .rejection(let reason): .rejection(reason)
        }
    }

    // MARK: - Readers

    /// All series, each once.
    package func series() -> [CallSeries] {
        var places: [CallSeriesKey: Int] = [:]
        var sums: [(key: CallSeriesKey, histogram: CallHistogram)] = []
        func add(_ key: CallSeriesKey, _ number: (Int) -> Int64) {
            let place = places[key] ?? sums.count
            if place == sums.count {
                places[key] = place
                sums.append((key, CallHistogram(key.kind == .session ? .sessions : .calls)))
            }
            sums[place].histogram.add(number)
        }
        for worker in 0..<workers { states[worker].table.forEach(add) }
        inherited.forEach(add)
        return sums.map { CallSeries($0.key, $0.histogram, names.pointee, rpcCodes: rpcCodes, statuses: statuses) }
    }

    /// The bytes of the last `tools/list` response of a server, by its slot; nil if none was seen.
    package func toolListBytes(server: Int) -> Int64? {
        guard (0..<servers).contains(server) else { return nil }
        let bytes = toolLists[server].pointee.load(ordering: .relaxed)
        return bytes > 0 ? bytes : nil
    }

    /// How long the calls of an upstream, by its slot, waited in a phase.
    package func phase(_ phase: CallPhase, upstream: Int) -> CallHistogram? {
        guard (0..<upstreams).contains(upstream) else { return nil }
        var sum = inherited.histogram(phase, upstream: UInt16(upstream))
        for worker in 0..<workers { sum.add(states[worker].phases.histogram(phase, upstream: UInt16(upstream))) }
        return sum
    }
}
