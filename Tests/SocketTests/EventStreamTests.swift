import Kernel
import Proxy
import Telemetry
import Testing

extension SocketTests {
    @Suite("Event streams", .serialized)
    struct EventStreamTests {
        private static let request = "GET /mcp HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n"

        /// Opens an idle stream. Returns its client and its connection at the replica.
        private func open(_ rig: Rig, isSecure: Bool = false) throws -> (client: Client, connection: Int) {
            let client = try isSecure ? rig.secureClient() : rig.client()
            client.send(Self.request)
            #expect(try client.head().status == 200)
            return (client, try #require(rig.replica.requests.last).connection)
        }

        @Test("the head of an idle stream is forwarded before anything follows it", arguments: [false, true])
        func head(_ isSecure: Bool) throws {
            let rig = try Rig(
                answering: { _ in [.eventStreamHead] },
                adjusting: { _, upstream in upstream.heartbeat = .unlimited })

            for number in 0..<50 {
                let client = try isSecure ? rig.secureClient() : rig.client()
                client.send(Self.request)
                // Nothing follows the head until the client has received it: no event, and no comment of the proxy.
                let head = try client.head()
                #expect(head.status == 200)
                #expect(head.values("content-type") == ["text/event-stream"])
                let connection = try #require(rig.replica.requests.last).connection
                rig.replica.push(.event("\(number)"), to: connection)
                #expect(try client.chunk() == Array("data: \(number)\n\n".utf8))
            }
        }

        @Test("each event is forwarded at once and unchanged")
        func events() throws {
            let rig = try Rig(answering: { _ in [.eventStreamHead] })
            let (client, connection) = try open(rig)

            for text in ["one", "zwei \u{e9}", String(repeating: "long ", count: 10_000)] {
                rig.replica.push(.event(text), to: connection)
                var received: [UInt8] = []
                let expected = Array("data: \(text)\n\n".utf8)
                while received.count < expected.count, let chunk = try client.chunk() { received += chunk }
                #expect(received == expected)
            }
            rig.replica.push(.text("3\r\nda"), to: connection)
            rig.replica.push(.text("t\r\n"), to: connection)
            var pieces: [UInt8] = []
            while pieces.count < 3, let chunk = try client.chunk() { pieces += chunk }
            #expect(pieces == Array("dat".utf8))
        }

        @Test(
            "a client that disconnects while its stream is idle is noticed", arguments: [false, true], [false, true])
        func clientLeaves(_ isSecure: Bool, _ withReset: Bool) throws {
            let rig = try Rig(answering: { _ in [.eventStreamHead] })
            let (client, connection) = try open(rig, isSecure: isSecure)

            client.close(reset: withReset)

            try eventually("the replica recorded the end") { rig.replica.hasEnded(connection) }
            try rig.expectIdle()
        }

        @Test(
            "the crash of a replica ends its clients' streams without a last chunk", arguments: [false, true],
            [false, true])
        func replicaCrashes(_ isSecure: Bool, _ withReset: Bool) throws {
            let rig = try Rig(answering: { _ in [.eventStreamHead, .event("first")] })
            let (client, connection) = try open(rig, isSecure: isSecure)
            #expect(try client.chunk() == Array("data: first\n\n".utf8))

            if withReset { rig.replica.push(.reset, to: connection) } else { rig.replica.push(.close, to: connection) }

            let rest = try client.readUntilEnd()
            #expect(rest.isEmpty, "\(String(decoding: rest, as: UTF8.self))")
            try rig.expectIdle()
        }

        @Test("a stream that the replica ends properly ends properly, and the connection persists")
        func properEnd() throws {
            let rig = try Rig(answering: { _ in [.eventStreamHead, .event("last"), .text("0\r\n\r\n")] })
            let client = try rig.client()

            for _ in 0..<3 {
                client.send(Self.request)
                #expect(try client.response().text == "data: last\n\n")
            }

            try rig.expectIdle()
            #expect(Set(rig.replica.requests.map(\.connection)).count == 1)
        }

        @Test("heartbeat comments are sent between events only")
        func heartbeat() throws {
            let rig = try Rig(
                answering: { _ in [.eventStreamHead] },
                adjusting: { _, upstream in upstream.heartbeat = .seconds(1) })
            let (client, connection) = try open(rig)

            // Before the first event too, which may come late.
            #expect(try client.chunk() == Array(":\n\n".utf8))
            #expect(try client.chunk() == Array(":\n\n".utf8))
            rig.replica.push(.event("first"), to: connection)
            #expect(try client.chunk() == Array("data: first\n\n".utf8))
            // Half an event, then twice the interval: no comment may come in between.
            rig.replica.push(.text("6\r\ndata: \r\n"), to: connection)
            #expect(try client.chunk() == Array("data: ".utf8))
            #expect(!client.receives(within: 2_200))
            rig.replica.push(.text("3\r\nx\n\n\r\n"), to: connection)
            #expect(try client.chunk() == Array("x\n\n".utf8))
            #expect(try client.chunk() == Array(":\n\n".utf8))
        }

        @Test("a first event that was buffered for its endpoint arrives whole, also with heartbeats")
        func heartbeatWhileGathering() throws {
            let rig = try Rig(
                answering: { _ in [.eventStreamHead, .text("6\r\ndata: \r\n")] },
                adjusting: { _, upstream in upstream.heartbeat = .milliseconds(200) })
            let (client, connection) = try open(rig)

            #expect(try client.chunk() == Array(":\n\n".utf8))
            rig.replica.push(.text("3\r\nx\n\n\r\n"), to: connection)

            var received: [UInt8] = []
            while received.count < 9, let chunk = try client.chunk() {
                if chunk != Array(":\n\n".utf8) { received += chunk }
            }
            #expect(received == Array("data: x\n\n".utf8))
        }

        @Test("an HTTP/1.0 client's stream has no chunks and ends with the connection")
        func oldClient() throws {
            let rig = try Rig(answering: { _ in [.eventStreamHead, .event("one")] })
            let client = try rig.client()
            client.send("GET /mcp HTTP/1.0\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n")
            let head = try client.head()
            #expect(head.values("transfer-encoding").isEmpty)
            #expect(try client.take(through: "\n\n") == Array("data: one\n\n".utf8))
            let connection = try #require(rig.replica.requests.last).connection

            rig.replica.push(.text("0\r\n\r\n"), to: connection)

            #expect(try client.takeToEnd().isEmpty)
            try rig.expectIdle()
        }

        @Test("a POST's response may be an event stream")
        func post() throws {
            let rig = try Rig(answering: { _ in [.eventStreamHead, .event("progress")] })
            let client = try rig.client()
            client.send("POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}")
            #expect(try client.head().status == 200)
            #expect(try client.chunk() == Array("data: progress\n\n".utf8))
            #expect(rig.sum(.streaming) == 1)
            #expect(rig.sum(.active) == 0)
            let connection = try #require(rig.replica.requests.last).connection

            rig.replica.push(.event("result"), .text("0\r\n\r\n"), to: connection)

            #expect(try client.chunk() == Array("data: result\n\n".utf8))
            #expect(try client.chunk() == nil)
            try rig.expectIdle()
        }
    }
}
