import Kernel
import Load
import Testing

@Suite("Preflight", .serialized)
struct PreflightTests {
    private func plan(_ server: FaultyServer, _ workload: Workload) -> LoadPlan {
        var plan = LoadPlan(
            target: Target(isSecure: false, host: "127.0.0.1", port: server.address.port, path: "/mcp"),
            workload: workload)
        plan.connections = 3
        plan.seconds = 20
        plan.warmUp = 0
        plan.calls = 60
        plan.timeout = 2
        return plan
    }

    private func refusal(_ server: FaultyServer, _ workload: Workload, tool: String = "whoami") -> String {
        var plan = plan(server, workload)
        plan.tool = tool
        do throws(LoadError) {
            _ = try plan.preflight()
            return ""
        } catch {
            return error.description
        }
    }

    @Test(
        "It lists the server's tools and leaves a plan as it is that the server can take",
        arguments: [Workload.sessions, .calls, .churn, .bodies])
    func lists(_ workload: Workload) throws {
        let server = try FaultyServer(.none)
        defer { server.stop() }
        let plan = plan(server, workload)
        let (taken, preflight) = try plan.preflight()
        #expect(taken == plan)
        #expect(preflight?.tools == ["whoami", "echo", "bytes"])
        #expect(preflight?.revision == (workload == .sessions ? "2025-06-18" : "2026-07-28"))
    }

    @Test("Calls to a server that has sessions only are made in sessions")
    func findsRevision() throws {
        let server = try FaultyServer(.sessionsOnly)
        defer { server.stop() }
        let (plan, preflight) = try plan(server, .calls).preflight()
        #expect(preflight?.revision == "2025-06-18")
        let figures = try LoadRun(plan).finish()
        #expect(figures.completed >= 60)
        #expect(figures.wrong == [:], "\(figures.examples)")
        #expect(figures.failed == [:], "\(figures.examples)")
    }

    @Test("A workload that needs a server without sessions does not begin at one that has sessions only")
    func needsRevision() throws {
        let server = try FaultyServer(.sessionsOnly)
        defer { server.stop() }
        let words = refusal(server, .churn)
        #expect(words.contains("2026-07-28") && words.contains("Missing session ID"), "\(words)")
    }

    @Test("A run does not begin if the server has not the tool, and the message names those that it has")
    func unknownTool() throws {
        let server = try FaultyServer(.none, tools: ["add", "greet"])
        defer { server.stop() }
        for workload in [Workload.sessions, .calls] {
            let words = refusal(server, workload)
            #expect(words.contains("no tool \"whoami\"") && words.contains("add, greet"), "\(words)")
        }
        #expect(refusal(server, .calls, tool: "add").isEmpty)
        #expect(refusal(server, .bodies).contains("no tool \"bytes\""))
    }

    @Test("A server that refuses everything is quoted")
    func refuses() throws {
        let server = try FaultyServer(.misdirects)
        defer { server.stop() }
        for workload in [Workload.sessions, .calls, .legacy] {
            let words = refusal(server, workload)
            #expect(words.contains("HTTP 421: Invalid Host header"), "\(words)")
        }
    }

    @Test("Streams call no tools, so nothing is asked")
    func streams() throws {
        let server = try FaultyServer(.misdirects)
        defer { server.stop() }
        #expect(try plan(server, .fanin).preflight().preflight == nil)
        #expect(server.faultCount == 0)
    }

    @Test("Tools are shown in a line, and no more than twenty")
    func text() {
        let few = Preflight(revision: "2025-11-25", server: "demo 1.2", tools: ["add"], hasMore: false)
        #expect(few.text == "demo 1.2, revision 2025-11-25, tool: add")
        let none = Preflight(revision: "2026-07-28", server: "", tools: [], hasMore: false)
        #expect(none.text == "revision 2026-07-28, no tools")
        let many = Preflight(
            revision: "2026-07-28", server: "", tools: (1...30).map { "t\($0)" }, hasMore: false)
        #expect(many.text.hasSuffix("t19, t20, and more"))
    }
}
