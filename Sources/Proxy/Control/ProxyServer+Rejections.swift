import MCP
import Telemetry

extension ProxyServer {
    /// What `CallEvent.reason` stands for: `data.reason` of the response; nil if it is none.
    package static func rejectionReason(_ number: UInt8) -> String? {
        ExchangeFault(rawValue: number).map { "\($0.response.reason)" }
    }

    /// How often the proxy answered requests itself since the start, by `data.reason` of the response.
    package var rejections: [String: Int64] {
        ExchangeFault.allCases.reduce(into: [:]) { counts, fault in
            counts["\(fault.response.reason)", default: 0] += metrics.rejections(reason: Int(fault.rawValue))
        }
    }
}
