import Proxy
import Synchronization
import Telemetry

/// The labels of the series of calls as they stand in the page of metrics, kept from one page to the next: to make them costs more
/// than everything else about a series.
final class SeriesTexts: Sendable {
    /// A series with its labels.
    struct Labeled {
        let series: CallSeries
        let text: LabelText
        /// The same for all that have the same text.
        let hash: Int
    }

    private struct Kept {
        /// A reload may give a series another name.
        let name: CallSeries.Name
        let text: LabelText
        let hash: Int
    }

    private struct State {
        var upstreams: [Int: String] = [:]
        var servers: [Int: ProxyServer.ServerName] = [:]
        /// By number of the series.
        var texts: [UInt64: Kept] = [:]
    }

    /// Texts at most; a process has fewer series.
    private static var maximum: Int { 65_536 }

    private let state = Mutex(State())

    /// All series whose upstream and server are there, each with its labels.
    func labeled(_ all: [CallSeries], _ labels: CallLabels) -> [Labeled] {
        state.withLock { state in
            let isOld = state.upstreams != labels.upstreams || state.servers != labels.servers
            if isOld || state.texts.count > Self.maximum {
                state = State(upstreams: labels.upstreams, servers: labels.servers)
            }
            return all.compactMap { series in
                if let kept = state.texts[series.number], kept.name == series.name {
                    return Labeled(series: series, text: kept.text, hash: kept.hash)
                }
                guard let text = Self.text(series, labels) else { return nil }
                let hash = text.hashValue
                state.texts[series.number] = Kept(name: series.name, text: text, hash: hash)
                return Labeled(series: series, text: text, hash: hash)
            }
        }
    }

    /// Nil: the upstream or the server is forgotten.
    private static func text(_ series: CallSeries, _ labels: CallLabels) -> LabelText? {
        guard let upstream = labels.upstream(series), let server = labels.server(series) else { return nil }
        let common = labels.common(series)
        return switch series.kind {
        case .operation: LabelText(MetricCatalog.operation.labels, [upstream] + common)
        case .leg: LabelText(MetricCatalog.leg.labels, [upstream, server] + common)
        case .session: LabelText(MetricCatalog.session.labels, [upstream, common[3], common[4]])
        }
    }
}
