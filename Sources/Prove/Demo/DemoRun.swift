import Kernel
import Load

/// `berth demo`: the same load on Berth and on plain round-robin in front of the same servers, and what the script does to
/// them.
package struct DemoRun {
    private let seconds: Double
    private let sessions: Int
    private let programs: Programs
    private let commands: Set<String>

    /// `commands`: the subcommands that the executable of `programs` has.
    package init(seconds: Double, sessions: Int, programs: Programs, commands: Set<String>) {
        self.seconds = seconds
        self.sessions = sessions
        self.programs = programs
        self.commands = commands
    }

    /// What a demo has shown.
    package struct Outcome: Sendable {
        /// The figures of Berth, and those of round-robin.
        package var figures: [ProveFigures]
        /// A configuration file for a reader to begin with.
        package var file: String
    }

    /// Runs until its time is over, or `isStopped` returns true; that is asked many times a second, and may sleep some
    /// milliseconds. Throws if it could not begin.
    package func perform(on screen: inout TrialScreen, isStopped: () -> Bool) throws(ProveError) -> Outcome {
        screen.tell("starting three servers, Berth in front of them, and round-robin beside it", at: 0)
        let folder = try WorkFolder()
        let history = ServerHistory()
        let fleet = try ServerFleet(
            3, command: nil, eventsPerSecond: ProvePlan.eventsPerSecond, programs: programs, folder: folder,
            history: history)
        let scenes = DemoScript(seconds: seconds).scenes
        var rest = scenes[...]
        let trial = try Trial(
            fleet: fleet, fronts: { (ports) throws(ProveError) in try makeFronts(ports, folder) }, history: history,
            load: { plan.load(on: $0.target, name: $0.name) }, steps: { rest.popFirst()?.step })
        var narrator = DemoNarrator(scenes)
        try trial.watch(on: &screen, isStopped: isStopped) { narrator.lines(for: $0, $1) }
        let load = try trial.finish()
        let file = (trial.subjects[0].front as? BerthFront)?.file
        let figures = zip(trial.subjects, load).map { subject, load in
            var figures = ProveFigures(
                front: subject.front.name, affinity: subject.front.affinity, seed: 0,
                onLost: (subject.front as? BerthFront)?.file.onLost, load: load)
            figures.disturbances = trial.disturbances
            figures.skipped = trial.skipped
            return figures
        }
        return Outcome(figures: figures, file: file?.copy ?? "")
    }

    private var plan: ProvePlan {
        var plan = ProvePlan()
        plan.seconds = seconds
        plan.timeout = 5
        plan.sessions = max(4, sessions)
        // Clients that think between calls: ten calls a second each.
        plan.rate = Double(plan.sessions) * 10
        return plan
    }

    private func makeFronts(_ ports: [UInt16], _ folder: WorkFolder) throws(ProveError) -> [any Front] {
        var file = BerthFile(servers: [])
        file.onLost = ProvePlan.OnLost.always.rawValue
        var naive = BerthFile(servers: [])
        naive.affinity = "off"
        func front(_ name: String, _ file: BerthFile, _ prefix: String) throws(ProveError) -> any Front {
            try BerthFront(
                name, file, servers: ports, programs: programs, commands: commands, folder: folder, prefix: prefix)
        }
        return [try front("Berth", file, "berth"), try front("round-robin", naive, "naive")]
    }
}
