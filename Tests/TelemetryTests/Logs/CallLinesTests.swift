import Foundation
import Kernel
import MCP
import Testing

@testable import Telemetry

@Suite("Lines of calls for who follows them")
struct CallLinesTests {
    private func event(_ change: (inout CallEvent) -> Void = { _ in }) -> CallEvent {
        var event = CallEvent.sample
        change(&event)
        return event
    }

    private func lines(_ text: String?) -> [String] {
        (text ?? "").split(separator: "\n").map(String.init)
    }

    private func count(_ events: [CallEvent], _ change: (inout CallFilter) -> Void) -> Int {
        var filter = CallFilter()
        change(&filter)
        let lines = CallLines(filter, slowFrom: nil)
        for event in events { lines.add(event, .sample) }
        return self.lines(lines.take()).count
    }

    @Test("A line is the access log's")
    func sameText() {
        let device = ScriptedDevice()
        let writer = LogWriter(.standardOutput, limit: 1 << 20, report: { _ in }) { _ in device }
        let log = CallLog(CallLog.Rule(), .json, to: writer, LogCounts("access"), seed: 1)
        let lines = CallLines(CallFilter(), slowFrom: CallLog.Rule().slow)
        for duration in [12_345_678, 2_000_000_000] as [UInt64] {
            let event = event { $0.duration = duration }
            log.receive(event, .sample)
            lines.add(event, .sample)
        }
        log.flush(at: .now())
        #expect(lines.take() == device.text)
        #expect(device.text.contains(#","slow":true"#))
        #expect(lines.take() == nil)
    }

    @Test("Failed calls are those without a good answer")
    func failed() {
        let events = [
            event(), event { $0.outcome = .toolError }, event { $0.status = 404 }, event { $0.outcome = .cancelled },
        ]
        #expect(count(events) { $0.onlyFailed = true } == 3)
        #expect(count(events) { _ in } == 4)
    }

    @Test("Slow calls are those that took the time, but no streams that only listen")
    func slow() {
        let events = [
            event { $0.duration = 999 }, event { $0.duration = 1_000 },
            event {
                $0.duration = 2_000
                $0.flags.insert(.listening)
            },
        ]
        #expect(count(events) { $0.slowFrom = 1_000 } == 1)
    }

    @Test("A tool is named whole, and is not a prompt")
    func tool() {
        let events = [
            event(), event { $0.name = CallName("get-weather2") }, event { $0.name = CallName("get") },
            event { $0.method = .promptsGet },
        ]
        #expect(count(events) { $0.tool = CallName("get-weather") } == 1)
    }

    @Test("A server is named with or without its upstream; a session by its number")
    func serverAndSession() {
        let events = [
            event(), event { $0.server = 0 }, event { $0.server = -1 }, event { $0.session = 1 },
            event { $0.server = 99 },
        ]
        #expect(count(events) { $0.server = "mcp-2:3001" } == 2)
        #expect(count(events) { $0.server = "mcp/mcp-1:3001" } == 1)
        #expect(count(events) { $0.server = "other/mcp-1:3001" } == 0)
        #expect(count(events) { $0.session = 0x0123_4567_89ab_cdef } == 4)
        let both = count(events) { filter in
            filter.server = "mcp-2:3001"
            filter.session = 1
        }
        #expect(both == 1)
    }

    @Test("What finds no space is counted where it is missing, and memory is bounded")
    func bounded() {
        let lines = CallLines(CallFilter(), slowFrom: nil, limit: 2_000)
        for number in 0..<1_000 { lines.add(event { $0.requestBytes = UInt64(number) }, .sample) }
        #expect(lines.count < 4_000)
        lines.noteLost(5)
        let first = self.lines(lines.take())
        #expect(first.last == "{\"lost\":\(1_000 - (first.count - 1) + 5)}")
        #expect(first.count > 2 && first.count < 10)

        lines.add(event(), .sample)
        #expect(self.lines(lines.take()).count == 1, "a loss is told once")
    }

    @Test("A digest is 16 hexadecimal digits, and nothing else is one")
    func digest() {
        #expect(SessionDigest.text(0xab) == "00000000000000ab")
        #expect(SessionDigest.number("00000000000000AB") == 0xab)
        #expect(SessionDigest.number(SessionDigest.text(.max)) == .max)
        for text in [
            "", "ab", "00000000000000a", "000000000000000ab", "00000000000000ag", "+0000000000000ab",
            "0x000000000000ab",
        ] {
            #expect(SessionDigest.number(text) == nil, "\(text)")
        }
    }
}
