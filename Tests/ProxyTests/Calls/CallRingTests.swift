import Configuration
import Kernel
import MCP
import Simulation
import TestSupport
import Testing

@testable import Proxy
@testable import Telemetry

/// What is handed to those who log calls.
@Suite("Calls for logs")
struct CallRingTests {
    @Test("the end of a stream behind a trusted proxy reads no head of another request")
    func streamBehindProxy() throws {
        let calls = try CallFeed(workers: 1)
        let stage = ProxyStage(seed: 1)
        stage.ring = calls.ring(ofWorker: 0)
        stage.ring.turn(on: true)
        stage.plan.affinity = .off
        stage.listener.trusted = [
            AddressRange(high: 0, low: 0xffff_7f00_0000, prefix: 8, isIPv4: true, description: "127.0.0.0/8")
        ]
        _ = ScriptedServer(stage) { message in
            message.method == "GET" ? .stream(": hello\n\n") : .reply(#"{"id":1,"result":{}}"#)
        }
        let (listener, caller) = (stage.connect(), stage.connect())
        listener.ask(.openStream())
        stage.run(for: .seconds(1))
        // The head that is parsed last has the field far behind what is there afterwards.
        let padding = String(repeating: "x", count: 2_000)
        caller.ask(.post(.call(1), extra: "X-Padding: \(padding)\r\nX-Forwarded-For: 203.0.113.9\r\n"))
        stage.run { caller.responses.count == 1 }
        listener.leave()
        stage.run(for: .seconds(1))
        var events: [CallEvent] = []
        _ = stage.ring.drain { events.append(copy $0) }
        #expect(events.map { $0.flags.contains(.listening) } == [false, true])
        #expect(events.first?.client.bytes[15] == 9, "the caller's, as its proxy says it")
        #expect(events.last?.client.bytes[15] != 9, "the stream is not the caller's")
        caller.leave()
        stage.expectNoLeaks()
    }

    @Test(
        "without metrics of calls a call is read only from the moment on that a log wants it", arguments: [false, true])
    func metricsOff(countsCalls: Bool) throws {
        let calls = try CallFeed(workers: 1)
        let stage = ProxyStage(seed: 1)
        stage.ring = calls.ring(ofWorker: 0)
        stage.snapshot.countsCalls = countsCalls
        stage.plan.affinity = .off
        _ = ScriptedServer(stage) { _ in [.pause(.milliseconds(100))] + .reply(#"{"id":1,"result":{}}"#) }
        let client = stage.connect()
        // The log begins while the second call is under way.
        for number in 1...3 {
            client.ask(.post(.call(number)))
            if number == 2 { stage.run(for: .milliseconds(50)) }
            if number == 2 { stage.ring.turn(on: true) }
            stage.run { client.responses.count == number }
        }
        var events: [CallEvent] = []
        _ = stage.ring.drain { events.append(copy $0) }
        let counted = stage.metrics.calls.series().filter { $0.kind == .operation }.reduce(0) {
            $0 + $1.histogram.count
        }
        #expect(counted == (countsCalls ? 3 : 0))
        #expect(events.map(\.method) == (countsCalls ? [.toolsCall, .toolsCall] : [.toolsCall]))
        #expect(!events.contains { $0.flags.contains(.listening) }, "the second call is no stream")
        client.leave()
        stage.expectNoLeaks()
    }
}
