import Balancing
import FoundationEssentials
import Kernel
import MCP
import Proxy
import Telemetry

/// What the numbers in records of calls stand for, at one moment.
struct DashboardNames {
    /// By slot.
    private let servers: [Int32: String]
    /// The names of upstreams, by the slot of a server.
    private let upstreams: [Int32: String]

    init(_ snapshot: Snapshot) {
        let named = snapshot.servers.map { (Int32(truncatingIfNeeded: $0.id.slot), snapshot.path(of: $0)) }
        servers = Dictionary(named, uniquingKeysWith: { first, _ in first })
        let owners = snapshot.servers.map {
            (Int32(truncatingIfNeeded: $0.id.slot), snapshot.upstreams[$0.upstream].name)
        }
        upstreams = Dictionary(owners, uniquingKeysWith: { first, _ in first })
    }

    func server(_ slot: Int32) -> String? { servers[slot] }

    /// The upstream of a server; empty if it is gone.
    func upstream(ofServer slot: Int32) -> String { upstreams[slot] ?? "" }

    /// The time of day, in milliseconds since 1970.
    static var wallMilliseconds: UInt64 { UInt64(max(0, Date().timeIntervalSince1970) * 1_000) }

    /// Sixteen hexadecimal digits; empty for none.
    static func session(_ digest: UInt64) -> String {
        digest == 0 ? "" : SessionDigest.text(digest)
    }

    static func outcome(_ outcome: CallEvent.Outcome) -> String {
        switch outcome {
        case .success: "success"
        case .toolError: "tool_error"
        case .rpcError: "rpc_error"
        case .httpError: "http_error"
        case .timeout: "timeout"
        case .cancelled: "cancelled"
        case .aborted: "aborted"
        case .rejected: "rejected"
        }
    }

    static func method(_ method: MCPMethod) -> String {
        if let name = method.name { return "\(name)" }
        return switch method {
        case .response: "response"
        case .batch: "batch"
        default: "other"
        }
    }

    /// As the configuration says it.
    static func balance(_ policy: Policy) -> String {
        switch policy {
        case .roundRobin: "round-robin"
        case .ipHash: "ip-hash"
        case .sessionHash: "session-hash"
        case .leastRequests: "least-requests"
        case .powerOfTwo: "power-of-two"
        }
    }
}

extension DashboardDocument.Call {
    init(_ record: CallRecord, _ names: DashboardNames) {
        id = record.number
        at = record.startedAt / 1_000_000
        took = milliseconds(record.duration)
        let (queued, connected) = (record.offsets.queued, record.offsets.connected)
        let waits = queued != CallEvent.Offsets.never && connected != CallEvent.Offsets.never && connected > queued
        self.queued = waits ? milliseconds(UInt64(connected - queued) * 1_000) : nil
        method = DashboardNames.method(record.method)
        name = record.name.text
        outcome = DashboardNames.outcome(record.outcome)
        code = record.errorCode
        status = record.status
        reason = ProxyServer.rejectionReason(record.reason)
        server = names.server(record.server)
        session = DashboardNames.session(record.session)
        retries = record.retries
        recovered = record.isRecovered
    }
}

extension DashboardDocument.Session {
    init(_ session: RecentCalls.Session, _ names: DashboardNames, withSteps: Bool) {
        id = DashboardNames.session(session.id)
        server = names.server(session.server)
        since = session.since / 1_000_000
        used = session.usedAt / 1_000_000
        calls = session.calls
        failed = session.failed
        recovered = session.recoveries
        let newest = session.history.first
        last = newest.map { $0.name.isEmpty ? DashboardNames.method($0.method) : $0.name.text } ?? ""
        steps = withSteps ? session.history.map { DashboardDocument.Call($0, names) } : nil
    }
}

/// Milliseconds with two digits behind the point: more cost bytes and say nothing.
func milliseconds(_ nanoseconds: UInt64) -> Double { (Double(nanoseconds) / 10_000).rounded() / 100 }
