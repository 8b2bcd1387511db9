import MCP
import Telemetry
import Testing

@Suite("The number of series is bounded")
struct CardinalityTests {
    private func metrics(_ change: (inout CallMetrics.Limits) -> Void = { _ in }) -> CallMetrics {
        var limits = CallMetrics.Limits()
        change(&limits)
        return Metrics(workers: 1, servers: 16, calls: limits).calls
    }

    @Test("names that clients make up are one series, whatever the server answers")
    func clients() {
        let calls = metrics()
        let recorder = calls.recorder(worker: 0)
        for number in 0..<10_000 {
            recorder.record(.tool("made-up-\(number)", .rpcError, code: -32602))
            recorder.record(.tool("made-up-\(number)", .toolError))
            recorder.record(.tool("made-up-\(number)", .success, status: 202))
        }

        #expect(calls.calls(of: .other, .rpc(-32602)) == 10_000)
        #expect(calls.calls(of: .other, .toolError) == 10_000)
        #expect(calls.calls(of: .other) == 10_000)
        #expect(calls.series().count == 6)
    }

    @Test("a name is told once a call of it succeeded, or its server has listed it")
    func admission() {
        let calls = metrics()
        let recorder = calls.recorder(worker: 0)
        recorder.record(.tool("add", .toolError))
        recorder.record(.tool("add"))
        recorder.record(.tool("add", .toolError))
        calls.allow(tool: CallName("listed"), upstream: 0)
        recorder.record(.tool("listed", .toolError))
        var prompt = CallEvent.tool("add")
        prompt.method = .promptsGet
        prompt.outcome = .rpcError
        prompt.errorCode = -32602
        recorder.record(prompt)

        #expect(calls.calls(of: .other, .toolError) == 1)
        #expect(calls.calls(of: .tool("add")) == 1)
        #expect(calls.calls(of: .tool("add"), .toolError) == 1)
        #expect(calls.calls(of: .tool("listed"), .toolError) == 1)
        #expect(calls.calls(of: .other, .rpc(-32602)) == 1)
    }

    @Test("an upstream has so many names and no more, of tools and of prompts")
    func names() {
        let calls = metrics { $0.names = 3 }
        let recorder = calls.recorder(worker: 0)
        for number in 0..<10 {
            recorder.record(.tool("t\(number)"))
            var event = CallEvent.tool("p\(number)")
            event.method = .promptsGet
            recorder.record(event)
            event = .tool("u\(number)")
            event.upstream = 1
            recorder.record(event)
        }

        let names = Set(calls.series().filter { $0.kind == .operation }.map(\.name))
        #expect(names.count == 10)
        #expect(names.contains(.tool("t2")) && !names.contains(.tool("t3")) && names.contains(.prompt("p2")))
        #expect(calls.calls(of: .other) == 21)
        calls.maximumNames = 4
        recorder.record(.tool("late"))
        #expect(calls.calls(of: .tool("late")) == 1)
    }

    @Test("names that would look alike are not told apart")
    func alike() {
        let calls = metrics()
        let recorder = calls.recorder(worker: 0)
        let long = String(repeating: "x", count: 62)
        recorder.record(.tool(long + "é"))
        recorder.record(.tool(long + "ü"))
        recorder.record(.tool("_OTHER"))

        #expect(calls.calls(of: .tool(long)) == 2)
        #expect(calls.calls(of: .other) == 1)
        #expect(calls.series().filter { $0.kind == .operation }.count == 2)
    }

    @Test("codes are 32 at most, the known ones first")
    func codes() {
        let calls = metrics()
        let recorder = calls.recorder(worker: 0)
        for code in Int32(1)...1_000 { recorder.record(.tool("t", .rpcError, code: code)) }
        recorder.record(.tool("t", .rpcError, code: -32603))
        for status in UInt16(400)...599 { recorder.record(.tool("t", .httpError, status: status)) }

        let failures = Set(calls.series().map(\.failure))
        #expect(failures.contains(.rpc(-32603)) && failures.contains(.rpc(1)) && failures.contains(.other))
        #expect(failures.count <= 64 + 1)
        #expect(calls.series().filter { $0.kind == .operation }.reduce(0) { $0 + $1.histogram.count } == 1_201)
    }

    @Test("tools by server are a product with a limit of its own")
    func legs() {
        let calls = metrics { $0.namedLegs = 10 }
        let recorder = calls.recorder(worker: 0)
        for server in Int32(0)..<8 {
            for tool in 0..<5 {
                var event = CallEvent.tool("t\(tool)")
                event.server = server
                recorder.record(event)
            }
        }

        let legs = calls.series().filter { $0.kind == .leg }
        #expect(legs.filter { $0.name != .other }.count == 10)
        #expect(Set(legs.compactMap(\.server)).count == 8)
        #expect(legs.reduce(0) { $0 + $1.histogram.count } == 40)
        #expect((0..<5).allSatisfy { calls.calls(of: .tool("t\($0)")) == 8 })
    }

    @Test("no call is lost when a worker's table is full")
    func overflow() {
        let calls = metrics { $0.series = 64 }
        let recorder = calls.recorder(worker: 0)
        var count: Int64 = 0
        for method in MCPMethod.allCases {
            for revision in 0..<7 {
                for outcome in [CallEvent.Outcome.success, .timeout, .cancelled] {
                    var event = CallEvent.tool("t", outcome)
                    event.method = method
                    event.revision = revision == 0 ? 0 : 1 << UInt16(revision - 1)
                    recorder.record(event)
                    count += 1
                }
            }
        }

        let series = calls.series()
        #expect(series.count <= 64)
        #expect(series.filter { $0.kind == .operation }.reduce(0) { $0 + $1.histogram.count } == count)
        #expect(series.filter { $0.kind == .leg }.reduce(0) { $0 + $1.histogram.count } == count)
    }

    @Test("whatever an event says is counted somewhere")
    func arbitrary() {
        let calls = metrics()
        var random = SystemRandomNumberGenerator()
        let rounds = 20_000
        for _ in 0..<rounds {
            var event = CallEvent.tool("t\(Int.random(in: 0..<50, using: &random))")
            event.method = MCPMethod.allCases.randomElement(using: &random) ?? .other
            event.outcome = CallEvent.Outcome.allCases.randomElement(using: &random) ?? .success
            event.errorCode = Int32.random(in: .min ... .max, using: &random)
            event.status = UInt16.random(in: 0 ... .max, using: &random)
            event.upstream = UInt16.random(in: 0 ... .max, using: &random)
            event.server = Int32.random(in: .min ... .max, using: &random)
            event.revision = UInt16.random(in: 0 ... .max, using: &random)
            event.reason = UInt8.random(in: 0 ... .max, using: &random)
            event.duration = UInt64.random(in: 0 ... .max, using: &random)
            event.offsets.queued = UInt32.random(in: 0 ... .max, using: &random)
            event.offsets.connected = UInt32.random(in: 0 ... .max, using: &random)
            event.offsets.firstByte = UInt32.random(in: 0 ... .max, using: &random)
            calls.recorder(worker: 0).record(event)
        }

        let operations = calls.series().filter { $0.kind == .operation }
        #expect(operations.reduce(0) { $0 + $1.histogram.count } == Int64(rounds))
        #expect(calls.series().count <= 4_096)
    }
}
