import ArgumentParser
import FoundationEssentials
import Glibc
import Kernel
import LoadReport
import Prove

/// `berth demo`
struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "See it in a minute: servers are killed, Berth is reloaded and upgraded, and no session notices.",
        discussion: """
            Three sample servers, Berth in front of them, and beside it a balancer that does not know sessions, all as processes \
            on loopback ports that the kernel chooses. MCP clients call both and check every answer. Ctrl-C ends it; nothing \
            is left behind.
            """)

    @Option(help: "Its length in seconds, at least 1.")
    var seconds = 50

    @Option(help: "Concurrent MCP sessions on each balancer, 4 to 1000.")
    var sessions = 12

    func validate() throws {
        if let problem = Self.problem(sessions: sessions, seconds: seconds) { throw ValidationError(problem) }
    }

    /// Why the demo cannot run with these numbers; nil if it can.
    static func problem(sessions: Int, seconds: Int) -> String? {
        guard 4...1_000 ~= sessions else { return "--sessions must be 4 to 1000" }
        return 1...86_400 ~= seconds ? nil : "--seconds must be 1 to 86400"
    }

    func run() throws {
        // An upgraded Berth outlives the process that started it, and is to end with this one.
        Kinship.adoptOrphans()
        let signals = try Signals([SIGTERM, SIGINT])
        var screen = TrialScreen(
            .forOutput(descriptor: 1, isQuiet: false, environment: ProcessInfo.processInfo.environment)
        ) { text in
            // A reader that has gone, as `head` does, is no reason to end.
            try? StandardStream.output.write(text)
        }
        let demo = DemoRun(
            seconds: Double(seconds), sessions: sessions, programs: Programs(berth: Berth.executable),
            commands: Berth.commands)
        do throws(ProveError) {
            let outcome = try demo.perform(on: &screen) { signals.wait(milliseconds: 20) != nil }
            screen.finish(DemoSummary.text(outcome, style: screen.style))
        } catch {
            StandardStream.error.say("berth demo: \(error)")
            throw ExitCode.failure
        }
    }
}
