import Foundation
import Kernel
import MCP
import Proxy
import Telemetry
import Testing

extension SocketTests {
    /// `GET /logs?follow=1`
    @Suite("Following calls", .serialized)
    struct LogStreamTests {
        /// A client of the stream, past the head of the response.
        private func follow(_ rig: Rig, _ query: String = "", receiveBuffer: CInt = 0) throws -> Client {
            let client = try Client(rig.admin, receiveBuffer: receiveBuffer)
            client.send("GET /logs?follow=1\(query) HTTP/1.1\r\nHost: a\r\n\r\n")
            let head = try client.head()
            #expect(head.status == 200)
            #expect(head.values("content-type") == ["application/x-ndjson"])
            return client
        }

        /// The next line that is not blank. Blank ones, which show that the stream is alive, come for ever.
        private func line(_ client: Client) throws -> [String: Any] {
            let deadline = Instant.now() + defaultTimeout
            while true {
                guard Instant.now() < deadline else { throw TimedOut(description: "no line but blank ones") }
                let line = try client.take(through: "\n").dropLast()
                if line.isEmpty { continue }
                return try #require(try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
            }
        }

        private func call(_ rig: Rig, _ tool: String) throws {
            let client = try Client(rig.plain)
            let body = #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\#(tool)"}}"#
            client.send(
                "POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                    + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
            _ = try client.response()
            client.close()
        }

        /// A client has its response before the worker has recorded the call; the worker answers what is no request
        /// thereafter, and records nothing of it.
        private func awaitRecord(_ rig: Rig) throws {
            let client = try Client(rig.plain)
            client.send("no request\r\n\r\n")
            #expect(try client.response().status == 400)
            client.close()
        }

        private static let script: RecordingReplica.Script = { request in
            let isBad = String(decoding: request.body, as: UTF8.self).contains("bad")
            let result = isBad ? #"{"isError":true,"content":[]}"# : #"{"content":[]}"#
            return [
                .answer(#"{"jsonrpc":"2.0","id":1,"result":\#(result)}"#, fields: "content-type: application/json\r\n")
            ]
        }

        @Test("each follower gets the calls that it asks for; without one nothing is done")
        func filters() throws {
            let rig = try Rig(answering: Self.script)
            let ring = rig.proxy.calls.ring(ofWorker: 0)
            try call(rig, "early")
            try awaitRecord(rig)
            #expect(!ring.isOn)

            let all = try follow(rig)
            #expect(ring.isOn)
            let failed = try follow(rig, "&failed=1")
            let tool = try follow(rig, "&tool=good&server=mcp/\(rig.replica.address)&slow=0s")
            for name in ["other", "bad", "good"] { try call(rig, name) }

            let lines = try (0..<3).map { _ in try line(all) }
            #expect(lines.map { $0["tool"] as? String } == ["other", "bad", "good"])
            #expect(lines.map { $0["outcome"] as? String } == ["success", "tool_error", "success"])
            #expect(lines.allSatisfy { $0["server"] as? String == "\(rig.replica.address)" })
            #expect(try line(failed)["tool"] as? String == "bad")
            #expect(try line(tool)["tool"] as? String == "good")

            for client in [all, failed, tool] { client.close() }
            try eventually("nobody follows") {
                try call(rig, "late")
                return !ring.isOn
            }
        }

        @Test("what cannot be understood is refused")
        func faults() throws {
            let rig = try Rig()
            for (query, status) in [
                ("", 400), ("?follow=0", 400), ("?follow=1&tools=x", 400), ("?follow=1&slow=soon", 400),
                ("?follow=1&session=12", 400),
            ] {
                let client = try Client(rig.admin)
                client.send("GET /logs\(query) HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try client.response().status == status, "\(query)")
            }
            let clients = try (0..<16).map { _ in try follow(rig) }
            let late = try Client(rig.admin)
            late.send("GET /logs?follow=1 HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try late.response().status == 503)
            withExtendedLifetime(clients) {}
        }

        @Test("a reader that reads nothing loses lines and is told how many, and the others lose none")
        func slowReader() throws {
            let rig = try Rig()
            // No call of a client passes: this thread is the worker's.
            let ring = rig.proxy.calls.ring(ofWorker: 0)
            let slow = try follow(rig, receiveBuffer: 4_096)
            var event = CallEvent()
            event.method = .toolsCall
            event.name = CallName(Array("search".utf8).span)
            // Once it has its first line it is known: what is dropped before is not told to it.
            guard case .accepted = ring.push(event) else { throw TimedOut(description: "no space for a call") }
            _ = try line(slow)
            let (total, before) = (40_000, rig.proxy.calls.dropped)
            var pushed = 0
            try eventually("all are pushed") {
                for _ in 0..<min(400, total - pushed) {
                    guard case .accepted = ring.push(event) else { return false }
                    pushed += 1
                }
                return pushed == total
            }

            var (shown, lost) = (0, 0)
            while shown + lost < total + rig.proxy.calls.dropped - before {
                let line = try line(slow)
                if let count = line["lost"] as? Int { lost += count } else { shown += 1 }
            }
            #expect(lost > 0 && shown > 500)
            #expect(shown + lost == total + rig.proxy.calls.dropped - before)
        }

        @Test("streams end when the proxy stops")
        func stop() throws {
            let rig = try Rig()
            let logs = try follow(rig)
            let events = try Client(rig.admin)
            events.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try events.head().status == 200)
            _ = try events.take(through: "\n\n")

            rig.proxy.stop()

            _ = try logs.readUntilEnd()
            _ = try events.readUntilEnd()
        }
    }
}
