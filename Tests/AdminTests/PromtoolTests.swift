import Foundation
import Proxy
import Telemetry
import TestSupport
import Testing

@Suite("Prometheus' own check of the page")
struct PromtoolTests {
    @Test("promtool check metrics has nothing to say", arguments: [nil, "text/plain"] as [String?])
    func check(_ accept: String?) async throws {
        let rig = try AdminRig(servers: 3)
        rig.call("add", times: 3)
        rig.call("a \"quoted\"\\ name é", server: 2)
        rig.call("add", .toolError)
        rig.call("add", .rpcError, code: -32603, server: 1)
        rig.proxy.metrics.calls.recorder(worker: 0).recordSession(nanoseconds: 5, upstream: 0, revision: 8)

        let (status, said) = try promtool(await rig.metrics(accept: accept))

        #expect(status == 0, "\(said)")
        #expect(said.isEmpty)
    }

    @Test("the check can fail")
    func negativeControl() throws {
        #expect(try promtool("# TYPE calls counter\ncalls 1\n").status != 0)
        #expect(try promtool("berth_up{ 1\n").status != 0)
    }

    private func promtool(_ page: String) throws -> (status: Int32, said: String) {
        let process = TestProcess()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["promtool", "check", "metrics"]
        let said = try process.runToEnd(reading: .both, input: Data(page.utf8))
        return (process.terminationStatus, String(decoding: said, as: UTF8.self))
    }
}
