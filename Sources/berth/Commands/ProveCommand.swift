import ASCII
import ArgumentParser
import FoundationEssentials
import Glibc
import Kernel
import Load
import LoadReport
import Prove

/// `berth prove`
struct ProveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prove",
        abstract: "Kill, stop, reload and upgrade everything under load, and check every answer.",
        discussion: """
            Starts three sample servers and Berth in front of them, as processes on loopback, puts a load of MCP sessions on \
            it, and does something every few seconds: kills a server, stops it, restarts or drains it; reloads Berth, \
            upgrades it, gives it new keys. The same seed does the same again. Nothing is left behind.

            The promise: no wrong answer, no session lost, no call executed twice, and no failed call but those that \
            were under way on a server when it was killed or stopped. Exits with 0 if it holds, with 1 if not, with 2 if the \
            trial could not begin.

              berth prove --calls 100000 --seed 7
              berth prove --calls 100000 --seed 7 --against nginx
              berth prove --server "python server.py --port {port}" --tool add --arguments '{"a":1,"b":2}'
            """)

    @Option(help: "End after this many calls.")
    var calls: UInt64?

    @Option(help: "End after this time, as in 90s, 5m or 1h. Without it and without --calls: 60s.")
    var duration: String?

    @Option(help: "The seed of the schedule. Default: another one each time, which is printed.")
    var seed: UInt64?

    @Option(help: "Servers behind the balancer, 1 to 16.")
    var servers = 3

    @Option(help: "A shell command that starts an MCP server on the port {port}, which is also in PORT.")
    var server: String?

    @Option(help: "The tool that is called; of --server.")
    var tool: String?

    @Option(help: "The arguments of --tool, a JSON object.")
    var arguments = "{}"

    @Option(help: "nginx or haproxy in Berth's place, or a configuration file (.conf, .cfg) of one of them.")
    var against: String?

    @Option(help: "What Berth does with sessions whose server is gone: always, clean or never.")
    var onLost = "always"

    @Option(help: "Calls a second; 0: as many as the clients can make.")
    var rate = 1_000.0

    @Option(help: "Concurrent sessions, 4 to 10000.")
    var sessions = 64

    @Flag(help: "Clients speak HTTP/2.")
    var http2 = false

    @Option(
        help: "Only these, separated by commas: \(Disturbance.Kind.allCases.map(\.rawValue).joined(separator: ", ")).")
    var only: String?

    @Option(help: "Write the figures to this file.")
    var json: String?

    @Flag(name: .shortAndLong, help: "Print only the verdict.")
    var quiet = false

    func run() throws {
        let plan = try validPlan()
        // An upgraded Berth outlives the process that started it, and is to end with this one.
        Kinship.adoptOrphans()
        let signals = try Signals([SIGTERM, SIGINT])
        var screen = TrialScreen(
            .forOutput(descriptor: 1, isQuiet: quiet, environment: ProcessInfo.processInfo.environment)
        ) { text in
            // A reader that has gone, as `head` does, is no reason to end.
            try? StandardStream.output.write(text)
        }
        let figures: ProveFigures
        do throws(ProveError) {
            let run = ProveRun(plan, programs: Programs(berth: Berth.executable), commands: Berth.commands)
            figures = try run.perform(on: &screen) { signals.wait(milliseconds: 20) != nil }
        } catch {
            StandardStream.error.say("berth prove: \(error)")
            throw ExitCode(2)
        }
        screen.finish(VerdictTable.text(figures, style: screen.style))
        try write(figures)
        guard Verdict(figures).holds else { throw ExitCode(1) }
    }

    private func write(_ figures: ProveFigures) throws {
        guard let json else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            try SmallFile.replace(json, with: Array(encoder.encode(figures)), mode: 0o644)
        } catch {
            StandardStream.error.say("\(json): \(error)")
        }
    }
}

extension ProveCommand {
    /// The plan that arguments ask for. Throws if they make none.
    static func plan(_ arguments: [String]) throws -> ProvePlan { try parse(arguments).validPlan() }

    /// The plan that the options ask for. Throws if they make none.
    private func validPlan() throws -> ProvePlan {
        var plan = ProvePlan()
        plan.calls = calls
        plan.seconds = calls == nil ? 60 : 86_400
        if let duration { plan.seconds = try Self.seconds(duration) }
        plan.seed = seed ?? UInt64.random(in: 1...999_999)
        guard 1...16 ~= servers else { throw ValidationError("--servers must be 1 to 16") }
        plan.servers = servers
        guard 4...10_000 ~= sessions else { throw ValidationError("--sessions must be 4 to 10000") }
        plan.sessions = sessions
        plan.command = server
        plan.tool = tool
        plan.arguments = arguments
        if server != nil, tool == nil { throw ValidationError("--server needs --tool: the tool to call") }
        guard let mode = ProvePlan.OnLost(rawValue: onLost) else {
            throw ValidationError("--on-lost must be always, clean or never")
        }
        plan.onLost = mode
        guard rate >= 0 else { throw ValidationError("--rate must be 0 or more") }
        plan.rate = rate == 0 ? nil : rate
        if http2 { plan.transport = .http2 }
        if let against {
            do throws(ProveError) {
                plan.peer = try Peer(argument: against)
            } catch {
                throw ValidationError(error.description)
            }
        }
        plan.only = try only.map(Self.kinds)
        return plan
    }

    private static func kinds(_ text: String) throws -> Set<Disturbance.Kind> {
        try Set(
            text.split(separator: ",").map { word in
                let name = word.trimmed
                guard let kind = Disturbance.Kind(rawValue: name) else {
                    throw ValidationError("--only: there are no \"\(name)\"")
                }
                return kind
            })
    }

    /// Parses "90s", "5m", "1h" or "90". Throws for other text.
    static func seconds(_ text: String) throws -> Double {
        let units = ["s": 1.0, "m": 60, "h": 3_600]
        let unit = text.last.flatMap { units[String($0)] }
        guard let number = Double(unit == nil ? Substring(text) : text.dropLast()), number > 0,
            number * (unit ?? 1) <= 1_000_000
        else {
            throw ValidationError("--duration must be a time as in 90s, 5m or 1h")
        }
        return number * (unit ?? 1)
    }
}
