import MCP
import Telemetry

/// Calls as the proxy hands them over, for tests.
enum RecordedCalls {
    static let names: CallNames = {
        var names = CallNames()
        names.upstreams = [CallNames.Name("mcp")]
        names.servers = [
            CallNames.Server("mcp-1:3001", upstream: "mcp"), CallNames.Server("[fd00::7]:3002", upstream: "mcp"),
        ]
        names.listeners = [CallNames.Name(":443")]
        names.reasons = [CallNames.Name("no_route"), CallNames.Name("queue_full")]
        names.httpMethods = ["GET", "HEAD", "POST"].map { CallNames.Name($0) }
        return names
    }()

    /// A call of a tool that succeeded on the first server and belongs to a client's trace.
    static func toolCall(_ tool: String = "get-weather") -> CallEvent {
        var event = CallEvent()
        event.startedAt = 1_800_000_000_000_000_000
        event.duration = 12_500_000
        event.offsets.connected = 700
        event.offsets.firstByte = 12_000
        event.requestBytes = 212
        event.responseBytes = 3_000
        event.session = 0xabc
        event.method = .toolsCall
        event.name = CallName(Array(tool.utf8).span)
        event.status = 200
        event.upstream = 0
        event.server = 0
        event.revision = 1 << 2
        event.httpMethod = 2
        event.flags = [.request, .http2]
        event.client.bytes = address(0, 0xffff_0a01_0250)
        event.client.port = 65_123
        event.trace.high = 0x0af7_6519_16cd_43dd
        event.trace.low = 0x8448_eb21_1c80_319c
        event.trace.parent = 0xb7ad_6b71_6920_3331
        event.trace.span = 0x1234_5678_9abc_def0
        event.trace.flags = 1
        return event
    }

    static func address(_ high: UInt64, _ low: UInt64) -> InlineArray<16, UInt8> {
        InlineArray { index in
            UInt8(truncatingIfNeeded: (index < 8 ? high : low) >> UInt64(56 - 8 * (index % 8)))
        }
    }
}
