import Balancing
import Dispatch
import FoundationEssentials
import Kernel
import Proxy
import Telemetry

/// The page of metrics, for Prometheus and what reads the same texts. Safe to use from any thread.
struct MetricsPage: Sendable {
    let proxy: ProxyServer
    let version: String
    private let texts = SeriesTexts()

    /// Where pages are written, one after the other: no call and no health check waits for one.
    private static let queue = DispatchQueue(label: "metrics")

    /// Answers a request for the page, from another thread.
    func answer(
        _ request: AdminRequest, _ reloads: ReloadStatus?, _ upgrade: Upgrade?,
        _ respond: @escaping @Sendable (AdminResponse) -> Void
    ) {
        Self.queue.async { respond(response(request, reloads, upgrade)) }
    }

    func response(_ request: AdminRequest, _ reloads: ReloadStatus?, _ upgrade: Upgrade?) -> AdminResponse {
        let format = ExpositionFormat(accept: request.accept)
        var response = AdminResponse(status: 200, contentType: format.contentType, body: "")
        if Gzip.isAccepted(request.acceptEncoding) {
            let packer = Gzip.Packer()
            response.content = packer.finish(
                write(ExpositionWriter(format, sink: { packer.append($0) }), reloads, upgrade))
            response.contentEncoding = "gzip"
        } else {
            response.content = write(ExpositionWriter(format), reloads, upgrade)
        }
        return response
    }

    /// Writes the whole page, and returns what no sink got.
    private func write(_ empty: consuming ExpositionWriter, _ reloads: ReloadStatus?, _ upgrade: Upgrade?) -> [UInt8] {
        var writer = empty
        proxy.probeLag()
        writeCalls(&writer)
        writeProcess(&writer)
        writeConfiguration(&writer, reloads, upgrade)
        writeClients(&writer)
        RateLimitSamples(proxy).write(&writer)
        writeUpstreams(&writer)
        CacheSamples(proxy).write(&writer)
        StoreSamples(proxy).write(&writer)
        DiscoverySamples(proxy).write(&writer)
        ServerSamples(proxy).write(&writer)
        return writer.finish()
    }

    // MARK: - Calls

    private func writeCalls(_ writer: inout ExpositionWriter) {
        let labels = CallLabels(proxy)
        let kinds: [(CallSeries.Kind, MetricDefinition)] = [
            (.operation, MetricCatalog.operation), (.leg, MetricCatalog.leg), (.session, MetricCatalog.session),
        ]
        let all = texts.labeled(proxy.metrics.calls.series(), labels)
        for (kind, metric) in kinds {
            for (text, histogram) in Self.sums(all, of: kind) { writer.sample(metric, text, histogram) }
        }
        for upstream in proxy.snapshot.upstreams {
            for phase in CallPhase.allCases {
                guard let histogram = proxy.metrics.calls.phase(phase, upstream: Int(upstream.id.slot)) else {
                    continue
                }
                writer.sample(
                    MetricCatalog.phase, LabelText(["upstream", "phase"], [upstream.name, phase.name]), histogram)
            }
        }
    }

    /// The series of a kind. Different numbers may have the same word: those are one.
    private static func sums(
        _ all: [SeriesTexts.Labeled], of kind: CallSeries.Kind
    ) -> [(text: LabelText, histogram: CallHistogram)] {
        var places: [Int: Int] = [:]
        var sums: [(text: LabelText, histogram: CallHistogram)] = []
        for labeled in all where labeled.series.kind == kind {
            if let place = places[labeled.hash], sums[place].text == labeled.text {
                sums[place].histogram.add(labeled.series.histogram)
            } else {
                places[labeled.hash] = sums.count
                sums.append((labeled.text, labeled.series.histogram))
            }
        }
        return sums
    }

    // MARK: - The process

    private func writeProcess(_ writer: inout ExpositionWriter) {
        let resources = ProcessResources()
        let uptime = (Instant.now() - proxy.startedAt).nanoseconds
        writer.sample(MetricCatalog.up, true)
        writer.sample(MetricCatalog.build, LabelText(["version"], [version]), 1)
        writer.sample(
            MetricCatalog.startTime, nanoseconds: Int64(Date().timeIntervalSince1970 * 1e9) - Int64(clamping: uptime))
        if let cpu = resources.cpu { writer.sample(MetricCatalog.cpu, nanoseconds: cpu) }
        if let bytes = resources.residentBytes { writer.sample(MetricCatalog.memory, bytes) }
        if let bytes = resources.memoryLimit { writer.sample(MetricCatalog.memoryLimit, bytes) }
        if let files = resources.openFiles { writer.sample(MetricCatalog.openFiles, files) }
        if let files = resources.maximumFiles { writer.sample(MetricCatalog.maximumFiles, files) }
        writer.sample(MetricCatalog.workers, Int64(proxy.metrics.workers - 1))
        writer.sample(MetricCatalog.draining, proxy.isDraining)
        for worker in 0..<proxy.metrics.workers - 1 {
            writer.sample(
                MetricCatalog.loopLag, LabelText(["worker"], ["\(worker)"]),
                nanoseconds: proxy.metrics.view.read(.loopLag, worker: worker))
        }
        for log in proxy.logs.counts {
            writer.sample(MetricCatalog.logLines, LabelText(["log"], [log.name]), Int64(log.written))
        }
        for log in proxy.logs.counts {
            writer.sample(MetricCatalog.logDrops, LabelText(["log"], [log.name]), Int64(log.dropped))
        }
        let traces = proxy.tracing.logDrops
        writer.sample(MetricCatalog.logDrops, LabelText(["log"], [traces.log]), traces.lines)
        writer.sample(MetricCatalog.callsUnrecorded, Int64(proxy.calls.dropped))
    }

    private func writeConfiguration(_ writer: inout ExpositionWriter, _ reloads: ReloadStatus?, _ upgrade: Upgrade?) {
        if let reloads {
            writer.sample(MetricCatalog.configurationInForce, LabelText(["hash"], [reloads.hash]), 1)
            writer.sample(MetricCatalog.configurationLoaded, Int64(reloads.loadedAt))
            writer.sample(MetricCatalog.reloadSucceeded, reloads.lastError == nil)
            let results = [
                ("applied", reloads.applied), ("unchanged", reloads.unchanged), ("rejected", reloads.rejected),
            ]
            for (result, count) in results {
                writer.sample(MetricCatalog.reloads, LabelText(["result"], [result]), Int64(count))
            }
        }
        if let upgrade { writer.sample(MetricCatalog.upgradeFailures, Int64(upgrade.failures)) }
    }

    // MARK: - Clients

    private func writeClients(_ writer: inout ExpositionWriter) {
        let metrics = proxy.metrics
        let listeners = proxy.boundListeners.filter { $0.plan.role == .traffic }
        for listener in listeners {
            writer.sample(
                MetricCatalog.connections, LabelText(["listener"], [listener.address]),
                metrics.view.clientCount(listener: Int(listener.plan.id.slot)))
        }
        for listener in listeners {
            writer.sample(
                MetricCatalog.connectionLimit, LabelText(["listener"], [listener.address]),
                Int64(listener.plan.maximumConnections))
        }
        writer.sample(MetricCatalog.accepted, metrics.sum(.acceptedClients))
        for refusal in ConnectionRefusal.allCases {
            writer.sample(
                MetricCatalog.connectionRefusals, LabelText(["reason"], [SnakeCase.text("\(refusal)")]),
                metrics.view.load(refusal))
        }
        writer.sample(MetricCatalog.handshakes, metrics.sum(.handshakes))
        writer.sample(MetricCatalog.handshakeFailures, metrics.view.load(.failedHandshakes))
        var expiries: [LabelText: Int64] = [:]
        for certificate in proxy.servedCertificates {
            let text = LabelText(["listener", "subject"], [certificate.listener, certificate.subject])
            // With an ECDSA and an RSA certificate of the same subject, the first that ends is what matters.
            expiries[text] = min(expiries[text] ?? .max, certificate.notAfter)
        }
        for (text, expiry) in expiries { writer.sample(MetricCatalog.certificateExpiry, text, expiry) }
        let renewals = proxy.certificates.totals
        writer.sample(MetricCatalog.certificateRenewals, LabelText(["result"], ["renewed"]), Int64(renewals.renewed))
        writer.sample(MetricCatalog.certificateRenewals, LabelText(["result"], ["refused"]), Int64(renewals.refused))
        writeExchanges(&writer)
        for counter in AbuseCounter.allCases where counter != .failedHandshakes {
            writer.sample(
                MetricCatalog.clientAbuse, LabelText(["kind"], [SnakeCase.text("\(counter)")]),
                metrics.view.load(counter))
        }
        for refusal in ProxyRefusal.allCases {
            writer.sample(
                MetricCatalog.proxyRefusals, LabelText(["reason"], [SnakeCase.text("\(refusal)")]),
                metrics.view.load(refusal))
        }
    }

    private func writeExchanges(_ writer: inout ExpositionWriter) {
        let metrics = proxy.metrics
        writer.sample(MetricCatalog.exchangesStarted, metrics.sum(.began))
        for metric in ExchangeMetric.allCases where ![.began, .requestBytes, .responseBytes].contains(metric) {
            writer.sample(
                MetricCatalog.exchanges, LabelText(["outcome"], [SnakeCase.text("\(metric)")]), metrics.sum(metric))
        }
        writer.sample(MetricCatalog.requestBytes, metrics.sum(.requestBytes))
        writer.sample(MetricCatalog.responseBytes, metrics.sum(.responseBytes))
        for (reason, count) in proxy.rejections.sorted(by: { $0.key < $1.key }) {
            writer.sample(MetricCatalog.rejected, LabelText(["reason"], [reason]), count)
        }
    }

    // MARK: - Upstreams

    private func writeUpstreams(_ writer: inout ExpositionWriter) {
        let snapshot = proxy.snapshot
        let conditions = snapshot.servers.map { ServerCondition($0, proxy) }
        func forEach(_ metric: MetricDefinition, _ value: (UpstreamPlan) -> Int64) {
            for upstream in snapshot.upstreams {
                writer.sample(metric, LabelText(["upstream"], [upstream.name]), value(upstream))
            }
        }
        forEach(MetricCatalog.upstreamServers) { Int64($0.servers.filter { !snapshot.servers[$0].isRemoved }.count) }
        forEach(MetricCatalog.upstreamAvailable) { Int64(conditions[$0.servers].filter(\.isAvailable).count) }
        forEach(MetricCatalog.upstreamWaiting) { max(0, proxy.metrics.view.waiting(upstream: Int($0.id.slot))) }
        forEach(MetricCatalog.catalogSkew) {
            Set(conditions[$0.servers].filter { $0.isHealthy && $0.catalog != 0 }.map(\.catalog)).count > 1 ? 1 : 0
        }
    }

    /// What is known of a server's health.
    struct ServerCondition {
        let isHealthy: Bool
        let isEjected: Bool
        let drains: Bool
        let catalog: Int64
        var isAvailable: Bool { isHealthy && !isEjected && !drains }

        init(_ server: ServerPlan, _ proxy: ProxyServer) {
            let view = proxy.metrics.view
            let slot = Int(server.id.slot)
            isHealthy = HealthTracker(packed: UInt64(bitPattern: view.load(.health, server: slot))).isHealthy
            isEjected = OutlierDetector(packed: UInt64(bitPattern: view.load(.outlier, server: slot))).isEjected
            drains = server.drains
            catalog = view.load(.catalog, server: slot)
        }
    }
}

extension CallPhase {
    /// What stands in the label.
    fileprivate var name: String {
        switch self {
        case .queue: "queue"
        case .connect: "connect"
        case .firstByte: "first_byte"
        }
    }
}
