import MCP
import Telemetry
import Testing

@Suite("Metrics of calls")
struct CallMetricsTests {
    @Test("workers count in series of their own, which readers add up")
    func sums() throws {
        let calls = Metrics(workers: 3, servers: 16).calls
        for worker in 0..<3 {
            for _ in 0...worker { calls.recorder(worker: worker).record(.tool("add")) }
        }

        let series = calls.series()

        #expect(series.count == 2)
        let operation = try #require(series.first { $0.kind == .operation })
        #expect(operation.upstream == 0 && operation.server == nil && operation.method == .toolsCall)
        #expect(operation.name == .tool("add") && operation.failure == .none)
        #expect(operation.revision.names == ["2025-11-25"])
        #expect(operation.histogram.count == 6 && operation.histogram.nanoseconds == 18_000_000)
        let leg = try #require(series.first { $0.kind == .leg })
        #expect(leg.server == 2 && leg.name == .tool("add"))
        #expect(leg.histogram.count == 6 && leg.histogram.nanoseconds == 12_000_000)
    }

    @Test(
        "what went wrong is told apart",
        arguments: [
            (CallEvent.tool("t", .toolError), CallSeries.Failure.toolError), (.tool("t", .timeout), .timeout),
            (.tool("t", .cancelled), .cancelled), (.tool("t", .aborted), .aborted),
            (.tool("t", .rpcError, code: -32602), .rpc(-32602)), (.tool("t", .rpcError, code: 17), .rpc(17)),
            (.tool("t", .rpcError), .other), (.tool("t", .httpError, status: 429), .status(429)),
            (.tool("t", .httpError, status: 418), .status(418)),
        ])
    func failures(_ event: CallEvent, _ expected: CallSeries.Failure) {
        let calls = Metrics(workers: 1, servers: 16).calls
        calls.allow(tool: CallName("t"), upstream: 0)

        calls.recorder(worker: 0).record(event)

        #expect(calls.calls(of: .tool("t"), expected) == 1)
        #expect(calls.series().count == 2)
    }

    @Test("a stream that a client listens on is no call")
    func listening() {
        let calls = Metrics(workers: 1, servers: 16).calls
        var event = CallEvent.tool("t")
        event.flags.insert(.listening)

        calls.recorder(worker: 0).record(event)

        #expect(calls.series().isEmpty)
    }

    @Test("a call that never had a connection has no leg, and waited in vain")
    func queued() throws {
        let calls = Metrics(workers: 1, servers: 16).calls
        var event = CallEvent.tool("t", .rejected, status: 503)
        event.reason = 3
        event.offsets = CallEvent.Offsets()
        event.offsets.queued = 500
        event.duration = 10_000_000

        calls.recorder(worker: 0).record(event)

        #expect(calls.series().map(\.kind) == [.operation])
        let queue = try #require(calls.phase(.queue, upstream: 0))
        #expect(queue.count == 1 && queue.nanoseconds == 9_500_000)
        #expect(calls.phase(.connect, upstream: 0)?.count == 0)
        #expect(calls.phase(.firstByte, upstream: 0)?.count == 0)
    }

    @Test("phases are counted from one to the next, whatever the offsets say")
    func phases() throws {
        let calls = Metrics(workers: 1, servers: 16).calls
        calls.recorder(worker: 0).record(.tool("t"))
        var event = CallEvent.tool("t")
        event.offsets.queued = 900
        event.offsets.firstByte = 10
        calls.recorder(worker: 0).record(event)
        event.offsets.queued = 5_000
        calls.recorder(worker: 0).record(event)

        #expect(calls.phase(.connect, upstream: 0)?.nanoseconds == 1_000_000)
        #expect(calls.phase(.queue, upstream: 0)?.nanoseconds == 100_000)
        #expect(calls.phase(.queue, upstream: 0)?.count == 2)
        #expect(calls.phase(.firstByte, upstream: 0)?.nanoseconds == 1_500_000)
        #expect(calls.phase(.firstByte, upstream: 0)?.count == 1)
    }

    @Test("sessions have a series by revision, with longer buckets")
    func sessions() throws {
        let calls = Metrics(workers: 1, servers: 16).calls
        calls.recorder(worker: 0).recordSession(nanoseconds: 90_000_000_000, upstream: 1, revision: 1 << 2)
        calls.recorder(worker: 0).recordSession(
            nanoseconds: 7_200_000_000_000, upstream: 1, revision: 1 << 2, isLost: true)

        let series = calls.series().filter { $0.kind == .session }

        #expect(Set(series.map(\.failure)) == [.none, .aborted])
        #expect(series.allSatisfy { $0.upstream == 1 && $0.revision.names == ["2025-06-18"] })
        #expect(series.first { $0.failure == .aborted }?.histogram.bounds.contains(7_200) == true)
        #expect(try #require(series.first { $0.failure == .none }).histogram.quantile(1) == 120)
    }

    @Test("the last tools/list response of a server is what its tools take")
    func toolLists() {
        let metrics = Metrics(workers: 1, servers: 16)
        var event = CallEvent.tool("")
        event.method = .toolsList
        event.responseBytes = 4_321
        metrics.calls.recorder(worker: 0).record(event)
        event.outcome = .rpcError
        event.responseBytes = 99
        metrics.calls.recorder(worker: 0).record(event)

        #expect(metrics.calls.toolListBytes(server: 2) == 4_321)
        #expect(metrics.calls.toolListBytes(server: 3) == nil)
        metrics.reset(server: 2)
        #expect(metrics.calls.toolListBytes(server: 2) == nil)
    }

    @Test("a slot that gets another server or upstream begins at zero, and what is left goes on")
    func reset() {
        let metrics = Metrics(workers: 2, servers: 16)
        var other = CallEvent.tool("b")
        other.upstream = 1
        other.server = 3
        for worker in 0..<2 {
            metrics.calls.recorder(worker: worker).record(.tool("a"))
            metrics.calls.recorder(worker: worker).record(other)
        }

        metrics.reset(server: 2)
        #expect(metrics.calls.series().filter { $0.kind == .leg }.map(\.server) == [3])
        #expect(metrics.calls.calls(of: .tool("a")) == 2)

        metrics.calls.reset(upstream: 0)
        #expect(metrics.calls.calls(of: .tool("a")) == 0)
        #expect(metrics.calls.phase(.firstByte, upstream: 0)?.count == 0)
        #expect(metrics.calls.phase(.firstByte, upstream: 1)?.count == 2)
        metrics.calls.recorder(worker: 0).record(.tool("a", .toolError))
        metrics.calls.recorder(worker: 0).record(other)
        #expect(metrics.calls.calls(of: .other, .toolError) == 1)
        #expect(metrics.calls.calls(of: .tool("b")) == 3)
    }

    @Test("a reader beside a worker sees every call once in the end, and never fewer than before")
    func concurrent() async {
        let calls = Metrics(workers: 1, servers: 16).calls
        let rounds: Int64 = 20_000
        async let counting: Void = Task.detached {
            let recorder = calls.recorder(worker: 0)
            for round in 0..<rounds { recorder.record(.tool("tool \(round % 100)")) }
        }.value

        var before: Int64 = 0
        var seen: Int64 = 0
        while seen < rounds {
            seen = calls.series().filter { $0.kind == .operation }.reduce(0) { $0 + $1.histogram.count }
            #expect(seen >= before)
            before = seen
        }
        await counting

        #expect(seen == rounds)
        #expect(calls.calls(of: .tool("tool 7")) == rounds / 100)
    }
}
