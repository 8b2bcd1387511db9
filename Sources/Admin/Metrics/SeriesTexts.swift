import Proxy
import Synchronization
import Telemetry

/// The labels of the series of calls as they stand in the page of metrics, kept from one page to the next: to make them costs more
/// than everything else about a series.
final class SeriesTexts: Sendable {
    private struct Kept {
        /// A reload may give a series another name.
        let name: CallSeries.Name
        let text: LabelText
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
    func labeled(_ all: [CallSeries], _ labels: CallLabels) -> [(series: CallSeries, text: LabelText)] {
        state.withLock { state in
            let isOld = state.upstreams != labels.upstreams || state.servers != labels.servers
            if isOld || state.texts.count > Self.maximum {
                state = State(upstreams: labels.upstreams, servers: labels.servers)
            }
            return all.compactMap { series in
                if let kept = state.texts[series.number], kept.name == series.name { return (series, kept.text) }
                guard let text = Self.text(series, labels) else { return nil }
                state.texts[series.number] = Kept(name: series.name, text: text)
                return (series, text)
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
