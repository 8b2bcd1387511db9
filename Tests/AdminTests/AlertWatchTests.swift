import Foundation
import Kernel
import Proxy
import Synchronization
import Telemetry
import Testing

@testable import Admin

@Suite("/alerts")
struct AlertWatchTests {
    private struct Document: Decodable {
        struct Rule: Decodable {
            var name, severity, state: String
            var forSeconds: Int
        }
        struct Entry: Decodable {
            var name, state, subject, message: String
            var since: Int64
        }
        var evaluatedAt: Int64?
        var rules: [Rule]
        var alerts: [Entry]
    }

    private func document(_ watch: AlertWatch) throws -> Document {
        let body = JSONPage.response(AlertsDocument(watch)).body
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Document.self, from: Data(body.utf8))
    }

    private func watch(
        _ rig: AdminRig, _ change: (inout AlertThresholds) -> Void = { _ in },
        report: @escaping @Sendable (Alert) -> Void = { _ in }
    ) throws -> AlertWatch {
        var thresholds = AlertThresholds()
        thresholds.memory = nil
        change(&thresholds)
        let fixed = thresholds
        return try AlertWatch(rig.proxy, thresholds: { fixed }, report: report)
    }

    @Test("before the first look there are rules and no alerts")
    func nothingYet() throws {
        let found = try document(try watch(try AdminRig()))

        #expect(found.evaluatedAt == nil)
        #expect(found.rules.map(\.name) == AlertRule.allCases.map(\.rawValue))
        #expect(found.rules.allSatisfy { $0.state == "inactive" })
        #expect(found.alerts.isEmpty)
    }

    @Test("calls that fail and calls that are slow light their alerts, and those of others do not")
    func calls() throws {
        let rig = try AdminRig()
        let told = Mutex<[String]>([])
        let watch = try watch(
            rig,
            report: { alert in
                told.withLock { $0.append("\(alert.rule.rawValue) \(alert.state)") }
            })
        let start = Instant.now()
        rig.call("search", times: 100)
        rig.call("echo", times: 100)
        watch.look(at: start)
        rig.call("search", milliseconds: 9_000, times: 30)
        rig.call("echo", milliseconds: 4_999, times: 30)
        rig.call("search", .toolError, times: 5)
        for second in [5, 70] { watch.look(at: start + .seconds(UInt64(second))) }

        let found = try document(watch)
        #expect(
            found.alerts.map { "\($0.name) \($0.state) \($0.subject)" } == [
                "BerthToolSlow firing mcp/search", "BerthErrorRate firing mcp",
            ])
        #expect(found.rules.filter { $0.state == "firing" }.map { $0.name } == ["BerthToolSlow", "BerthErrorRate"])
        #expect(told.withLock { $0 } == ["BerthErrorRate firing", "BerthToolSlow firing"])
        let age = Int64(Date().timeIntervalSince1970 * 1_000) - (found.evaluatedAt ?? 0)
        // The last look was told to be 70 seconds after the first.
        #expect(abs(age + 70_000) < 10_000)
        let shown = DashboardDocument.Alert.all(watch)
        #expect(shown.filter { $0.state == "firing" }.count == 2)
        #expect(
            shown.map { $0.since } == DashboardDocument.Alert.all(watch).map { $0.since },
            "the same instant is the same time")
    }

    @Test("a cancelled call is no failure")
    func cancelled() throws {
        let rig = try AdminRig()
        let watch = try watch(rig)
        let start = Instant.now()
        rig.call("search", times: 1)
        watch.look(at: start)
        rig.call("search", .cancelled, times: 50)
        for second in [5, 70] { watch.look(at: start + .seconds(UInt64(second))) }

        #expect(watch.alerts.isEmpty)
    }

    @Test("servers that are all down, and that list different tools")
    func servers() throws {
        let rig = try AdminRig()
        let watch = try watch(rig)
        let start = Instant.now()
        let slots = rig.proxy.snapshot.servers.map { Int($0.id.slot) }
        for (number, slot) in slots.enumerated() {
            rig.proxy.metrics.view.store(.catalog, server: slot, Int64(number + 1))
        }
        watch.look(at: start)
        #expect(watch.alerts.map(\.rule) == [.catalogSkew])
    }

    @Test("the number of slow calls is exact where the limit is a bound")
    func slow() throws {
        let rig = try AdminRig()
        for milliseconds in [1, 4_999, 5_000, 5_001, 9_000, 400_000] as [UInt64] {
            rig.call("search", milliseconds: milliseconds)
        }
        let sample = AlertSampler(proxy: rig.proxy).sample(at: .now(), slowerThan: .seconds(5))

        #expect(sample.tools.map(\.calls) == [6])
        #expect(sample.tools.map(\.slow) == [3])
        #expect(sample.upstreams.map(\.calls) == [6])
        #expect((sample.memory?.used ?? 0) > 1 << 20)
        #expect((sample.memory?.limit ?? 0) > (sample.memory?.used ?? 0))
    }

    @Test("the page is there where something watches, and is none where nothing does")
    func page() throws {
        #expect(try AdminRig().pages.page("/alerts").status == 404)
    }
}
