import MCP
import Telemetry

extension CallName {
    init(_ text: String) { self.init(Array(text.utf8).span) }
}

extension CallEvent {
    /// A call of a tool as the proxy would tell of it: answered with 200 after 3 ms at server 2 of upstream 0.
    static func tool(_ name: String, _ outcome: Outcome = .success, code: Int32 = 0, status: UInt16 = 200) -> CallEvent
    {
        var event = CallEvent()
        event.method = .toolsCall
        event.name = CallName(name)
        event.outcome = outcome
        event.errorCode = code
        event.status = status
        event.upstream = 0
        event.server = 2
        event.revision = 1 << 3
        event.duration = 3_000_000
        event.offsets.connected = 1_000
        event.offsets.firstByte = 2_500
        event.flags = .request
        return event
    }
}

extension CallMetrics {
    /// Calls of operations, by tool and what went wrong.
    func calls(of name: CallSeries.Name, _ failure: CallSeries.Failure = .none) -> Int64 {
        series().filter { $0.kind == .operation && $0.name == name && $0.failure == failure }
            .reduce(0) { $0 + $1.histogram.count }
    }
}
