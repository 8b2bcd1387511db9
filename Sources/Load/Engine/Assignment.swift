import Kernel
import TLS

/// The work of one thread: its part of the plan, with addresses resolved and certificates read.
struct Assignment: Sendable {
    /// One workload on one thread.
    struct Part: Sendable {
        var workload: Workload
        var connections: Int
        var sessions: Int
        /// Whether each call of a session goes over any free connection.
        var isShuffled: Bool
        /// Concurrent calls on one connection, at most; 1 in HTTP/1.1.
        var depth: Int
        /// Calls a second; nil in a closed loop.
        var rate: Double?
    }

    let plan: LoadPlan
    /// Number of the thread, from 0.
    let thread: Int
    let parts: [Part]
    /// The host's addresses, in order of preference; the first that accepts a connection is used.
    let addresses: [SocketAddress]
    /// Nil for plain HTTP.
    let tls: TLSClientContext?
    let statistics: Statistics
    /// When measuring begins and ends.
    let measuring: Range<Instant>
    /// What a preflight collects: its sessions end after `tools/list`. Nil for runs that make calls.
    let listing: ToolListing?
    /// What is done to the servers during the run; nil if they are left alone.
    let history: ServerHistory?

    var timeout: Interval { Interval(nanoseconds: UInt64(plan.timeout * 1_000_000_000)) }
}

extension LoadPlan {
    /// The plan divided among its threads, then among the shares of its mix. Threads without work are left out.
    var parts: [[Assignment.Part]] {
        let weights = mix.map(\.weight).reduce(0, +)
        let threads = max(1, threads)
        var byThread = Array(repeating: [Assignment.Part](), count: threads)
        for share in mix {
            let fraction = share.weight / weights
            let connections = max(1, Int((Double(connections) * fraction).rounded()))
            let depth = transport == .http1 ? 1 : max(1, depth)
            let sessions = sessions.map { max(1, Int((Double($0) * fraction).rounded())) }
            for thread in 0..<threads {
                guard
                    let part = share.workload.part(
                        connections: LoadPlan.piece(connections, thread, threads),
                        sessions: sessions.map { LoadPlan.piece($0, thread, threads) }, depth: depth, plan: self,
                        rate: rate.map { $0 * fraction / Double(min(threads, connections)) })
                else { continue }
                byThread[thread].append(part)
            }
        }
        return byThread.filter { !$0.isEmpty }
    }

    /// The part of `total` for thread `index` of `count`. All parts add up to `total`.
    private static func piece(_ total: Int, _ index: Int, _ count: Int) -> Int {
        total / count + (index < total % count ? 1 : 0)
    }
}

extension Workload {
    /// The workload's part of one thread; nil if it would have no connections or no sessions.
    fileprivate func part(
        connections: Int, sessions: Int?, depth: Int, plan: LoadPlan, rate: Double?
    ) -> Assignment.Part? {
        var part = Assignment.Part(
            workload: self, connections: connections, sessions: sessions ?? connections * depth, isShuffled: false,
            depth: depth, rate: rate)
        guard connections > 0, part.sessions > 0 else { return nil }
        switch self {
        case .fanin, .idle:
            // In HTTP/1.1 an event stream occupies a connection.
            part.rate = nil
            if plan.transport == .http1 {
                part.connections = part.sessions
            } else {
                part.depth = (part.sessions + connections - 1) / connections
            }
        case .calls, .churn, .bodies:
            // Without MCP sessions the session count only limits concurrent calls: as many as the connections carry.
            part.sessions = connections * depth
        case .sessions, .legacy:
            part.isShuffled = plan.shuffle ?? (part.sessions > connections * depth)
        }
        return part
    }
}
