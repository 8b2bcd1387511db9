import Kernel
import Synchronization
import Testing

@testable import Telemetry

@Suite("Spans go to a collector")
struct TraceExporterTests {
    private static let resource = TraceResource(version: "1", host: "h", process: 1)
    private static let accepted = CollectorStub.Behaviour.answer("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    private func limits(_ change: (inout TraceExporter.Limits) -> Void = { _ in }) -> TraceExporter.Limits {
        var limits = TraceExporter.Limits()
        limits.interval = .milliseconds(20)
        limits.retryPause = .milliseconds(10)
        change(&limits)
        return limits
    }

    private func exporter(
        to port: UInt16, _ limits: TraceExporter.Limits, report: @escaping @Sendable (String) -> Void = { _ in }
    ) throws -> TraceExporter {
        try TraceExporter(
            to: CollectorAddress(host: "127.0.0.1", port: port, path: ""), as: Self.resource, limits: limits,
            report: report)
    }

    private func record(_ count: Int, in exporter: TraceExporter) {
        for _ in 0..<count { exporter.receive(RecordedCalls.toolCall(), RecordedCalls.names) }
    }

    private func spans(_ requests: [[UInt8]]) -> Int {
        requests.reduce(0) { sum, bytes in
            sum + (ProtobufReader(bytes)?.messages(1).first?.messages(2).first?.messages(2).count ?? 0)
        }
    }

    @Test("calls are sent when the interval is over, those that are not recorded never")
    func interval() async throws {
        let collector = try CollectorStub([Self.accepted])
        defer { collector.stop() }
        let exporter = try exporter(to: collector.port, limits())
        record(3, in: exporter)
        var unrecorded = RecordedCalls.toolCall()
        unrecorded.trace.span = 0
        exporter.receive(unrecorded, RecordedCalls.names)

        try await eventually { exporter.counts.exported == 6 }
        exporter.finish()
        #expect(spans(collector.requests) == 6)
        let head = try #require(collector.requestHeads.first)
        #expect(head.hasPrefix("POST /v1/traces HTTP/1.1\r\nhost: 127.0.0.1:\(collector.port)\r\n"))
        #expect(head.contains("content-type: application/x-protobuf"))
    }

    @Test("a full batch does not wait for the interval")
    func batch() async throws {
        let collector = try CollectorStub([Self.accepted])
        defer { collector.stop() }
        let exporter = try exporter(
            to: collector.port,
            limits {
                $0.interval = .seconds(3_600)
                $0.batch = 4
            })
        record(10, in: exporter)

        try await eventually { exporter.counts.exported == 16 }
        exporter.finish()
        #expect(collector.requests.map { spans([$0]) } == [8, 8, 4])
        #expect(exporter.counts == TraceExporter.Counts(exported: 20))
    }

    @Test("an overloaded collector is asked once more")
    func retry() async throws {
        let busy = CollectorStub.Behaviour.answer("HTTP/1.1 503 Busy\r\nretry-after: 0\r\n\r\n")
        let collector = try CollectorStub([busy, Self.accepted])
        defer { collector.stop() }
        let exporter = try exporter(to: collector.port, limits())
        record(1, in: exporter)

        try await eventually { exporter.counts.exported == 2 }
        exporter.finish()
        #expect(collector.requests.count == 2)
        #expect(collector.requests[0] == collector.requests[1])
        #expect(exporter.counts == TraceExporter.Counts(exported: 2, failures: 1))
    }

    @Test("what a collector refuses twice, or for good, is dropped and counted, and said once")
    func refused() async throws {
        let broken = CollectorStub.Behaviour.answer("HTTP/1.1 400 Bad\r\n\r\n")
        let busy = CollectorStub.Behaviour.answer("HTTP/1.1 503 Busy\r\n\r\n")
        let collector = try CollectorStub([broken, busy, busy, Self.accepted])
        defer { collector.stop() }
        let lines = Mutex<[String]>([])
        let exporter = try exporter(to: collector.port, limits()) { line in lines.withLock { $0.append(line) } }
        for dropped in 1...2 {
            record(1, in: exporter)
            try await eventually { exporter.counts.dropped == dropped }
        }
        record(1, in: exporter)
        try await eventually { exporter.counts.exported == 2 }
        exporter.finish()

        #expect(exporter.counts == TraceExporter.Counts(exported: 2, dropped: 2, failures: 3))
        let address = "127.0.0.1:\(collector.port)"
        #expect(
            lines.withLock { $0 } == [
                "traces are not delivered to \(address): it answers 400", "traces are delivered again to \(address)",
            ])
    }

    @Test("a collector that is away costs calls, and nobody's time")
    func away() async throws {
        let collector = try CollectorStub([Self.accepted])
        let port = collector.port
        collector.stop()
        let exporter = try exporter(to: port, limits { $0.queue = 8 })
        record(10_000, in: exporter)

        try await eventually { exporter.counts.failures >= 2 }
        exporter.finish()
        #expect(exporter.counts.exported == 0)
        #expect(exporter.counts.dropped == 10_000)
    }

    @Test("a collector that hangs does not keep the process from ending")
    func hanging() async throws {
        let collector = try CollectorStub([.hang])
        defer { collector.stop() }
        let exporter = try exporter(to: collector.port, limits { $0.batch = 1 })
        record(2, in: exporter)
        // The collector never answers: this returns because it does not wait for that.
        exporter.finish()

        try await eventually { exporter.counts.dropped == 2 }
    }

    @Test("what waits when the process ends is sent")
    func finish() throws {
        let collector = try CollectorStub([Self.accepted])
        defer { collector.stop() }
        let exporter = try exporter(to: collector.port, limits { $0.interval = .seconds(3_600) })
        record(5, in: exporter)
        exporter.finish()

        #expect(spans(collector.requests) == 10)
    }
}

/// Waits until a condition holds, for a minute at most.
func eventually(sourceLocation: SourceLocation = #_sourceLocation, _ condition: () -> Bool) async throws {
    let deadline = Instant.now() + .seconds(60)
    while !condition() {
        guard Instant.now() < deadline else {
            Issue.record("it did not happen in time", sourceLocation: sourceLocation)
            return
        }
        try await Task.sleep(for: .milliseconds(5))
    }
}
