import Kernel
import Telemetry
import Testing

/// Every rule trips and clears, and nothing else does.
@Suite("Alerts")
struct AlertEvaluatorTests {
    /// Takes samples five seconds apart, as the proxy does.
    private struct Watch {
        var evaluator = AlertEvaluator()
        var thresholds = AlertThresholds()
        var now = Instant(nanoseconds: 1_000_000_000_000)
        var changes: [Alert] = []

        /// Takes samples for so many seconds.
        mutating func pass(_ seconds: Int, _ change: (inout AlertSample, Int) -> Void = { _, _ in }) {
            for second in stride(from: 0, to: seconds, by: 5) {
                var sample = AlertSample(at: now)
                change(&sample, second)
                changes += evaluator.evaluate(sample, thresholds)
                now = now + .seconds(5)
            }
        }

        var firing: [AlertRule] { evaluator.list.filter { $0.state == .firing }.map(\.rule) }
        func state(of rule: AlertRule) -> Alert.State? { evaluator.list.first { $0.rule == rule }?.state }
    }

    private func upstream(_ change: (inout AlertSample.Upstream) -> Void) -> AlertSample.Upstream {
        var upstream = AlertSample.Upstream(name: "mcp")
        upstream.servers = 3
        upstream.available = 3
        change(&upstream)
        return upstream
    }

    private func tool(_ calls: Int64, slow: Int64) -> AlertSample.Tool {
        AlertSample.Tool(upstream: "mcp", name: "search", calls: calls, slow: slow)
    }

    @Test("a slow tool: more than a twentieth of its calls takes too long, for a minute")
    func toolSlow() {
        var watch = Watch()
        // Long ago all calls were slow, and nobody is told now.
        watch.pass(30) { sample, _ in sample.tools = [tool(1_000, slow: 1_000)] }
        #expect(watch.evaluator.list.isEmpty)

        // Six of a hundred are slow from here on.
        var calls: Int64 = 1_000
        var slow: Int64 = 1_000
        watch.pass(60) { sample, _ in
            (calls, slow) = (calls + 100, slow + 6)
            sample.tools = [tool(calls, slow: slow)]
        }
        #expect(watch.state(of: .toolSlow) == .pending)
        watch.pass(10) { sample, _ in
            (calls, slow) = (calls + 100, slow + 6)
            sample.tools = [tool(calls, slow: slow)]
        }
        #expect(watch.firing == [.toolSlow])
        #expect(watch.changes.map(\.subject) == ["mcp/search"])
        #expect(watch.evaluator.list[0].message == "6 % of 1400 calls of mcp/search took longer than 5 s")

        // All is fast again: it clears when enough fast calls are within the window, or the slow ones are not.
        watch.pass(300) { sample, _ in
            calls += 100
            sample.tools = [tool(calls, slow: slow)]
        }
        #expect(watch.state(of: .toolSlow) == .resolved)
    }

    @Test("five of a hundred slow calls are not too many: then the 95th percentile is within the limit")
    func toolFast() {
        var watch = Watch()
        watch.pass(600) { sample, second in
            let calls = Int64(second) * 20
            sample.tools = [tool(calls, slow: calls / 20)]
        }
        #expect(watch.changes.isEmpty)
    }

    @Test("a handful of calls says nothing", arguments: [19, 20])
    func fewCalls(_ calls: Int64) {
        var watch = Watch()
        watch.pass(5) { sample, _ in
            sample.tools = [tool(0, slow: 0)]
            sample.upstreams = [upstream { _ in }]
        }
        watch.pass(120) { sample, _ in
            sample.tools = [tool(calls, slow: calls)]
            sample.upstreams = [
                upstream {
                    $0.calls = calls
                    $0.failed = calls
                }
            ]
        }
        #expect(watch.firing == (calls < 20 ? [] : [.toolSlow, .errors]))
    }

    @Test("calls that fail: more than 5 of 100, and it clears within a window")
    func errors() {
        var watch = Watch()
        func pass(_ watch: inout Watch, _ seconds: Int, _ count: inout (Int64, Int64), failing: Int64) {
            var (calls, failed) = count
            watch.pass(seconds) { sample, _ in
                (calls, failed) = (calls + 100, failed + failing)
                sample.upstreams = [
                    upstream {
                        $0.calls = calls
                        $0.failed = failed
                    }
                ]
            }
            count = (calls, failed)
        }
        var count: (Int64, Int64) = (0, 0)
        pass(&watch, 300, &count, failing: 5)
        #expect(watch.evaluator.list.isEmpty)
        pass(&watch, 300, &count, failing: 50)
        #expect(watch.firing == [.errors])
        pass(&watch, 600, &count, failing: 0)
        #expect(watch.state(of: .errors) == .resolved)
        #expect(watch.changes.map(\.state) == [.firing, .resolved])
    }

    @Test("counters that begin anew are no errors")
    func reset() {
        var watch = Watch()
        watch.pass(60) { sample, _ in
            sample.upstreams = [
                upstream {
                    $0.calls = 10_000
                    $0.failed = 9_000
                }
            ]
        }
        watch.pass(300) { sample, _ in sample.upstreams = [upstream { $0.calls = 100 }] }
        #expect(watch.evaluator.list.isEmpty)
    }

    @Test("calls that wait, sample after sample; one that finds none clears it")
    func waiting() {
        var watch = Watch()
        watch.pass(55) { sample, _ in sample.upstreams = [upstream { $0.waiting = 4 }] }
        watch.pass(5) { sample, _ in sample.upstreams = [upstream { _ in }] }
        watch.pass(55) { sample, _ in sample.upstreams = [upstream { $0.waiting = 4 }] }
        #expect(watch.state(of: .waiting) == .pending)
        watch.pass(10) { sample, _ in sample.upstreams = [upstream { $0.waiting = 4 }] }
        #expect(watch.firing == [.waiting])
        watch.pass(5) { sample, _ in sample.upstreams = [upstream { _ in }] }
        #expect(watch.state(of: .waiting) == .resolved)
    }

    @Test("memory and connections near their limits", arguments: [(800, false), (801, true)])
    func usage(_ used: Int64, _ isFiring: Bool) {
        var watch = Watch()
        watch.pass(70) { sample, _ in
            sample.memory = AlertSample.Usage(name: "", used: used, limit: 1_000)
            sample.connections = [
                AlertSample.Usage(name: ":443", used: used, limit: 1_000),
                AlertSample.Usage(name: ":80", used: 0, limit: 1_000),
                AlertSample.Usage(name: ":81", used: 5, limit: 0),
            ]
        }
        #expect(watch.firing == (isFiring ? [.memory, .connections] : []))
        watch.pass(5) { sample, _ in
            sample.memory = AlertSample.Usage(name: "", used: 1, limit: 1_000)
        }
        #expect(watch.firing == [])
    }

    @Test("a certificate that ends soon, or has ended, until there is a new one")
    func certificate() {
        var watch = Watch()
        watch.pass(70) { sample, _ in
            sample.certificates = [
                AlertSample.Certificate(name: "CN=a", secondsLeft: 14 * 86_400 - 1),
                AlertSample.Certificate(name: "CN=b", secondsLeft: 14 * 86_400),
                AlertSample.Certificate(name: "CN=c", secondsLeft: -5),
            ]
        }
        let alerts = watch.evaluator.list
        #expect(alerts.map(\.subject) == ["CN=a", "CN=c"])
        #expect(alerts.map(\.message) == ["certificate CN=a ends in 13 days", "certificate CN=c has ended"])
        #expect(alerts.allSatisfy { $0.state == .firing })
        watch.pass(5) { sample, _ in
            sample.certificates = [AlertSample.Certificate(name: "CN=a", secondsLeft: 90 * 86_400)]
        }
        #expect(watch.firing == [])
    }

    @Test("servers that list different tools, longer than a deployment takes")
    func skew() {
        var watch = Watch()
        watch.pass(300) { sample, _ in sample.upstreams = [upstream { $0.catalogsDiffer = true }] }
        #expect(watch.state(of: .catalogSkew) == .pending)
        watch.pass(10) { sample, _ in sample.upstreams = [upstream { $0.catalogsDiffer = true }] }
        #expect(watch.firing == [.catalogSkew])
    }

    @Test("an upstream without a server, at once, and no longer when one is back")
    func noServer() {
        var watch = Watch()
        watch.pass(20) { sample, _ in sample.upstreams = [upstream { $0.available = 0 }] }
        #expect(watch.firing == [.noServer])
        #expect(
            watch.evaluator.list[0].message
                == "none of 3 servers of upstream mcp is healthy and takes new sessions")
        watch.pass(5) { sample, _ in sample.upstreams = [upstream { $0.available = 1 }] }
        #expect(watch.changes.map(\.state) == [.firing, .resolved])
    }

    @Test("what was resolved is listed for a while, and pending again if it comes back")
    func resolved() {
        var watch = Watch()
        watch.pass(20) { sample, _ in sample.upstreams = [upstream { $0.available = 0 }] }
        watch.pass(60) { sample, _ in sample.upstreams = [upstream { _ in }] }
        #expect(watch.state(of: .noServer) == .resolved)
        watch.pass(10) { sample, _ in sample.upstreams = [upstream { $0.available = 0 }] }
        #expect(watch.state(of: .noServer) == .pending)
        watch.pass(20) { sample, _ in sample.upstreams = [upstream { $0.available = 0 }] }
        #expect(watch.state(of: .noServer) == .firing)
        watch.pass(900) { sample, _ in sample.upstreams = [upstream { _ in }] }
        #expect(watch.state(of: .noServer) == .resolved)
        watch.pass(15) { sample, _ in sample.upstreams = [upstream { _ in }] }
        #expect(watch.evaluator.list.isEmpty)
    }

    @Test("a threshold that is off makes no alert")
    func off() {
        var watch = Watch()
        watch.thresholds.toolP95 = nil
        watch.thresholds.errorRate = nil
        watch.thresholds.waiting = nil
        watch.thresholds.memory = nil
        watch.thresholds.connections = nil
        watch.thresholds.certificate = nil
        watch.pass(600) { sample, second in
            let calls = Int64(second) * 100
            sample.tools = [tool(calls, slow: calls)]
            sample.upstreams = [
                upstream {
                    $0.calls = calls
                    $0.failed = calls
                    $0.waiting = 1
                }
            ]
            sample.memory = AlertSample.Usage(name: "", used: 1, limit: 1)
            sample.connections = [AlertSample.Usage(name: ":80", used: 1, limit: 1)]
            sample.certificates = [AlertSample.Certificate(name: "CN=a", secondsLeft: 0)]
        }
        #expect(watch.evaluator.list.isEmpty)
    }

    @Test("a new limit for tools forgets what was slow by the old one")
    func newLimit() {
        var watch = Watch()
        watch.pass(300) { sample, second in sample.tools = [tool(Int64(second) * 20, slow: 0)] }
        watch.thresholds.toolP95 = .seconds(1)
        watch.pass(60) { sample, _ in sample.tools = [tool(6_000, slow: 6_000)] }
        #expect(watch.evaluator.list.isEmpty)
    }

    @Test("the number of alerts is bounded")
    func bounded() {
        var watch = Watch()
        watch.pass(100) { sample, _ in
            sample.upstreams = (0..<2_000).map {
                var upstream = AlertSample.Upstream(name: "mcp-\($0)")
                upstream.servers = 1
                return upstream
            }
        }
        #expect(watch.evaluator.list.count == 1_000)
    }
}
