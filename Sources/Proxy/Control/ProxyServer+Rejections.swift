import MCP
import Telemetry

extension ProxyServer {
    /// How often the proxy answered requests itself since the start, by `data.reason` of the response.
    package var rejections: [String: Int64] {
        ExchangeFault.allCases.reduce(into: [:]) { counts, fault in
            counts["\(fault.response.reason)", default: 0] += metrics.rejections(reason: Int(fault.rawValue))
        }
    }
}
