import Kernel
import MCP
import Telemetry
import Testing

@Suite("Recent calls")
struct RecentCallsTests {
    private static let start = Instant(nanoseconds: 1_000_000_000_000)

    private func event(
        _ name: String = "search", session: UInt64 = 1, server: Int32 = 0, milliseconds: UInt64 = 10,
        outcome: CallEvent.Outcome = .success
    ) -> CallEvent {
        var event = CallEvent()
        event.startedAt = 1_700_000_010_000_000_000
        event.duration = milliseconds * 1_000_000
        event.session = session
        event.server = server
        event.upstream = 0
        event.method = .toolsCall
        event.outcome = outcome
        event.name = CallName(Array(name.utf8).span)
        return event
    }

    @Test("percentiles are off by an eighth at most, from a microsecond to nine minutes")
    func percentiles() {
        for nanoseconds in [1_000, 90_000, 5_000_000, 123_000_000, 4_999_999_999, 400_000_000_000] as [UInt64] {
            var counts = DurationCounts()
            for _ in 0..<100 { counts.add(nanoseconds) }

            for share in [0.5, 0.95, 0.99] {
                let found = Double(counts.percentile(share) ?? 0)
                #expect(
                    abs(found - Double(nanoseconds)) <= max(16_384, Double(nanoseconds) / 4), "\(nanoseconds) \(share)")
            }
        }
        #expect(DurationCounts().percentile(0.5) == nil)
    }

    @Test("the 95th percentile of a hundred different times is the 95th of them")
    func order() {
        var counts = DurationCounts()
        for step in 1...100 { counts.add(UInt64(step) * 10_000_000) }

        let found = Double(counts.percentile(0.95) ?? 0) / 10_000_000
        #expect(abs(found - 95) < 12)
    }

    @Test("a duration of any size is counted")
    func extremes() {
        var counts = DurationCounts()
        counts.add(0)
        counts.add(.max)

        #expect(counts.total == 2)
        #expect(counts.percentile(1) != nil)
    }

    @Test("calls are seen for five minutes, half a minute longer at most")
    func window() throws {
        let calls = RecentCalls()
        calls.advance(to: Self.start)
        calls.add(event())
        for second in 1...200 as ClosedRange<UInt64> { calls.flush(at: Self.start + .seconds(second)) }
        calls.add(event(outcome: .toolError))

        func lately(_ second: UInt64) throws -> CallTotals {
            try #require(calls.servers(at: Self.start + .seconds(second))[0]).lately
        }
        #expect(try lately(299).calls == 2)
        #expect(try lately(299).failed == 1)
        #expect(try lately(299).toolErrors == 1)
        #expect(try lately(335).calls == 1)
        #expect(calls.tools(at: Self.start + .seconds(335)).map(\.lately.calls) == [1])
        #expect(try lately(540).calls == 0)
        #expect(calls.tools(at: Self.start + .seconds(540)).isEmpty)
    }

    @Test("after an hour without a look, calls of before are over")
    func longPause() throws {
        let calls = RecentCalls()
        calls.advance(to: Self.start)
        calls.add(event())

        #expect(calls.tools(at: Self.start + .seconds(3_600)).isEmpty)
        calls.add(event())
        #expect(calls.tools(at: Self.start + .seconds(3_610)).map(\.lately.calls) == [1])
    }

    @Test("what came since the last look is told once")
    func looks() {
        let calls = RecentCalls()
        calls.add(event(server: 3))

        #expect(calls.servers(at: Self.start)[3]?.sinceLooked.calls == 1)
        #expect(calls.servers(at: Self.start)[3]?.sinceLooked.calls == 0)
        #expect(calls.servers(at: Self.start)[3]?.lately.calls == 1)
        #expect(calls.servers(at: Self.start)[2] == nil)
        calls.add(event(server: -1, outcome: .rejected))
        #expect(calls.servers(at: Self.start)[-1]?.sinceLooked.failed == 1)
    }

    @Test("a failed call and a slow one are kept, newest first, and 64 of each at most")
    func histories() {
        let calls = RecentCalls(slowFrom: .seconds(1))
        for index in 0..<100 {
            calls.add(event("failed-\(index)", outcome: .rpcError))
            calls.add(event("slow-\(index)", milliseconds: 1_500))
            calls.add(event("cancelled-\(index)", outcome: .cancelled))
        }

        #expect(calls.failed.map(\.name.text) == (36..<100).reversed().map { "failed-\($0)" })
        #expect(calls.slow.map(\.name.text) == (36..<100).reversed().map { "slow-\($0)" })
    }

    @Test("a session has its last twenty calls, its failures and its server")
    func journey() {
        let calls = RecentCalls()
        for index in 0..<30 {
            var made = event("tool-\(index)", session: 7, server: 2, outcome: index == 29 ? .toolError : .success)
            if index == 3 { made.flags = .recovered }
            calls.add(made)
        }
        calls.add(event("other", session: 8))

        let session = calls.session(7)
        #expect(session?.history.map(\.name.text) == (10..<30).reversed().map { "tool-\($0)" })
        #expect(session?.calls == 30)
        #expect(session?.failed == 1)
        #expect(session?.recoveries == 1)
        #expect(session?.server == 2)
        #expect(calls.sessions(limit: 10).map(\.id) == [8, 7])
        #expect(calls.sessions(limit: 10).first?.history.first?.name.text == "other")
        #expect(calls.session(9) == nil)
    }

    @Test("a new session takes the place of the one that was not used for longest")
    func sessionLimit() {
        let calls = RecentCalls()
        let limit = UInt64(RecentCalls.sessionLimit)
        for session in 1...limit { calls.add(event("first", session: session)) }
        calls.add(event("again", session: 1))
        for session in limit + 1...limit + 5 { calls.add(event("late", session: session)) }

        #expect(calls.session(1)?.calls == 2)
        #expect((2...6).allSatisfy { calls.session($0) == nil })
        #expect(calls.session(7)?.calls == 1)
        #expect(calls.session(limit + 5)?.history.map(\.name.text) == ["late"])
        #expect(calls.sessions(limit: .max).count == Int(limit))
    }

    @Test("sessions stay in the order of their use, whatever the order of calls", arguments: [1, 2, 3] as [UInt64])
    func sessionOrder(seed: UInt64) {
        var random = seed
        let calls = RecentCalls()
        var expected: [UInt64] = []
        for _ in 0..<5_000 {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let session = (random >> 33) % 800 + 1
            calls.add(event(session: session))
            expected.removeAll { $0 == session }
            expected.insert(session, at: 0)
            if expected.count > RecentCalls.sessionLimit { expected.removeLast() }
        }

        #expect(calls.sessions(limit: .max).map(\.id) == expected)
        #expect(expected.allSatisfy { calls.session($0)?.id == $0 })
    }

    @Test("equal names of two upstreams are two tools, and 63 bytes of a name tell tools apart")
    func toolNames() {
        let calls = RecentCalls()
        var other = event("search")
        other.upstream = 1
        let long = String(repeating: "x", count: 62)
        for made in [event("search"), other, event(long + "a"), event(long + "b"), event("searc")] {
            calls.add(made)
            calls.add(made)
        }

        let tools = calls.tools(at: Self.start)
        #expect(tools.map(\.name.text).sorted() == ["searc", "search", "search", long + "a", long + "b"])
        #expect(tools.allSatisfy { $0.lately.calls == 2 })
    }

    @Test("names that callers make up do not become tools")
    func madeUpTools() {
        let calls = RecentCalls()
        calls.add(event("real"))
        calls.add(event("real", outcome: .timeout))
        for index in 0..<10_000 { calls.add(event("made-up-\(index)", outcome: .rpcError)) }

        let tools = calls.tools(at: Self.start)
        #expect(tools.map(\.name.text) == ["real"])
        #expect(tools.first?.lately.calls == 2)
        #expect(tools.first?.lately.failed == 1)
    }

    @Test("1,024 tools at most are told apart, and one that is not called any more makes place for another")
    func toolLimit() {
        let calls = RecentCalls()
        for index in 0..<3_000 { calls.add(event("tool-\(index)")) }
        #expect(calls.tools(at: Self.start).count == 1_024)

        for second in 1...400 as ClosedRange<UInt64> { calls.flush(at: Self.start + .seconds(second)) }
        calls.add(event("later"))
        #expect(calls.tools(at: Self.start + .seconds(401)).map(\.name.text) == ["later"])
    }

    @Test("a listening stream is no call")
    func listening() {
        let calls = RecentCalls()
        var stream = event(milliseconds: 90_000)
        stream.flags = .listening
        calls.add(stream)

        #expect(calls.servers(at: Self.start)[0] == nil)
        #expect(calls.slow.isEmpty)
    }
}
