import Foundation
import MCP
import TestSupport
import Testing

@testable import Telemetry

@Suite("Lines of the access log")
struct CallLineTests {
    private func json(_ event: CallEvent, isSlow: Bool = false) -> String {
        var line = LogBuffer()
        var time = LogTime()
        line.append(json: event, .sample, isSlow: isSlow, &time)
        return line.text
    }

    private func text(_ event: CallEvent, isSlow: Bool = false) -> String {
        var line = LogBuffer()
        var time = LogTime()
        line.append(text: event, .sample, isSlow: isSlow, &time)
        return line.text
    }

    private func members(_ line: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }

    @Test("A good call has these keys, in this order")
    func good() {
        #expect(
            json(.sample)
                == #"{"time":"2026-11-26T23:04:52.123456Z","listener":"0.0.0.0:443","client":"203.0.113.5","#
                + #""http_method":"POST","http_version":"1.1","tls":true,"status":200,"mcp_method":"tools/call","#
                + #""tool":"get-weather","mcp_protocol_version":"2025-11-25","outcome":"success","#
                + #""upstream":"mcp","server":"mcp-2:3001","session":"0123456789abcdef","#
                + #""trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"0123000000000001","#
                + #""parent_span_id":"00f067aa0ba902b7","duration_ms":12.345,"connect_ms":0.250,"#
                + #""first_byte_ms":10.750,"bytes_in":182,"bytes_out":2048}"#)
    }

    @Test("A call that waited, was retried and failed says so")
    func failed() throws {
        var event = CallEvent.sample
        event.outcome = .rejected
        event.status = 503
        event.reason = 1
        event.errorCode = -32_603
        event.server = -1
        event.offsets = CallEvent.Offsets()
        event.offsets.queued = 345
        event.retries = 2
        event.flags = [.recovered, .http2, .eventStream, .listening]

        let members = try members(json(event, isSlow: true))

        #expect(members["reason"] as? String == "queue_timeout")
        #expect(members["error_code"] as? Int == -32_603)
        #expect(members["queue_ms"] as? Double == 12)
        #expect(members["connect_ms"] == nil)
        #expect(members["server"] == nil)
        #expect(members["upstream"] as? String == "mcp")
        #expect(members["retries"] as? Int == 2)
        #expect(members["http_version"] as? String == "2")
        for key in ["slow", "stream", "listening", "recovered"] { #expect(members[key] as? Bool == true, "\(key)") }
    }

    @Test("A request of which nothing is known has a line as well")
    func nothing() throws {
        let members = try members(json(CallEvent()))

        #expect(
            Set(members.keys)
                == Set([
                    "time", "listener", "client", "http_method", "http_version", "tls", "status", "outcome",
                    "duration_ms", "bytes_in", "bytes_out",
                ]).union(["server", "upstream"].filter { members[$0] != nil }))
        #expect(members["time"] as? String == "1970-01-01T00:00:00.000000Z")
    }

    @Test("Every outcome and every method has a line that is JSON", arguments: CallEvent.Outcome.allCases)
    func outcomes(_ outcome: CallEvent.Outcome) throws {
        for method in MCPMethod.allCases {
            var event = CallEvent.sample
            (event.outcome, event.method) = (outcome, method)
            let members = try members(json(event))
            #expect(members["outcome"] as? String == "\(outcome.text)")
            let expected = method == .response ? "response" : method == .batch ? "batch" : method.name.map { "\($0)" }
            #expect(members["mcp_method"] as? String == expected)
            #expect(["tool", "prompt", "resource", "name"].count { members[$0] != nil } == 1)
        }
    }

    @Test("The text form begins as the Common Log Format does")
    func common() {
        #expect(
            text(.sample, isSlow: true)
                == #"203.0.113.5 - - [26/Nov/2026:23:04:52 +0000] "POST tools/call get-weather HTTP/1.1" 200 2048 "#
                + "success upstream=mcp server=mcp-2:3001 session=0123456789abcdef "
                + "trace_id=4bf92f3577b34da6a3ce929d0e0e4736 bytes_in=182 duration_ms=12.345 connect_ms=0.250 "
                + "first_byte_ms=10.750 slow")
    }

    @Test("Whatever a name has in it, a line is one line, valid UTF-8 and JSON", arguments: 0..<20 as Range<UInt64>)
    func names(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for round in 0..<500 {
            let count = Int(random.next() % 70)
            let bytes =
                round.isMultiple(of: 2)
                ? random.bytes(count) : random.bytes(count, from: "\\\\\\uud8dD9c0eEf1\"\n\r/n ")
            var event = CallEvent.sample
            event.name = CallName(bytes: bytes)
            for line in [json(event), text(event)] {
                let utf8 = Array(line.utf8)
                #expect(!utf8.contains { $0 < 0x20 || $0 == 0x7f }, "\(seed) \(bytes)")
            }
            let members = try members(json(event))
            let tool = members["tool"] as? String ?? ""
            #expect(count == 0 || members["tool"] != nil || bytes == Array("\\".utf8))
            #expect(!tool.unicodeScalars.contains { $0.value == 0x2028 } || bytes.contains(UInt8(ascii: "u")))
            // The quoted request of the text form ends where it should.
            #expect(unescapedQuotes(text(event)) == 2, "\(seed) \(bytes)")
        }
    }

    private func unescapedQuotes(_ line: String) -> Int {
        var (count, isEscaped) = (0, false)
        for byte in line.utf8 {
            if byte == UInt8(ascii: "\""), !isEscaped { count += 1 }
            isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
        }
        return count
    }

    @Test(
        "Names are written as they are, or made harmless",
        arguments: [
            (#"søk-été-天気"#, #"søk-été-天気"#),
            ("a\nb\u{1b}[31m", #"a\u000ab\u001b[31m"#),
            (#"a\nb"#, #"a\nb"#),
            ("say \"hi\"", #"say \"hi\""#),
            (#"\ud83d\ude00"#, #"\ud83d\ude00"#),
            (#"\ud83d rest"#, #"\ufffd rest"#),
            (#"\ude00"#, #"\ufffd"#),
            (#"\q"#, #"\\q"#),
            (#"\u12"#, ""),
            (#"\uzzzz"#, #"\\uzzzz"#),
            ("a\u{202e}b\u{200b}c\u{85}", #"a\u202eb\u200bc\u0085"#),
        ])
    func escapes(_ name: String, _ expected: String) {
        var line = LogBuffer()
        line.append(CallName(name))
        #expect(line.text == expected)
    }

    @Test(
        "Bytes that are no UTF-8 become replacement characters",
        arguments: [
            ([0xff], #"\ufffd"#), ([0xc0, 0xaf], #"\ufffd\ufffd"#), ([0xe5, 0xa4], #"\ufffd\ufffd"#),
            ([0xed, 0xa0, 0x80], #"\ufffd"#), ([0xf4, 0x90, 0x80, 0x80], #"\ufffd"#),
            ([0xe2, 0x41], #"\ufffdA"#),
        ] as [([UInt8], String)])
    func invalid(_ bytes: [UInt8], _ expected: String) {
        var line = LogBuffer()
        line.append(CallName(bytes: bytes))
        #expect(line.text == expected)
    }

    @Test(
        "Addresses are written as RFC 5952 says",
        arguments: [
            ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], "2001:db8::1"), ([0, 0, 0, 0, 0, 0, 0, 0], "::"),
            ([0, 0, 0, 0, 0, 0, 0, 1], "::1"), ([0xfe80, 0, 0, 0, 0, 0, 0, 0], "fe80::"),
            ([0x2001, 0xdb8, 0, 1, 1, 1, 1, 1], "2001:db8:0:1:1:1:1:1"),
            ([0x2001, 0, 0, 1, 0, 0, 0, 1], "2001:0:0:1::1"), ([0x2001, 0xdb8, 0, 0, 1, 0, 0, 1], "2001:db8::1:0:0:1"),
            ([0, 0, 0, 0, 0, 0xffff, 0xc000, 0x201], "192.0.2.1"),
            ([1, 2, 3, 4, 5, 6, 7, 0xabcd], "1:2:3:4:5:6:7:abcd"),
        ] as [([UInt16], String)])
    func addresses(_ groups: [UInt16], _ expected: String) {
        var line = LogBuffer()
        line.append(CallEvent.ClientAddress.ipv6(groups))
        #expect(line.text == expected)
    }

    @Test("Times agree with Foundation's", arguments: 0..<10 as Range<UInt64>)
    func times(_ seed: UInt64) {
        let formatter = ISO8601DateFormatter()
        var (random, time) = (SeededGenerator(seed: seed), LogTime())
        for _ in 0..<500 {
            // Up to the year 2286, and often the same day twice.
            let second = random.next() % 10_000_000_000
            for offset in [0, 1, 86_399] as [UInt64] {
                var line = LogBuffer()
                time.append(internet: (second + offset) * 1_000_000_000 + 7_999, to: &line)
                let date = formatter.string(from: Date(timeIntervalSince1970: Double(second + offset)))
                #expect(line.text == date.dropLast() + ".000007Z")
            }
        }
    }

    @Test("Numbers are whole", arguments: [0, 7, 10, 999, 1_000, UInt64(Int64.max), .max])
    func numbers(_ number: UInt64) {
        var line = LogBuffer()
        line.append(decimal: number)
        line.append(" ")
        line.append(hexadecimal: number)
        let hexadecimal = String(number, radix: 16)
        #expect(line.text == "\(number) \(String(repeating: "0", count: 16 - hexadecimal.count))\(hexadecimal)")
    }
}
