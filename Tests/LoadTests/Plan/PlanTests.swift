import Kernel
import Testing

@testable import Load

@Suite("Load plan")
struct PlanTests {
    @Test(
        "Parses URLs",
        arguments: [
            ("http://127.0.0.1:8080/mcp", Target(isSecure: false, host: "127.0.0.1", port: 8_080, path: "/mcp")),
            ("https://mcp.example.org", Target(isSecure: true, host: "mcp.example.org", port: 443, path: "/mcp")),
            ("HTTP://a/", Target(isSecure: false, host: "a", port: 80, path: "/")),
            ("http://[::1]:81/x?y=1", Target(isSecure: false, host: "::1", port: 81, path: "/x?y=1")),
            ("http://a?y", Target(isSecure: false, host: "a", port: 80, path: "/?y")),
        ])
    func url(_ url: String, _ target: Target) throws {
        #expect(try Target(url: url) == target)
    }

    @Test(
        "Rejects malformed URLs",
        arguments: [
            "", "127.0.0.1:8080", "ftp://a", "http://", "http://:80", "http://a:0", "http://a:99999", "http://a:b",
            "http://::1/", "http://[::1", "http://[::1]x", "http://me@a/", "http://a/#b", "http://a/\r\nX: y",
        ])
    func badURL(_ url: String) {
        #expect(throws: TargetError.self) { try Target(url: url) }
    }

    @Test("Writes a URL as it was parsed", arguments: ["http://[::1]:81/x?y=1", "https://a/mcp", "http://a:443/mcp"])
    func written(_ url: String) throws {
        #expect(try Target(url: url).url == url)
    }

    @Test("Divides connections, sessions and the rate by weight and thread; the parts add up")
    func parts() throws {
        var plan = LoadPlan(
            target: try Target(url: "http://a"), mix: [.init(.sessions, weight: 3), .init(.calls, weight: 1)])
        plan.connections = 100
        plan.sessions = 400
        plan.rate = 1_000
        plan.threads = 3
        let parts = plan.parts.flatMap { $0 }
        func sum(_ workload: Workload, _ value: (Assignment.Part) -> Double) -> Double {
            parts.filter { $0.workload == workload }.map(value).reduce(0, +)
        }
        #expect(sum(.sessions) { Double($0.connections) } == 75)
        #expect(sum(.calls) { Double($0.connections) } == 25)
        #expect(sum(.sessions) { Double($0.sessions) } == 300)
        #expect(abs(sum(.sessions) { $0.rate ?? 0 } - 750) < 0.001)
        #expect(abs(sum(.calls) { $0.rate ?? 0 } - 250) < 0.001)
        #expect(parts.filter { $0.workload == .sessions }.allSatisfy { $0.isShuffled })
    }

    @Test("Leaves out threads without connections; the rates of the others add up")
    func fewConnections() throws {
        var plan = LoadPlan(target: try Target(url: "http://a"), workload: .calls)
        plan.connections = 2
        plan.threads = 5
        plan.rate = 100
        #expect(plan.parts.count == 2)
        #expect(plan.parts.flatMap { $0 }.reduce(0) { $0 + ($1.rate ?? 0) } == 100)
    }

    @Test("Rejects invalid settings")
    func invalidSettings() throws {
        let good = LoadPlan(target: try Target(url: "http://a"), workload: .calls)
        try good.check()
        let changes: [(inout LoadPlan) -> Void] = [
            { $0.mix = [] }, { $0.mix[0].weight = 0 }, { $0.connections = 0 }, { $0.depth = 0 }, { $0.threads = 0 },
            { $0.rate = 0 }, { $0.rate = .nan }, { $0.seconds = 0 }, { $0.warmUp = -1 }, { $0.timeout = 0 },
            { $0.sessions = 0 }, { $0.callsPerSession = 0 }, { $0.bytes = -1 }, { $0.eventsPerSecond = 0 },
            { $0.arguments = "7" }, { $0.arguments = "{" }, { $0.arguments = "{} x" }, { $0.tool = "" },
            { $0.headers = [.init(name: "a b", value: "c")] }, { $0.headers = [.init(name: "a", value: "c\r\nd: e")] },
        ]
        for (index, change) in changes.enumerated() {
            var bad = good
            change(&bad)
            #expect(throws: LoadError.self, "change \(index)") { try bad.check() }
        }
    }
}

@Suite("Open-loop schedule")
struct ScheduleTests {
    private func at(_ milliseconds: UInt64) -> Instant {
        Instant(nanoseconds: 1_000_000_000 + milliseconds * 1_000_000)
    }

    @Test("Calls are due at even intervals, however late they are taken")
    func even() {
        var schedule = Schedule(start: at(0), rate: 100)
        #expect(schedule.take(at: at(0)) == at(0))
        #expect(schedule.take(at: at(9)) == nil)
        #expect(schedule.next == at(10))
        // After a stall all overdue calls are taken at once, each with its due time.
        #expect((1...5).map { _ in schedule.take(at: at(50)) } == [at(10), at(20), at(30), at(40), at(50)])
        #expect(schedule.take(at: at(50)) == nil)
    }

    @Test("Overdue calls are skipped once")
    func skipping() {
        var schedule = Schedule(start: at(0), rate: 100)
        #expect(schedule.skip(overdueBy: .milliseconds(1_000), at: at(1_000)) == 0)
        #expect(schedule.skip(overdueBy: .milliseconds(1_000), at: at(1_100)) == 10)
        #expect(schedule.skip(overdueBy: .milliseconds(1_000), at: at(1_100)) == 0)
        #expect(schedule.take(at: at(1_100)) == at(100))
    }

    @Test("Due times do not drift in a million calls")
    func drift() {
        var schedule = Schedule(start: at(0), rate: 30_000)
        var last = Instant(nanoseconds: 0)
        for _ in 0..<1_000_000 { last = schedule.take(at: .never) ?? last }
        let expected = at(0).nanoseconds + UInt64(999_999.0 / 30_000 * 1_000_000_000)
        #expect(last.nanoseconds.distance(to: expected).magnitude <= 1)
    }
}
