import Balancing
import HTTP
import Kernel
import Logging
import Reactor
import Telemetry

/// Servers whose work fails one after the other get no new work for a while: passive observation, where checks are the
/// active one. What they have goes on: their sessions stay with them.
extension Worker where Outside: ~Copyable {
    /// An exchange is over. Answers that say that a server cannot work count as failures, whatever it was asked: 502, 503
    /// and 504, none in time, and nonsense. Other statuses are answers, 4xx and 500 too; what a client did, or an end of
    /// ours, says nothing.
    mutating func observe(_ record: ExchangeRecord) {
        switch record.outcome {
        case .responded:
            let isFailure = record.status >= 502 && record.status <= 504
            noteWork(record.server, isFailure ? .status(record.status) : nil)
        case .rejected(.firstByteTimeout): noteWork(record.server, .firstByteTimeout)
        case .rejected(.badServerResponse): noteWork(record.server, .badResponse)
        case .rejected, .streamEnded, .streamFailed, .responseAborted, .requestAborted, .clientDisconnected,
            .inconsistent:
            break
        }
    }

    /// Counts what came of work at a server; nil: it succeeded.
    mutating func noteWork(_ server: Int, _ failure: WorkFailure?) {
        guard servers.detectsOutliers, server >= 0, let rule = outlierRule(server) else { return }
        if failure == nil, !metrics.outlierDetector(server: server).hasFailures { return }
        var action = OutlierDetector.Action.none
        metrics.updateOutlierDetector(server) { action = $0.record(failure == nil ? .succeeded : .failed, rule) }
        if action == .considerEjection, let failure { considerEjection(server, rule, failure) }
    }

    private func outlierRule(_ server: Int) -> OutlierDetector.Rule? {
        servers[server].isRetired ? nil : servers.upstreams[servers.upstream(of: server)].plan.outliers?.rule
    }

    /// Ejects a server if enough others are left.
    private mutating func considerEjection(_ server: Int, _ rule: OutlierDetector.Rule, _ failure: WorkFailure) {
        let upstream = servers.upstream(of: server)
        // Servers that drain would get nothing anyway.
        let members = servers.upstreams[upstream].members.filter { !servers.condition(of: $0, metrics).isDraining }
        let percent = servers.upstreams[upstream].plan.outliers?.maximumPercent ?? 0
        let limit = OutlierDetector.limit(servers: members.count, maximumPercent: percent)
        let hasOther = members.contains { $0 != server && servers.condition(of: $0, metrics).isEligible }
        guard hasOther, ejectedCount(members) < limit else {
            logKept(server, rule, failure)
            return
        }
        var time: UInt64?
        metrics.updateOutlierDetector(server) { detector in
            time = !detector.isEjected && detector.hasFailures ? detector.eject(at: clock.now.nanoseconds, rule) : nil
        }
        guard let time else { return }
        // Another worker may have ejected another server at the same moment.
        guard ejectedCount(members) <= limit else {
            metrics.updateOutlierDetector(server) { $0.revoke() }
            return
        }
        metrics.count(.ejections, server: server)
        metrics.writer.noteHealthChange()
        clock.timers.schedule(Token(.ejection, slot: server).raw, at: clock.now + Interval(nanoseconds: time))
        control.log?.warning(
            """
            server \(servers[server].plan.name) is ejected for \(Interval(nanoseconds: time).text): \(rule.failures) \
            failures in a row, the last: \(failure.text)
            """,
            metadata: ["upstream": "\(servers.upstreams[upstream].plan.name)"])
        announceChange(ofEjection: server)
    }

    private func ejectedCount(_ members: [Int]) -> Int { members.count { metrics.isEjected(server: $0) } }

    private func announceChange(ofEjection server: Int) {
        var before = servers.condition(of: server, metrics)
        before.isEjected.toggle()
        announcePanic(server, before: before)
    }

    /// Says once that a server would be ejected if there were others.
    private func logKept(_ server: Int, _ rule: OutlierDetector.Rule, _ failure: WorkFailure) {
        guard Int(metrics.outlierDetector(server: server).failures) == rule.failures else { return }
        control.log?.warning(
            """
            server \(servers[server].plan.name) fails and is not ejected, as too few others are left: \
            \(rule.failures) failures in a row, the last: \(failure.text)
            """,
            metadata: ["upstream": "\(servers.upstreams[servers.upstream(of: server)].plan.name)"])
    }

    /// The time of an ejection may be over.
    mutating func endEjection(_ server: Int) {
        guard servers.slots.contains(server) else { return }
        var isOver = false
        metrics.updateOutlierDetector(server) { isOver = $0.readmit(at: clock.now.nanoseconds) }
        guard isOver else { return }
        noteReturn(server)
        metrics.writer.noteHealthChange()
        control.log?.notice(
            "server \(servers[server].plan.name) gets work again: its ejection is over",
            metadata: ["upstream": "\(servers.upstreams[servers.upstream(of: server)].plan.name)"])
        announceChange(ofEjection: server)
    }

    /// An operator has ejected a server, or ended its ejection: the metrics say so already. The control thread ends it in time.
    mutating func followEjectionOrder(_ id: ServerID, until end: Instant?) {
        servers.heedEjections()
        let server = Int(id.slot)
        guard servers.slots.contains(server), servers[server].id == id else { return }
        if control.runsHealthChecks {
            if let end {
                clock.timers.schedule(Token(.ejection, slot: server).raw, at: end)
            } else {
                noteReturn(server)
            }
        }
        metrics.writer.noteHealthChange()
        // What waits may go to the server now.
        servers.hasFreedCapacity = true
    }

    /// A server gets new work again, or for the first time: its share grows from here on.
    func noteReturn(_ server: Int) {
        guard servers.upstreams[servers.upstream(of: server)].plan.healthCheck.slowStart.nanoseconds > 0 else { return }
        metrics.store(.returnedAt, server: server, Int64(bitPattern: clock.now.nanoseconds))
    }
}

/// How the work of a server failed, in the words of the log.
enum WorkFailure {
    /// A connection could not be opened.
    case connect(HealthProblem)
    /// The connection ended before a response head came.
    case reset
    case status(UInt16)
    case firstByteTimeout
    case badResponse

    var text: String {
        switch self {
        case .connect(let problem): problem.text(request: "")
        case .reset: "the connection ended before an answer"
        case .status(let status): "answered \(status)"
        case .firstByteTimeout: "no answer in time"
        case .badResponse: "the answer is not HTTP"
        }
    }
}
