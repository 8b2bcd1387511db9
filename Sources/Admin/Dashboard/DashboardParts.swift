import FoundationEssentials
import Kernel
import Proxy
import Telemetry

/// Makes the parts of the dashboard's figures. One thread uses it, once a second while somebody watches.
struct DashboardParts {
    private let sources: DashboardSources
    private let encoder: JSONEncoder
    private var madeAt: Instant?

    init(_ sources: DashboardSources) {
        self.sources = sources
        encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
    }

    /// All parts by name, as JSON, in the order in which the page reads them.
    mutating func make() -> [(name: String, json: String)] {
        let now = Instant.now()
        // What came before somebody watched belongs to no second.
        let elapsed = madeAt.map { max(0.001, (now - $0).milliseconds / 1_000) }
        madeAt = now
        let snapshot = sources.proxy.snapshot
        let names = DashboardNames(snapshot)
        let measured = sources.calls?.servers(at: now) ?? [:]
        let upstreams = upstreams(snapshot, measured, elapsed)
        let servers = upstreams.flatMap(\.servers)
        var parts = [
            part("process", sources.process), part("traffic", traffic(servers, measured, elapsed)),
            part("upstreams", upstreams), part("tools", tools(names, at: now)),
            part("sessions", sessions(servers, names)), part("calls", calls(names)),
            part("listeners", DashboardDocument.Listener.all(snapshot, sources.proxy.addresses)),
        ]
        if let alerts = sources.alerts { parts.append(part("alerts", DashboardDocument.Alert.all(alerts))) }
        return parts
    }

    private func part(_ name: String, _ document: some Encodable) -> (name: String, json: String) {
        (name, (try? encoder.encode(document)).map { String(decoding: $0, as: UTF8.self) } ?? "null")
    }

    private func upstreams(
        _ snapshot: Snapshot, _ measured: [Int: RecentCalls.Measured], _ elapsed: Double?
    ) -> [DashboardDocument.Upstream] {
        let discovery = DiscoveryDocument.all(sources.proxy)
        return snapshot.upstreams.map { plan in
            let source = discovery.first { $0.upstream == plan.name }
            let servers = snapshot.servers[plan.servers]
            let statuses = servers.map { StatusDocument.Server(sources.proxy, plan, $0) }
            let catalogs = Set(statuses.filter(\.healthy).compactMap(\.catalog))
            let cache = CacheDocument(plan)
            return DashboardDocument.Upstream(
                name: plan.name, balance: DashboardNames.balance(plan.policy), catalogsDiffer: catalogs.count > 1,
                source: source?.source, sourceFailure: source?.failure,
                cacheHitRate: cache?.hitRate, cachedAnswers: cache?.entries,
                servers: zip(servers, statuses).map { server, status in
                    DashboardDocument.Server(
                        snapshot.path(of: server), status, measured[Int(server.id.slot)], elapsed)
                })
        }
    }

    private func traffic(
        _ servers: [DashboardDocument.Server], _ measured: [Int: RecentCalls.Measured], _ elapsed: Double?
    ) -> DashboardDocument.Traffic {
        var (lately, sinceLooked) = (CallTotals(), CallTotals())
        for calls in measured.values {
            lately.add(calls.lately)
            sinceLooked.add(calls.sinceLooked)
        }
        let recent = elapsed == nil ? nil : sinceLooked
        return DashboardDocument.Traffic(
            rate: perSecond(recent?.calls, elapsed), calls: lately.calls, failed: lately.failed,
            toolErrors: lately.toolErrors, p50: lately.percentile(0.5), p95: lately.percentile(0.95),
            p99: lately.percentile(0.99), p95Now: recent?.percentile(0.95),
            failing: perSecond(recent?.failed, elapsed), sessions: servers.reduce(0) { $0 + $1.sessions },
            streams: servers.reduce(0) { $0 + $1.streams }, waiting: servers.reduce(0) { $0 + $1.waiting },
            recovered: sources.proxy.metrics.view.load(RecoveryCounter.recovered))
    }

    private func tools(_ names: DashboardNames, at now: Instant) -> [DashboardDocument.Tool] {
        (sources.calls?.tools(at: now) ?? []).map { tool in
            DashboardDocument.Tool(
                upstream: names.upstream(ofServer: tool.server), name: tool.name.text, calls: tool.lately.calls,
                p50: tool.lately.percentile(0.5), p95: tool.lately.percentile(0.95),
                p99: tool.lately.percentile(0.99),
                errorRate: Double(tool.lately.failed) / Double(max(1, tool.lately.calls)))
        }
    }

    private func sessions(
        _ servers: [DashboardDocument.Server], _ names: DashboardNames
    ) -> DashboardDocument.Sessions {
        let rows = sources.calls?.sessions(limit: Self.sessionLimit) ?? []
        return DashboardDocument.Sessions(
            total: servers.reduce(0) { $0 + $1.sessions },
            rows: rows.map { DashboardDocument.Session($0, names, withSteps: false) })
    }

    /// Sessions that the page gets at most.
    private static var sessionLimit: Int { 200 }

    private func calls(_ names: DashboardNames) -> DashboardDocument.Calls {
        DashboardDocument.Calls(
            slowFrom: milliseconds((sources.calls?.slowFrom ?? .seconds(1)).nanoseconds),
            failed: (sources.calls?.failed ?? []).map { DashboardDocument.Call($0, names) },
            slow: (sources.calls?.slow ?? []).map { DashboardDocument.Call($0, names) })
    }
}

extension DashboardDocument.Server {
    fileprivate init(
        _ path: String, _ status: StatusDocument.Server, _ measured: RecentCalls.Measured?, _ elapsed: Double?
    ) {
        let lately = measured?.lately ?? CallTotals()
        let recent = elapsed == nil ? nil : measured?.sinceLooked
        self.path = path
        name = status.address
        state = State(status)
        reason = status.reason
        reasonAt = status.reasonAt.map { $0 * 1_000 }
        draining = status.draining
        discovered = status.discovered
        backup = status.backup
        weight = status.weight
        revisions = status.revisions
        sessions = status.sessions
        streams = status.streams
        active = status.pool.active
        max = status.pool.max
        waiting = status.pool.waiting
        rate = perSecond(recent?.calls, elapsed)
        calls = lately.calls
        failed = lately.failed
        p95 = lately.percentile(0.95)
        p95Now = recent?.percentile(0.95)
    }
}

extension DashboardDocument.Server.State {
    init(_ status: StatusDocument.Server) {
        self =
            if status.removed {
                .removed
            } else if !status.healthy {
                .down
            } else if status.ejected {
                .ejected
            } else if status.draining {
                .draining
            } else {
                status.checked ? .healthy : .checking
            }
    }
}

extension CallTotals {
    /// In milliseconds; nil without a call.
    fileprivate func percentile(_ share: Double) -> Double? { durations.percentile(share).map(milliseconds) }
}

private func perSecond(_ count: UInt64?, _ elapsed: Double?) -> Double {
    guard let count, let elapsed else { return 0 }
    return (Double(count) / elapsed * 10).rounded() / 10
}
