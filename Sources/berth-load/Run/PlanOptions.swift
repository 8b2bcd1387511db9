import ArgumentParser
import Load

/// The options of a run's plan.
struct PlanOptions: ParsableArguments {
    @Option(help: ArgumentHelp("URL of the MCP endpoint, as in https://127.0.0.1:8443/mcp.", valueName: "url"))
    var url: String

    @Option(
        help: ArgumentHelp(
            "Workload: \(Workload.allCases.map(\.rawValue).joined(separator: ", ")), or latency, which "
                + "is calls over 1 connection.", valueName: "name"))
    var workload = "sessions"

    @Option(help: "Concurrent connections. Default: 64; 1 for latency.")
    var connections: Int?

    @Option(help: "Concurrent calls on each HTTP/2 connection.")
    var depth = 1

    @Option(
        help:
            "Calls per second over all connections, at fixed times (open loop). Default: closed loop, each connection makes its next call after the response."
    )
    var rate: Double?

    @Option(help: "Seconds of measuring.")
    var seconds = 10.0

    @Option(help: "Seconds of load before measuring begins.")
    var warmUp = 1.0

    @Option(help: "End after this number of completed calls.")
    var calls: UInt64?

    @Option(help: "Threads. The connections are divided among them.")
    var threads = 1

    @Option(help: "Seconds after which a call counts as failed.")
    var timeout = 10.0

    @Option(help: "Concurrent sessions; for fanin and idle, event streams. Default: connections × depth.")
    var sessions: Int?

    @Option(help: "Tool calls of a session before it is ended.")
    var callsPerSession = 100

    @Flag(
        inversion: .prefixedNo,
        help:
            "Send each call of a session over any free connection. Default: if there are more sessions than connections."
    )
    var shuffle: Bool?

    @Option(help: "Name of the tool to call.")
    var tool = "whoami"

    @Option(help: ArgumentHelp("Arguments of the tool, a JSON object.", valueName: "json"))
    var arguments = "{}"

    @Option(help: "Bytes of each text of the workload bodies.")
    var bytes = 1_048_576

    @Option(help: "Where those texts are: down, in responses; up, in requests.")
    var direction = LoadPlan.Direction.down

    @Option(help: "Events per second that the server sends on each stream of the workload fanin.")
    var events = 10.0

    @Flag(help: "Use HTTP/2.")
    var h2 = false

    @Flag(help: "Do not verify the server's certificate.")
    var insecure = false

    @Option(help: ArgumentHelp("Trust only the certificates in this PEM file.", valueName: "file"))
    var ca: String?

    @Flag(inversion: .prefixedNo, help: "Resume TLS sessions.")
    var resumption = true

    @Option(help: ArgumentHelp("Header field to add to every request. Can be repeated.", valueName: "name: value"))
    var header: [String] = []

    /// The plan. Throws if an option is invalid.
    func plan() throws(LoadError) -> LoadPlan {
        let isLatency = workload == "latency"
        guard let kind = isLatency ? .calls : Workload(rawValue: workload) else {
            throw LoadError(
                "there is no workload \"\(workload)\"; it may be "
                    + Workload.allCases.map(\.rawValue).joined(separator: ", ") + " or latency")
        }
        var plan = LoadPlan(target: try target(), workload: kind)
        plan.name = workload
        plan.transport = h2 ? .http2 : .http1
        plan.connections = connections ?? (isLatency ? 1 : 64)
        plan.depth = depth
        plan.rate = rate
        plan.seconds = seconds
        plan.warmUp = warmUp
        plan.calls = calls
        plan.threads = threads
        plan.timeout = timeout
        plan.sessions = sessions
        plan.callsPerSession = callsPerSession
        plan.shuffle = shuffle
        plan.tool = tool
        plan.arguments = arguments
        plan.bytes = bytes
        plan.direction = direction
        plan.eventsPerSecond = events
        plan.trust = insecure ? .anyone : ca.map { .file($0) } ?? .system
        plan.resumption = resumption
        plan.headers = try header.map { text throws(LoadError) in try PlanOptions.header(text) }
        try plan.check()
        return plan
    }

    private func target() throws(LoadError) -> Target {
        do throws(TargetError) { return try Target(url: url) } catch { throw LoadError(error.description) }
    }

    private static func header(_ text: String) throws(LoadError) -> LoadPlan.Header {
        guard let colon = text.firstIndex(of: ":"), colon > text.startIndex else {
            throw LoadError("\"\(text)\" is not a header field (NAME: VALUE)")
        }
        let value = text[text.index(after: colon)...].drop { $0 == " " }
        return LoadPlan.Header(name: text[..<colon].lowercased(), value: String(value))
    }
}

extension LoadPlan.Direction: ExpressibleByArgument {}
