/// Samples one after the other, and what follows from two of them.
struct TopHistory {
    /// A server as a line shows it.
    struct ServerLine {
        var name: String
        var server: TopSample.Server
        /// Per second, between the last two samples.
        var callRate: Double
        var failureRate: Double
        /// Calls per second, the latest last.
        var rates: [Double]
    }

    /// A tool as a line shows it.
    struct ToolLine {
        var name: String
        var tool: TopSample.Tool
        var callRate: Double
        /// Errors among the calls of the last seconds, from 0 to 1; nil: there was no call.
        var errorShare: Double?
    }

    private(set) var latest: TopSample?
    private(set) var servers: [ServerLine] = []
    private(set) var tools: [ToolLine] = []
    /// Calls per second of all servers, the latest last.
    private(set) var rates: [Double] = []
    private(set) var failureRate = 0.0
    private var before: TopSample?

    /// How many rates are kept.
    private static let length = 60

    /// Takes a sample. Counters of another process begin anew, but what was handed over at an upgrade goes on.
    mutating func append(_ sample: TopSample) {
        before = latest
        latest = sample
        let span = before.map { sample.takenAt - $0.takenAt } ?? 0
        let old = Dictionary(servers.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        func rate(_ now: Int, _ then: Int?) -> Double {
            guard let then, span > 0 else { return 0 }
            return Double(max(0, now - then)) / span
        }
        servers = sample.upstreams.flatMap { upstream in
            upstream.servers.map { server in
                let name = "\(upstream.name)/\(server.address)"
                let known = old[name]
                let calls = rate(server.requests, known?.server.requests)
                return ServerLine(
                    name: name, server: server, callRate: calls,
                    failureRate: rate(server.failures, known?.server.failures),
                    rates: Self.appended(known?.rates ?? [], calls, isFirst: known == nil))
            }
        }
        let oldTools = Dictionary(tools.map { ($0.name, $0.tool) }, uniquingKeysWith: { $1 })
        tools = sample.tools.map { tool in
            let name = [tool.upstream, tool.tool].compactMap { $0 }.joined(separator: "/")
            let calls = tool.calls - (oldTools[name]?.calls ?? tool.calls)
            let errors = tool.errors - (oldTools[name]?.errors ?? tool.errors)
            return ToolLine(
                name: name, tool: tool, callRate: rate(tool.calls, oldTools[name]?.calls),
                errorShare: calls > 0 ? Double(max(0, errors)) / Double(calls) : nil)
        }
        failureRate = servers.reduce(0) { $0 + $1.failureRate }
        rates = Self.appended(rates, servers.reduce(0) { $0 + $1.callRate }, isFirst: before == nil)
    }

    private static func appended(_ rates: [Double], _ rate: Double, isFirst: Bool) -> [Double] {
        isFirst ? [] : (rates + [rate]).suffix(length)
    }
}
