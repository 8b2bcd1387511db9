import ArgumentParser
import FleetSimulation
import Foundation

/// The command `berth-fleet`.
@main
struct BerthFleet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "berth-fleet",
        abstract: "Simulate a fleet of Berths: where sessions go, and what becomes of them.",
        discussion: """
            New sessions are placed by the proxy's own code. The same options give the same figures. The full size, which is \
            the default, takes minutes and about a gigabyte.
            """)

    @Option(help: "Berths: 1 to 1,000.")
    var berths = FleetPlan().berths

    @Option(help: "Servers: 3 to 32,767.")
    var servers = FleetPlan().servers

    @Option(help: "Sessions that are open at any time: 1 to 100,000,000.")
    var sessions = FleetPlan().sessions

    @Option(help: "Seed of everything that chance decides.")
    var seed = FleetPlan().seed

    @Option(help: "Mean life of a session, in seconds.")
    var life = FleetPlan().sessionSeconds

    @Option(help: "A session makes a call once in so many seconds.")
    var callInterval = FleetPlan().callSeconds

    @Option(help: "Share of sessions with an open event stream: 0 to 1.")
    var streams = FleetPlan().streamShare

    @Option(help: "Share of sessions that may hold state: 0 to 1.")
    var stateful = FleetPlan().statefulShare

    @Option(help: "Seconds that a server needs to open a session.")
    var openTime = FleetPlan().openSeconds

    @Option(help: "Sessions that a server opens at a time.")
    var opensAtOnce = FleetPlan().opensAtOnce

    @Option(help: "Connections from one Berth to one server at most, as pool.max.")
    var poolMax = FleetPlan().poolMaximum

    @Option(help: "How long servers drain, in lives of a session.")
    var drain = FleetPlan().drainLifetimes

    @Flag(help: "Print the figures as JSON.")
    var json = false

    private var plan: FleetPlan {
        var plan = FleetPlan()
        plan.berths = berths
        plan.servers = servers
        plan.sessions = sessions
        plan.seed = seed
        plan.sessionSeconds = life
        plan.callSeconds = callInterval
        plan.streamShare = streams
        plan.statefulShare = stateful
        plan.openSeconds = openTime
        plan.opensAtOnce = opensAtOnce
        plan.poolMaximum = poolMax
        plan.drainLifetimes = drain
        return plan
    }

    func validate() throws {
        if let problem = plan.problems.first { throw ValidationError(problem) }
    }

    func run() throws {
        let start = ContinuousClock.now
        let report = FleetReport(plan) { Self.say($0) }
        let seconds = Double((ContinuousClock.now - start).components.seconds)
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            Self.write(try encoder.encode(report) + Data("\n".utf8))
        } else {
            Self.write(Data(report.text.utf8))
        }
        Self.say("\(Int(seconds)) s, \(Self.usage)")
    }

    private static func write(_ data: Data) { FileHandle.standardOutput.write(data) }

    /// Progress goes to standard error, so that standard output has the figures alone.
    private static func say(_ line: String) {
        FileHandle.standardError.write(Data("\(line)\n".utf8))
    }

    /// What the process has used.
    private static var usage: String {
        var usage = rusage()
        guard getrusage(CInt(RUSAGE_SELF.rawValue), &usage) == 0 else { return "" }
        return "\(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) s of one processor, \(usage.ru_maxrss / 1_024) MiB"
    }
}
