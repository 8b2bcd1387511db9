import FoundationEssentials
import Kernel
import Load

/// Servers, one or more balancers in front of them, a load on each balancer, and what is done to them meanwhile.
package final class Trial {
    /// A balancer under load.
    final class Subject {
        let front: any Front
        let run: LoadRun

        init(_ front: any Front, _ run: LoadRun) {
            self.front = front
            self.run = run
        }
    }

    /// Something that happened, to be told in a line.
    package struct Event: Equatable, Sendable {
        /// Seconds since the load began.
        package let at: Double
        /// What, in a few words.
        package let text: String
        /// What was done; nil for what came of it.
        package var disturbance: Disturbance?
    }

    let fleet: ServerFleet
    private(set) var subjects: [Subject] = []
    private(set) var disturbances: [String: Int] = [:]
    private(set) var skipped: [String: Int] = [:]
    private let history: ServerHistory
    private let start: Instant
    private var nextStep: ProveSchedule.Step?
    private let steps: () -> ProveSchedule.Step?

    /// Starts everything; the load begins at once. `fronts`: made for the ports of the servers. What is done to a balancer
    /// is done to the first. Throws if anything cannot be started.
    init(
        fleet: ServerFleet, fronts: ([UInt16]) throws(ProveError) -> [any Front], history: ServerHistory,
        load: (any Front) throws(ProveError) -> LoadPlan, steps: @escaping () -> ProveSchedule.Step?
    ) throws(ProveError) {
        self.fleet = fleet
        self.history = history
        self.steps = steps
        var started: [any Front] = []
        do throws(ProveError) {
            try fleet.startAll()
            for front in try fronts(fleet.servers.map(\.port)) {
                started.append(front)
                try front.start()
            }
            start = .now()
            for front in started { subjects.append(try Subject(front, Trial.run(try load(front), history))) }
        } catch {
            for front in started { front.end() }
            fleet.endAll()
            throw error
        }
        nextStep = steps()
    }

    private static func run(_ plan: LoadPlan, _ history: ServerHistory) throws(ProveError) -> LoadRun {
        do throws(LoadError) {
            return try LoadRun(plan, history: history)
        } catch {
            throw ProveError("\(error)")
        }
    }

    /// Seconds since the load began.
    var elapsed: Double { Double((Instant.now() - start).nanoseconds) / 1_000_000_000 }

    /// Whether a load goes on.
    var isRunning: Bool { subjects.contains { !$0.run.isOver } }

    /// Does what is due, and returns what has happened. To be called many times a second, by one thread.
    func turn() throws(ProveError) -> [Event] {
        var events: [Event] = []
        while let step = nextStep, step.at <= elapsed, isRunning {
            nextStep = steps()
            guard let outcome = try perform(step.disturbance) else { continue }
            switch outcome {
            case .done(let text): events.append(Event(at: elapsed, text: text, disturbance: step.disturbance))
            case .skipped(let reason): events.append(Event(at: elapsed, text: "left out: \(reason)"))
            }
        }
        let wereStarting = fleet.servers.indices.filter { fleet.servers[$0].state == .starting }
        fleet.refresh()
        events += wereStarting.filter { fleet.servers[$0].state == .running }.map {
            Event(at: elapsed, text: "\(fleet.name($0)) is back")
        }
        for subject in subjects { events += subject.front.poll().map { Event(at: elapsed, text: $0) } }
        if fleet.servers.contains(where: { $0.state != .running }) { history.disturbed(until: .now() + .seconds(1)) }
        return events
    }

    /// Returns what was done in words; nil if there is nothing to tell.
    private func perform(_ disturbance: Disturbance) throws(ProveError) -> FrontOutcome? {
        history.disturbed(until: .now() + .seconds(1))
        let name = disturbance.server.map { fleet.name($0) } ?? ""
        switch disturbance {
        case .kill(let server):
            fleet.kill(server)
            return counted(disturbance, "kill -9 \(name)")
        case .terminate(let server):
            fleet.terminate(server)
            return counted(disturbance, "\(name) is restarted")
        case .start(let server):
            if fleet.servers[server].state == .gone { try fleet.start(server) }
            return nil
        case .stop(let server):
            fleet.stop(server)
            return counted(disturbance, "\(name) stands still (SIGSTOP)")
        case .resume(let server):
            if fleet.servers[server].state == .stopped { fleet.resume(server) }
            return .done("\(name) goes on (SIGCONT)")
        case .drain, .undrain, .reload, .rotateKey, .rotateCertificate, .upgrade:
            return try performOnFront(disturbance, name)
        }
    }

    private func performOnFront(_ disturbance: Disturbance, _ name: String) throws(ProveError) -> FrontOutcome? {
        guard let front = subjects.first?.front else { return nil }
        switch try front.perform(disturbance) {
        case .skipped(let reason):
            guard disturbance.kind != nil else { return nil }
            skipped[reason, default: 0] += 1
            return skipped[reason] == 1 ? .skipped(reason) : nil
        case .done(let text):
            if let server = disturbance.server { fleet.markDraining(server, disturbance.kind == .drain) }
            return counted(disturbance, name.isEmpty ? text : "\(text), \(name)")
        }
    }

    private func counted(_ disturbance: Disturbance, _ text: String) -> FrontOutcome {
        if let kind = disturbance.kind { disturbances[kind.rawValue, default: 0] += 1 }
        return .done(text)
    }

    /// Ends the loads early.
    func stop() { for subject in subjects { subject.run.stop() } }

    /// Has all servers run, waits for the end of the loads and ends everything. Returns the figures of each load, and then
    /// the servers' account of what they have executed.
    func finish() throws(ProveError) -> [RunFigures] {
        for server in fleet.servers.indices where fleet.servers[server].state == .stopped { fleet.resume(server) }
        defer { endAll() }
        var figures: [RunFigures] = []
        for subject in subjects {
            do throws(LoadError) {
                figures.append(try subject.run.finish())
            } catch {
                throw ProveError("\(error)")
            }
        }
        return figures
    }

    func endAll() {
        for subject in subjects { subject.front.end() }
        fleet.endAll()
    }
}
