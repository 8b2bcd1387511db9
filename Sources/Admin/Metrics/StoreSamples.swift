import Proxy
import Redis
import Telemetry

/// The metrics of stores that several Berths share.
struct StoreSamples {
    private let stores: [(labels: LabelText, numbers: StoreNumbers)]

    init(_ proxy: ProxyServer) {
        stores = proxy.snapshot.stores.map { (LabelText(["store"], [$0.name]), $0.counts.numbers) }
    }

    func write(_ writer: inout ExpositionWriter) {
        for (labels, numbers) in stores { writer.sample(MetricCatalog.redisConnections, labels, numbers.connections) }
        for (labels, numbers) in stores {
            writer.sample(MetricCatalog.redisConnectionsOpened, labels, Int64(clamping: numbers.opened))
        }
        for (labels, numbers) in stores {
            for (failure, name) in Self.failures {
                writer.sample(
                    MetricCatalog.redisConnectionFailures, labels.adding("reason", name),
                    Int64(clamping: numbers.failures[failure] ?? 0))
            }
        }
        for (labels, numbers) in stores {
            for use in StoreUse.allCases {
                for result in StoreResult.allCases {
                    writer.sample(
                        MetricCatalog.redisCommands, labels.adding("use", use.name).adding("result", result.name),
                        Int64(clamping: numbers.commands[Int(use.rawValue)][Int(result.rawValue)]))
                }
            }
        }
        for (labels, numbers) in stores { writer.sample(MetricCatalog.redisReply, labels, numbers.latency) }
        for (labels, numbers) in stores { writer.sample(MetricCatalog.redisBreakersOpen, labels, numbers.breakersOpen) }
        for (labels, numbers) in stores {
            writer.sample(MetricCatalog.redisBreakerOpenings, labels, Int64(clamping: numbers.breakerOpenings))
        }
    }

    private static let failures: [(RedisFailure, String)] = [
        (.unreachable, "unreachable"), (.lost, "lost"), (.timedOut, "timed_out"), (.malformed, "malformed"),
        (.denied, "denied"), (.failover, "failover"),
    ]
}
