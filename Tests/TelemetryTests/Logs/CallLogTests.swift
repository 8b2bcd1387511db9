import Foundation
import Kernel
import MCP
import Testing

@testable import Telemetry

@Suite("Access, slow and audit log")
struct CallLogTests {
    private let device = ScriptedDevice()
    private let counts = LogCounts("access")

    private var writer: LogWriter {
        let device = device
        return LogWriter(.standardOutput, limit: 1 << 24, report: { _ in }) { _ in device }
    }

    private func log(_ change: (inout CallLog.Rule) -> Void = { _ in }, seed: UInt64 = 1) -> CallLog {
        var rule = CallLog.Rule()
        change(&rule)
        return CallLog(rule, .json, to: writer, counts, seed: seed)
    }

    private func lines(_ sink: any CallSink, _ events: [CallEvent]) -> [String] {
        for event in events { sink.receive(event, .sample) }
        sink.flush(at: .now())
        return device.lines.dropLast()
    }

    private func event(_ change: (inout CallEvent) -> Void) -> CallEvent {
        var event = CallEvent.sample
        change(&event)
        return event
    }

    @Test("A call is slow from the threshold on, but not a stream that a client listens on")
    func slow() {
        let second: UInt64 = 1_000_000_000
        let lines = lines(
            log(),
            [
                event { $0.duration = second - 1 }, event { $0.duration = second },
                event {
                    $0.duration = 3_600 * second
                    $0.flags.insert(.listening)
                },
            ])
        #expect(lines.map { $0.contains(#","slow":true"#) } == [false, true, false])
    }

    @Test("The slow log has slow calls only")
    func slowLog() {
        let log = log {
            $0.onlySlow = true
            $0.slow = 5_000
        }
        let lines = lines(
            log,
            [
                event { $0.duration = 4_999 }, event { $0.duration = 5_000 },
                event { ($0.duration, $0.outcome) = (1, .timeout) },
            ])
        #expect(lines.count == 1)
    }

    @Test("With sampling, failed and slow calls are all there, and of the others the share")
    func sampling() {
        var events: [CallEvent] = []
        for number in 0..<20_000 {
            events.append(
                event {
                    $0.requestBytes = UInt64(number)
                    if number % 100 == 1 { $0.outcome = .toolError }
                    if number % 100 == 2 { $0.duration = 2_000_000_000 }
                    if number % 100 == 3 { $0.status = 404 }
                })
        }
        let lines = lines(log { $0.sample = 0.1 }, events)
        #expect(lines.count { $0.contains("tool_error") } == 200)
        #expect(lines.count { $0.contains(#""slow":true"#) } == 200)
        #expect(lines.count { $0.contains(#""status":404"#) } == 200)
        // 19,400 draws of 0.1 each: 1,940, with a standard deviation of 42.
        #expect((1_690...2_190).contains(lines.count - 600))
        #expect(counts.written == lines.count)
        #expect(counts.dropped == 0)
    }

    @Test("With a sample of 0 there are failed and slow calls only")
    func noSample() {
        #expect(lines(log { $0.sample = 0 }, [.sample, event { $0.outcome = .aborted }]).count == 1)
    }

    @Test("The audit log says who called what on which session, and how it ended")
    func audit() throws {
        let line = try #require(lines(AuditLog(to: writer, counts), [.sample]).first)
        #expect(
            line == #"{"time":"2026-11-26T23:04:52.123456Z","event":"call","client":"203.0.113.5","client_port":51234,"#
                + #""listener":"0.0.0.0:443","tls":true,"http_method":"POST","mcp_method":"tools/call","#
                + #""tool":"get-weather","mcp_protocol_version":"2025-11-25","status":200,"outcome":"success","#
                + #""upstream":"mcp","server":"mcp-2:3001","session":"0123456789abcdef","#
                + #""trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"0123000000000001","#
                + #""parent_span_id":"00f067aa0ba902b7","duration_ms":12.345}"#)
    }

    @Test("Lists, notifications and checks are not audited; what Berth cannot read is")
    func audited() {
        let audited = MCPMethod.allCases.filter { method in
            lines(AuditLog(to: writer, LogCounts("audit")), [event { $0.method = method }]).count > 0
                && device.lines.count > 1
        }
        #expect(audited.contains(.toolsCall))
        let log = AuditLog(to: writer, counts)
        let before = device.lines.count
        for method in [MCPMethod.ping, .toolsList, .progress, .initialized, .response, .discover, .listen] {
            log.receive(event { $0.method = method }, .sample)
        }
        log.receive(event { ($0.method, $0.httpMethod) = (.other, 0) }, .sample)
        log.flush(at: .now())
        #expect(device.lines.count == before)
        for method in [MCPMethod.toolsCall, .promptsGet, .resourcesRead, .initialize, .batch, .tasksCancel] {
            log.receive(event { $0.method = method }, .sample)
        }
        log.receive(event { ($0.method, $0.httpMethod) = (.other, 2) }, .sample)
        log.receive(event { ($0.method, $0.httpMethod) = (.other, 3) }, .sample)
        log.flush(at: .now())
        #expect(device.lines.count == before + 8)
    }

    @Test("A change is a line, whatever its text has in it")
    func changes() throws {
        let log = AuditLog(to: writer, counts)
        log.record(
            AuditedChange(
                from: "127.0.0.1:5000", request: "POST /drain?server=\"}\n{", outcome: "rejected", status: 422,
                detail: "there is no server \u{1b}[2J"))
        let line = try #require(lines(log, []).first)
        let members = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(members["event"] as? String == "change")
        #expect(members["from"] as? String == "127.0.0.1:5000")
        #expect(members["request"] as? String == "POST /drain?server=\"}\n{")
        #expect(members["status"] as? Int == 422)
        #expect(!line.utf8.contains { $0 < 0x20 })
    }

    @Test("More changes than can wait are counted as lost")
    func tooManyChanges() {
        let log = AuditLog(to: writer, counts)
        for _ in 0..<2_000 { log.record(AuditedChange(from: "signal", request: "SIGHUP", outcome: "unchanged")) }
        #expect(lines(log, []).count == 1_024)
        #expect((counts.written, counts.dropped) == (1_024, 976))
    }
}
