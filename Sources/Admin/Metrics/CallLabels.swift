import MCP
import Proxy
import Telemetry

/// The words that stand in labels for what a series of calls is about.
struct CallLabels {
    let upstreams: [Int: String]
    let servers: [Int: ProxyServer.ServerName]
    private let reasons: [UInt8: String]

    init(_ proxy: ProxyServer) {
        upstreams = proxy.upstreamNames
        servers = proxy.serverNames
        reasons = ProxyServer.rejectionReasons
    }

    /// Nil: the upstream is forgotten. Empty: there was none.
    func upstream(_ series: CallSeries) -> String? {
        guard let upstream = series.upstream else { return "" }
        return upstreams[upstream]
    }

    /// Nil: the server is forgotten. Empty: there was none.
    func server(_ series: CallSeries) -> String? {
        guard let server = series.server else { return "" }
        return servers[server]?.server
    }

    /// The method's name in MCP, or what stands for those that have none.
    static func method(_ method: MCPMethod) -> String {
        if let name = method.name { return "\(name)" }
        return switch method {
        case .response: "response"
        case .batch: "batch"
        default: CallSeries.otherName
        }
    }

    /// `error.type` of the OpenTelemetry conventions; empty if nothing went wrong.
    func failure(_ failure: CallSeries.Failure) -> String {
        switch failure {
        case .none: ""
        case .toolError: "tool_error"
        case .timeout: "timeout"
        case .cancelled: "cancelled"
        case .aborted: "aborted"
        case .other: CallSeries.otherName
        case .rpc(let code): "\(code)"
        case .status(let status): "\(status)"
        case .rejection(let reason): reasons[reason] ?? CallSeries.otherName
        }
    }

    /// The values of the last five labels: the method, the tool, the prompt, the error, the revision.
    func common(_ series: CallSeries) -> [String] {
        var (tool, prompt) = ("", "")
        switch series.name {
        case .tool(let name): tool = name
        case .prompt(let name): prompt = name
        case .other where series.method == .promptsGet: prompt = CallSeries.otherName
        case .other: tool = CallSeries.otherName
        case .none: break
        }
        return [
            Self.method(series.method), tool, prompt, failure(series.failure), series.revision.names.first ?? "",
        ]
    }
}
