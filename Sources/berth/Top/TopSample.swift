import FoundationEssentials

/// What `/stats` says at one moment, as far as `berth top` shows it.
struct TopSample: Decodable {
    struct Pool: Decodable {
        var active, waiting: Int
    }

    struct Errors: Decodable {
        var badGateway, unavailable, timedOut: Int
    }

    struct Server: Decodable {
        var address: String
        var state: String
        var weight: Int
        var pool: Pool
        var streams, sessions, requests: Int
        var errors: Errors

        var failures: Int { errors.badGateway + errors.unavailable + errors.timedOut }
    }

    struct Upstream: Decodable {
        var name: String
        var servers: [Server]
    }

    struct Configuration: Decodable {
        var hash: String
        var lastError: String?
    }

    /// A tool of an upstream, where calls are measured. Latencies are in seconds.
    struct Tool: Decodable {
        var upstream: String?
        var tool: String
        var calls: Int
        /// Calls that failed, whatever went wrong.
        var errors: Int
        var p50, p95, p99: Double?

        private enum CodingKeys: String, CodingKey { case upstream, tool, calls, errors, p50, p95, p99 }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            upstream = try container.decodeIfPresent(String.self, forKey: .upstream)
            tool = try container.decode(String.self, forKey: .tool)
            calls = try container.decode(Int.self, forKey: .calls)
            let byReason = try container.decodeIfPresent([String: Int].self, forKey: .errors) ?? [:]
            errors = byReason.values.reduce(0, +)
            p50 = try container.decodeIfPresent(Double.self, forKey: .p50)
            p95 = try container.decodeIfPresent(Double.self, forKey: .p95)
            p99 = try container.decodeIfPresent(Double.self, forKey: .p99)
        }
    }

    /// When it was taken, in seconds of a clock that never goes back.
    var takenAt = 0.0
    var pid: Int
    var uptimeSeconds: Double
    var draining: Bool
    var clients: Int
    var configuration: Configuration?
    var upstreams: [Upstream]
    var tools: [Tool] = []

    private enum CodingKeys: String, CodingKey {
        case pid, uptimeSeconds, draining, clients, configuration, upstreams, tools
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        pid = try container.decode(Int.self, forKey: .pid)
        uptimeSeconds = try container.decode(Double.self, forKey: .uptimeSeconds)
        draining = try container.decode(Bool.self, forKey: .draining)
        clients = try container.decode(Int.self, forKey: .clients)
        configuration = try container.decodeIfPresent(Configuration.self, forKey: .configuration)
        upstreams = try container.decode([Upstream].self, forKey: .upstreams)
        // A Berth that measures no tools, or says so in another way, has none here.
        tools = (try? container.decodeIfPresent([Tool].self, forKey: .tools)) ?? []
    }

    /// Reads the text of `/stats`; nil if it is none.
    init?(_ text: String, at seconds: Double) {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard let sample = try? decoder.decode(TopSample.self, from: Data(text.utf8)) else { return nil }
        self = sample
        takenAt = seconds
    }
}
