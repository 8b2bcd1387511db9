import Kernel
import Load
import LoadReport
import TestSupport
import Testing

@testable import Prove

/// Real processes on loopback, for a few seconds.
@Suite("Trials", .serialized, .fewAtATime)
struct ProveRunTests {
    private func perform(_ plan: ProvePlan) throws -> (figures: ProveFigures, printed: String) {
        let berth = try #require(builtExecutable("berth"))
        var printed = ""
        let figures = try withoutActuallyEscaping({ (text: String) in printed += text }) { write in
            var screen = TrialScreen(.lines, write: write)
            let run = ProveRun(plan, programs: Programs(berth: berth), commands: [])
            return try run.perform(on: &screen) {
                var world = try? Linux()
                _ = world?.wait(milliseconds: 10)
                return false
            }
        }
        return (figures, printed)
    }

    private var plan: ProvePlan {
        var plan = ProvePlan()
        plan.seconds = 60
        plan.calls = 250
        plan.rate = 50
        plan.sessions = 12
        plan.pace = 0.3
        plan.only = [.kill]
        return plan
    }

    @Test("servers are killed and started again; every answer is right, and nothing is executed twice")
    func kills() throws {
        let (figures, printed) = try perform(plan)

        let verdict = Verdict(figures)
        #expect(figures.disturbances["kills"] ?? 0 >= 1)
        #expect(figures.load.trial?.calls ?? 0 > 20)
        #expect(verdict.wrong == 0 && verdict.duplicates == 0, "\(figures.load.examples)")
        #expect(verdict.unexplainedCount == 0, "\(verdict.unexplained) \(figures.load.examples)")
        #expect(figures.executions?.calls ?? 0 > 10)
        #expect(printed.contains("kill -9 mcp-"))
    }

    @Test("servers stand still and go on")
    func stops() throws {
        var plan = plan
        plan.only = [.stop]

        let (figures, printed) = try perform(plan)

        #expect(figures.disturbances["stops"] ?? 0 >= 1)
        #expect(figures.load.wrongCount == 0, "\(figures.load.examples)")
        #expect(printed.contains("stands still") && printed.contains("goes on"))
    }

    @Test("a server that cannot be started is why a trial cannot begin")
    func badServer() throws {
        var plan = plan
        plan.command = "echo no such server; exit 3"
        plan.tool = "add"
        #expect(throws: ProveError.self) { try perform(plan) }
    }
}
