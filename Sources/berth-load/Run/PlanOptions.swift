import ArgumentParser
import Load

/// The options that say what a run does.
struct PlanOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The MCP endpoint, as in https://127.0.0.1:8443/mcp.", valueName: "url"))
    var url: String

    @Option(
        help: ArgumentHelp(
            "What the clients do: \(Workload.allCases.map(\.rawValue).joined(separator: ", ")), or latency, which is "
                + "calls over 1 connection.", valueName: "name"))
    var workload = "sessions"

    @Option(help: "Connections at a time.")
    var connections: Int?

    @Option(help: "Calls at a time on each connection of HTTP/2.")
    var depth = 1

    @Option(
        help:
            "Calls a second, all connections together, on a fixed schedule. Without it each connection calls again as soon as it has its answer."
    )
    var rate: Double?

    @Option(help: "Seconds measured.")
    var seconds = 10.0

    @Option(help: "Seconds of the same load before that.")
    var warmUp = 1.0

    @Option(help: "End once so many calls were answered.")
    var calls: UInt64?

    @Option(help: "Threads, each with its part of the connections.")
    var threads = 1

    @Option(help: "Seconds that a call may take before it counts as failed.")
    var timeout = 10.0

    @Option(help: "Sessions at a time; event streams, for fanin and idle. As many as connections if not given.")
    var sessions: Int?

    @Option(help: "Tool calls of a session before it says goodbye.")
    var callsPerSession = 100

    @Flag(
        inversion: .prefixedNo,
        help:
            "Send each call of a session over whichever connection is free. The default if there are more sessions than connections."
    )
    var shuffle: Bool?

    @Option(help: "The tool that is called.")
    var tool = "whoami"

    @Option(help: ArgumentHelp("The tool's arguments.", valueName: "json"))
    var arguments = "{}"

    @Option(help: "Bytes of each text of the workload bodies.")
    var bytes = 1_048_576

    @Option(help: "Which way those texts go: down or up.")
    var direction = LoadPlan.Direction.down

    @Option(help: "Events a second on each stream of the workload fanin.")
    var events = 10.0

    @Flag(help: "Speak HTTP/2.")
    var h2 = false

    @Flag(help: "Accept any certificate.")
    var insecure = false

    @Option(help: ArgumentHelp("Trust the certificates of this PEM file, and no others.", valueName: "file"))
    var ca: String?

    @Flag(inversion: .prefixedNo, help: "Resume TLS sessions.")
    var resumption = true

    @Option(help: ArgumentHelp("A header for every request. May be given more than once.", valueName: "name: value"))
    var header: [String] = []

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
            throw LoadError("\"\(text)\" is no header, which is NAME: VALUE")
        }
        let value = text[text.index(after: colon)...].drop { $0 == " " }
        return LoadPlan.Header(name: text[..<colon].lowercased(), value: String(value))
    }
}

extension LoadPlan.Direction: ExpressibleByArgument {}
