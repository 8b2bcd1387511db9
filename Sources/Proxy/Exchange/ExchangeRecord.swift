import HTTP
import Kernel
import MCP
import Telemetry

/// How an exchange ended.
enum ExchangeOutcome: Equatable {
    /// The server's response was forwarded whole, or one was given that the configuration has in its place.
    case responded
    /// The proxy answered in the server's place.
    case rejected(ExchangeFault)
    /// The proxy ended the event stream: it was silent for too long, or the worker drains.
    case streamEnded
    /// The server died within an event stream, and the client was told in its last event.
    case streamFailed
    /// The response broke off after its head had gone to the client.
    case responseAborted
    /// The request's body failed under a response that had begun.
    case requestAborted
    /// The client went before the end.
    case clientDisconnected
    /// The kept request could not be read again: a mistake of ours.
    case inconsistent

    /// What counts such ends.
    var metric: ExchangeMetric {
        switch self {
        case .responded: .responded
        case .rejected: .rejected
        case .streamEnded: .streamsEnded
        case .streamFailed: .streamsFailed
        case .responseAborted: .responsesAborted
        case .requestAborted: .requestsAborted
        case .clientDisconnected: .clientsDisconnected
        case .inconsistent: .inconsistent
        }
    }
}

/// All that is known of an exchange when it is over: what a log line, a metric or an outlier detector is made of.
struct ExchangeRecord {
    let outcome: ExchangeOutcome
    let kind: RequestKind
    let method: Method
    /// The response's status, ours or the server's; 0 if there was none.
    let status: UInt16
    /// Slots of the upstream and of the server; the server is -1 if none was selected.
    let upstream: Int
    let server: Int
    let times: PhaseTimes
    let endedAt: Instant
    /// Body bytes that were forwarded, from the client and to it; those of the proxy's own responses are not counted.
    let requestBytes: UInt64
    let responseBytes: UInt64
    /// Attempts that failed before, refused connections not counted.
    let attempts: UInt8

    init(_ exchange: borrowing Exchange, _ outcome: ExchangeOutcome, at now: Instant) {
        self.outcome = outcome
        kind = exchange.kind
        method = exchange.method
        status = exchange.status
        upstream = Int(exchange.upstream)
        server = Int(exchange.server)
        times = exchange.times
        endedAt = now
        requestBytes = exchange.requestBytes
        responseBytes = exchange.responseBytes
        attempts = exchange.attempts
    }
}
