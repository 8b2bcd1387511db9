import Discovery
import Foundation
import Kernel
import Load
import Proxy
import Telemetry
import TestSupport
import Testing

/// Servers come and go by what a name server says, under load. `BERTH_FLEET="500,200"`: calls a second, and event streams. Without
/// it nothing runs: on a machine that does other things as well, the generator itself falls behind.
@Suite(
    "A fleet that is found", .serialized,
    .enabled(if: ProcessInfo.processInfo.environment["BERTH_FLEET"] != nil, "needs BERTH_FLEET"))
struct FleetTests {
    private static let size: (calls: Double, streams: Int) = {
        let words = (ProcessInfo.processInfo.environment["BERTH_FLEET"] ?? "").split(separator: ",")
        guard words.count == 2, let calls = Double(words[0]), let streams = Int(words[1]) else { return (60, 20) }
        return (calls, streams)
    }()

    /// Calls of sessions at a rate, and event streams of others, each of whose servers must stay the same.
    private final class Traffic {
        let calls: LoadRun
        let streams: LoadRun

        init(_ port: UInt16) throws {
            let (rate, streams) = FleetTests.size
            let target = Target(isSecure: false, host: "127.0.0.1", port: port, path: "/mcp")
            var plan = LoadPlan(target: target, workload: .sessions)
            plan.rate = rate
            plan.connections = max(20, streams)
            plan.sessions = max(20, streams)
            // A session lasts for some seconds.
            plan.callsPerSession = max(5, Int(6 * rate) / max(20, streams))
            plan.seconds = 1_000
            plan.warmUp = 0
            calls = try LoadRun(plan)
            plan = LoadPlan(target: target, workload: .fanin)
            plan.connections = streams
            plan.sessions = streams
            plan.callsPerSession = 30
            plan.eventsPerSecond = 5
            plan.seconds = 1_000
            plan.warmUp = 0
            self.streams = try LoadRun(plan)
        }

        var failures: String {
            let found = [calls.counts, streams.counts]
            return found.map { "\($0.failed) \($0.wrong) \($0.examples.prefix(3))" }.joined(separator: "; ")
        }

        /// No call has failed, and streams have ended only as those do whose server's drain is over: they have no end of their
        /// own, and their clients open them again.
        var isWhole: Bool {
            let (calls, streams) = (calls.counts, streams.counts)
            let ended = streams.failed.filter { "\($0.key)" == "stream ended" }.values.reduce(0, +)
            return calls.failedCount == 0 && calls.wrongCount == 0 && streams.wrongCount == 0
                && streams.failedCount == ended && ended <= Self.mostEnded
        }

        /// A server of three leaves.
        private static var mostEnded: Int { FleetTests.size.streams / 2 }

        func finish() throws -> (calls: RunFigures, streams: RunFigures) {
            calls.stop()
            streams.stop()
            return (try calls.finish(), try streams.finish())
        }
    }

    /// Waits until something is so, while all goes well; and then for the calls of so many seconds.
    private func wait(
        _ what: String, _ rig: FleetRig, _ traffic: Traffic, within seconds: UInt64 = 90, calls: UInt64 = 2,
        until isSo: () -> Bool
    ) throws {
        let deadline = Instant.now() + .seconds(seconds)
        while !isSo() {
            try #require(traffic.isWhole, "\(what): \(traffic.failures)")
            try #require(Instant.now() < deadline, "\(what): \(rig.counts) \(rig.unfinished)")
            _ = traffic.calls.wait(milliseconds: 50)
        }
        let goal = traffic.calls.counts.completed + calls * UInt64(Self.size.calls)
        while traffic.calls.counts.completed < goal {
            try #require(traffic.isWhole && Instant.now() < deadline, "\(what): \(traffic.failures)")
            _ = traffic.calls.wait(milliseconds: 50)
        }
    }

    private func report(_ name: String, _ rig: FleetRig, _ figures: (calls: RunFigures, streams: RunFigures)) {
        let latency = figures.calls.latency
        print(
            "\(name): \(figures.calls.completed) calls in \(Int(figures.calls.seconds)) s, failed \(figures.calls.failedCount), "
                + "wrong \(figures.calls.wrongCount), p50 \(Int(latency.at(50))) µs, p99 \(Int(latency.at(99))) µs, "
                + "slowest \(Int(latency.maximum)) µs; \(figures.streams.completed) events on \(Self.size.streams) streams, "
                + "failed \(figures.streams.failedCount), wrong \(figures.streams.wrongCount); recovered "
                + "\(rig.proxy.metrics.view.load(RecoveryCounter.recovered))")
        for line in rig.record.lines where line.contains("discovery") { print("  \(line)") }
    }

    @Test("3, 10, 2 and 5 servers: no call fails, streams end with their server's drain, and what leaves is forgotten")
    func scale() throws {
        let rig = try FleetRig(3)
        let traffic = try Traffic(rig.front)
        try wait("three", rig, traffic) { rig.counts == (3, 0) }
        try rig.scale(to: 10)
        // Those that are new get a small part of the sessions that begin, for their slow start.
        try wait("ten", rig, traffic, calls: 30) { rig.counts == (10, 0) }
        try rig.scale(to: 2)
        try wait("two, and eight that drain", rig, traffic) { rig.counts.found == 2 }
        try wait("two", rig, traffic, within: 150) { rig.counts == (2, 0) }
        rig.stop(above: 2)
        try rig.scale(to: 5)
        try wait("five", rig, traffic) { rig.counts == (5, 0) }
        let figures = try traffic.finish()
        report("3, 10, 2, 5", rig, figures)
        rig.finish()

        #expect(figures.calls.failed.isEmpty && figures.calls.wrong.isEmpty, "\(figures.calls.examples)")
        #expect(traffic.isWhole && figures.streams.wrong.isEmpty, "\(figures.streams.examples)")
        #expect((1...10).allSatisfy { (figures.calls.replicas["r\($0)"] ?? 0) > 0 }, "\(figures.calls.replicas)")
    }

    @Test("a name server that is silent, slow, empty, wrong, or names 200 servers: no call notices")
    func spoilt() throws {
        let rig = try FleetRig(3)
        let traffic = try Traffic(rig.front)
        func failures() -> Int { rig.proxy.discovery?.statuses[0].counts.failures.values.reduce(0, +) ?? 0 }
        let behaviours: [TestNameServer.Behaviour] = [
            .empty, .truncates, .notFound, .fails, .loses, .delays(.seconds(5)),
            .garbage([0x85, 0x80, 0, 1, 0xff, 0xff, 0, 0, 0, 0]),
        ]
        for behaviour in behaviours {
            let before = failures()
            rig.nameServer.change { $0.behaviour = behaviour }
            try wait("\(behaviour)", rig, traffic) { failures() > before }
            #expect(rig.counts == (3, 0), "\(behaviour)")
            rig.nameServer.change { $0.behaviour = .answers }
            try wait("after \(behaviour)", rig, traffic) { rig.proxy.discovery?.statuses[0].counts.failure == nil }
        }
        try rig.scale(to: 200)
        try wait("two hundred", rig, traffic) { rig.counts.found == 200 }
        try rig.scale(to: 4)
        try wait("four", rig, traffic) { rig.counts == (4, 0) }
        rig.stop(above: 4)
        let figures = try traffic.finish()
        report("spoilt answers", rig, figures)
        rig.finish()

        #expect(figures.calls.failed.isEmpty && figures.calls.wrong.isEmpty, "\(figures.calls.examples)")
        #expect(figures.streams.failed.isEmpty && figures.streams.wrong.isEmpty, "\(figures.streams.examples)")
    }
}
