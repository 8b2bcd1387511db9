import Kernel
import Load

/// `berth prove`: one balancer, the seeded schedule, a verdict.
package struct ProveRun {
    private let plan: ProvePlan
    private let programs: Programs
    private let commands: Set<String>

    /// `commands`: the subcommands that the executable of `programs` has.
    package init(_ plan: ProvePlan, programs: Programs, commands: Set<String>) {
        self.plan = plan
        self.programs = programs
        self.commands = commands
    }

    /// Runs until the load has ended, or `isStopped` returns true; that is asked many times a second, and may sleep some
    /// milliseconds. Returns the figures. Throws if it could not begin.
    package func perform(on screen: inout TrialScreen, isStopped: () -> Bool) throws(ProveError) -> ProveFigures {
        let name = plan.peer.map { $0.kind == .nginx ? "nginx" : "HAProxy" } ?? "Berth"
        screen.tell("starting \(plan.servers) servers, and \(name) in front of them; seed \(plan.seed)", at: 0)
        let folder = try WorkFolder()
        let history = ServerHistory()
        let fleet = try ServerFleet(
            plan.servers, command: plan.command, eventsPerSecond: ProvePlan.eventsPerSecond, programs: programs,
            folder: folder, history: history)
        var schedule = ProveSchedule(seed: plan.seed, servers: plan.servers, pace: plan.pace, only: plan.only)
        let trial = try Trial(
            fleet: fleet, fronts: { (ports) throws(ProveError) in [try makeFront(ports, folder)] }, history: history,
            load: { plan.load(on: $0.target, name: $0.name) }, steps: { schedule.next() })
        try trial.watch(on: &screen, isStopped: isStopped) { event, _ in [event.text] }
        let load = try trial.finish()
        let front = trial.subjects[0].front
        // Where the key is unknown, no session is recovered.
        let onLost = (front as? BerthFront).flatMap { $0.file.onLost ?? (plan.onLost == .never ? "never" : nil) }
        var figures = ProveFigures(
            front: front.name, affinity: front.affinity, seed: plan.seed, onLost: onLost, load: load[0])
        figures.disturbances = trial.disturbances
        figures.skipped = trial.skipped
        if plan.peer == nil, onLost == nil { figures.skipped["this berth recovers no sessions (session.on_lost)"] = 1 }
        figures.executions = fleet.executions.map { ExecutionFigures($0) }
        guard figures.load.trial?.calls ?? 0 > 0 else {
            throw ProveError(
                "no call was answered; the first failures: \(load[0].examples.prefix(3).joined(separator: "; "))")
        }
        return figures
    }

    private func makeFront(_ ports: [UInt16], _ folder: WorkFolder) throws(ProveError) -> any Front {
        if let peer = plan.peer {
            return try PeerFront(peer, servers: ports, programs: programs, folder: folder)
        }
        var file = BerthFile(servers: [])
        file.onLost = plan.onLost.rawValue
        file.checksHealth = plan.command == nil
        return try BerthFront(
            "Berth", file, servers: ports, programs: programs, commands: commands, folder: folder, prefix: "berth")
    }
}
