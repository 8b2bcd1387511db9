import HTTP
import Kernel
import Proxy
import Telemetry
import TestSupport
import Testing

extension SocketTests {
    @Suite("HTTP/2: many streams", .serialized)
    struct HTTP2StreamTests {
        private static let events: RecordingReplica.Script = { request in
            switch request.target {
            case "/endless":
                [.text("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"), .chunkedPattern(1 << 30)]
            case "/mcp": [.eventStreamHead]
            default: [.answer("ok")]
            }
        }

        private static let listening = [HeaderField("accept", "text/event-stream")]

        @Test("200 event streams get each event at once while another stream of the connection is stalled")
        func concurrent() throws {
            let rig = try Rig.forHTTP2(answering: Self.events)
            let client = try rig.http2()
            let stalled = client.get("/endless")
            client.stalled = [stalled]
            let streams = (0..<200).map { _ in client.get("/mcp", Self.listening) }
            for stream in streams { #expect(try client.head(stream).status == 200) }
            try client.wait("the stalled stream's window is used up") { $0.streams[stalled]?.received == 65_535 }
            let owners = rig.replica.requests.filter { $0.target == "/mcp" }.map(\.connection)
            #expect(owners.count == 200)

            for round in 0..<20 {
                for owner in owners { rig.replica.push(.event("\(round)"), to: owner) }
                let bytes = (0...round).reduce(0) { $0 + "data: \($1)\n\n".utf8.count }
                try client.wait("event \(round) on all streams") { client in
                    streams.allSatisfy { client.streams[$0]?.received == bytes }
                }
            }
            for round in 0..<200 {
                let index = round % 200
                let before = client.streams[streams[index]]?.received ?? 0
                rig.replica.push(.event("single"), to: owners[index])
                try client.wait("one event") { client in
                    streams.contains { client.streams[$0]?.text.hasSuffix("single\n\n") ?? false }
                        && client.streams.values.reduce(0) { $0 + $1.received } > before
                        && streams.reduce(0) {
                            $0 + (client.streams[$1]?.text.hasSuffix("single\n\n") ?? false ? 1 : 0)
                        }
                            == round + 1
                }
            }

            for stream in streams {
                let expected = (0..<20).map { "data: \($0)\n\n" }.joined() + "data: single\n\n"
                #expect(client.streams[stream]?.text == expected)
            }
            #expect(client.streams[stalled]?.received == 65_535)
            client.client.close()
            try rig.expectIdle()
        }

        @Test("a stream whose window never opens stops its replica and is reset after the idle timeout")
        func stalledStream() throws {
            let rig = try Rig.forHTTP2(answering: Self.events) { listener, _ in listener.idleTimeout = .seconds(2) }
            let client = try rig.http2()
            let stalled = client.get("/endless")
            client.stalled = [stalled]
            try client.wait("the window is used up") { $0.streams[stalled]?.received == 65_535 }
            let connection = try #require(rig.replica.requests.last).connection

            try client.wait("it is reset") { $0.streams[stalled]?.reset != nil }

            #expect(client.streams[stalled]?.reset == 8)
            #expect(rig.replica.bytesSent(connection) < 16 << 20)
            try eventually("the replica's side closed") { rig.replica.hasEnded(connection) }
            #expect(rig.proxy.metrics.view.load(AbuseCounter.stalledStreams) == 1)
            #expect(try client.response(client.get("/one")).text == "ok")
            try rig.expectIdle()
        }

        @Test("a complete response that the client does not read is reset, and the connection closes")
        func stalledTail() throws {
            let rig = try Rig.forHTTP2(answering: { _ in [.answer(String(repeating: "t", count: 80_000))] }) {
                listener, _ in
                listener.idleTimeout = .seconds(1)
            }
            let client = try rig.http2()
            let stream = client.get("/tail")
            client.stalled = [stream]
            try client.wait("the window is used up") { $0.streams[stream]?.received == 65_535 }
            try rig.expectIdle()

            try client.wait("it is reset") { $0.streams[stream]?.reset != nil }
            try client.readToEnd()
            #expect(client.goAways.map(\.code) == [0, 0])
        }

        @Test("heartbeats do not accumulate behind a closed window and do not prevent its timeout")
        func heartbeats() throws {
            let rig = try Rig.forHTTP2(answering: Self.events) { listener, upstream in
                listener.idleTimeout = .seconds(2)
                upstream.heartbeat = .milliseconds(20)
            }
            let client = try rig.http2(settings: [(4, 0)])
            let stream = client.get("/mcp", Self.listening)
            client.stalled = [stream]
            #expect(try client.head(stream).status == 200)

            try client.wait("it is reset") { $0.streams[stream]?.reset != nil }

            #expect(client.streams[stream]?.received == 0)
            try rig.expectIdle()
        }

        @Test("RST_STREAM from the client closes the stream's upstream connection at once, and no other")
        func cancel() throws {
            let rig = try Rig.forHTTP2(answering: Self.events)
            let client = try rig.http2()
            let kept = client.get("/mcp", Self.listening)
            #expect(try client.head(kept).status == 200)
            let other = try #require(rig.replica.requests.last).connection
            for _ in 0..<50 {
                let stream = client.get("/mcp", Self.listening)
                #expect(try client.head(stream).status == 200)
                let connection = try #require(rig.replica.requests.last).connection
                client.reset(stream)
                try eventually("the replica's side closed") { rig.replica.hasEnded(connection) }
            }

            rig.replica.push(.event("still"), to: other)
            try client.wait("the other stream continues") { $0.streams[kept]?.text == "data: still\n\n" }
            #expect(rig.sum(.streaming) == 1)
        }

        @Test("a lost connection closes the upstream connections of all its streams", arguments: [false, true])
        func lost(_ isReset: Bool) throws {
            let rig = try Rig.forHTTP2(answering: Self.events)
            let client = try rig.http2()
            for _ in 0..<50 { _ = client.get("/mcp", Self.listening) }
            let large = [HeaderField("content-length", "1000000")]
            for _ in 0..<10 { client.open(HTTP2Client.head("POST", "/upload", large), ends: false) }
            try client.wait("all heads") { $0.streams.values.count { $0.hasHead } == 50 }
            try eventually("uploads have begun") { rig.replica.leftovers.count == 10 }

            client.client.close(reset: isReset)

            try eventually("all sides closed") { rig.replica.open == 0 }
            try rig.expectIdle()
            #expect(rig.proxy.metrics.view.clientCount == 0)
        }

        @Test("queued requests of a lost connection are never sent", arguments: 1...8)
        func lostInQueue(_ round: Int) throws {
            let rig = try Rig.forHTTP2(answering: { _ in [] }) { _, upstream in upstream.pool.maximum = 1 }
            let client = try rig.http2()
            for _ in 0..<200 { _ = client.get("/one") }
            try eventually("one has a server") { rig.replica.requests.count == 1 && rig.sum(.waiting) == 199 }

            client.client.close(reset: true)

            try eventually("all requests are cancelled") { rig.sum(.waiting) == 0 && rig.sum(.active) == 0 }
            try rig.expectIdle()
            #expect(rig.replica.requests.count == 1)
        }

        @Test(
            "the crash of a replica resets its streams after their pending bytes; others continue",
            arguments: [false, true])
        func replicaCrash(_ isReset: Bool) throws {
            let rig = try Rig.forHTTP2(answering: Self.events)
            let client = try rig.http2()
            let streams = (0..<10).map { _ in client.get("/mcp", Self.listening) }
            for stream in streams { #expect(try client.head(stream).status == 200) }
            let owners = rig.replica.requests.map(\.connection)

            rig.replica.push(.event("last"), isReset ? .reset : .close, to: owners[3])
            // Any of the streams may have the fourth connection.
            try client.wait("one is reset") { $0.streams.values.contains { $0.reset != nil } }

            let broken = streams.filter { client.streams[$0]?.reset != nil }
            #expect(broken.count == 1)
            #expect(broken.allSatisfy { client.streams[$0]?.reset == 2 && client.streams[$0]?.hasEnded == false })
            if !isReset { #expect(broken.allSatisfy { client.streams[$0]?.text == "data: last\n\n" }) }
            for owner in owners where owner != owners[3] { rig.replica.push(.event("on"), to: owner) }
            try client.wait("the other streams continue") { $0.streams.values.count { $0.text == "data: on\n\n" } == 9 }
        }

        @Test("an idle connection gets GOAWAY and closes; one with a stream does not")
        func idle() throws {
            let rig = try Rig.forHTTP2(answering: Self.events) { listener, upstream in
                listener.idleTimeout = .seconds(1)
                upstream.heartbeat = .milliseconds(200)
            }
            let busy = try rig.http2()
            let stream = busy.get("/mcp", Self.listening)
            #expect(try busy.head(stream).status == 200)
            let idle = try rig.http2()
            #expect(try idle.response(idle.get("/one")).text == "ok")

            try idle.readToEnd()

            #expect(idle.goAways.map(\.code) == [0, 0])
            #expect(idle.goAways.last?.lastStream == 1)
            try busy.readAvailable()
            #expect(busy.goAways.isEmpty)
            #expect(try busy.response(busy.get("/one")).text == "ok")
        }

        @Test("a connection that is used repeatedly gets no GOAWAY between two requests")
        func busy() throws {
            let rig = try Rig.forHTTP2(adjusting: { listener, _ in listener.idleTimeout = .seconds(1) })
            let client = try rig.http2()
            let end = Instant.now() + .milliseconds(2_500)
            while Instant.now() < end {
                #expect(try client.response(client.get("/one")).text == "ok")
                pause(milliseconds: 20)
            }
            #expect(client.goAways.isEmpty)
        }

        @Test("streams beyond the limit are refused, and the open ones continue")
        func tooMany() throws {
            let rig = try Rig.forHTTP2(answering: Self.events) { listener, _ in listener.http2.concurrentStreams = 10 }
            let client = try rig.http2()
            // Before the client has acknowledged SETTINGS.
            for _ in 0..<20 { _ = client.get("/mcp", Self.listening) }
            try client.wait("ten heads and ten refusals") { client in
                client.streams.values.count { $0.hasHead } == 10 && client.streams.values.count { $0.reset == 7 } == 10
            }
            #expect(client.settings[3] == 10)
            // After it has acknowledged SETTINGS.
            for _ in 0..<5 { _ = client.get("/mcp", Self.listening) }
            try client.wait("five more refusals") { $0.streams.values.count { $0.reset == 7 } == 15 }
            #expect(client.goAways.isEmpty)
            #expect(rig.proxy.metrics.view.load(AbuseCounter.refusedStreams) == 15)
            rig.replica.pushToAll(.event("on"))
            try client.wait("the open streams continue") { $0.streams.values.count { $0.text == "data: on\n\n" } == 10 }
        }

        @Test("streams have a limit of their own, and one connection cannot use all of it")
        func fairShare() throws {
            let rig = try Rig.forHTTP2(
                answering: Self.events, adjusting: { listener, _ in listener.maximumConnections = 6 },
                streams: 64)
            let greedy = try rig.http2()
            for _ in 0..<50 { _ = greedy.get("/mcp", Self.listening) }
            try greedy.wait("some heads, some refusals") {
                $0.streams.values.allSatisfy { $0.hasHead || $0.reset == 7 }
            }
            let taken = greedy.streams.values.count { $0.hasHead }
            #expect((6...8).contains(taken), "an eighth of what is left")
            #expect(rig.proxy.metrics.view.load(AbuseCounter.refusedStreams) == 50 - Int64(taken))

            let others = try (0..<3).map { _ in try rig.http2() }
            for other in others {
                let streams = (0..<4).map { _ in other.get("/mcp", Self.listening) }
                for stream in streams { #expect(try other.head(stream).status == 200) }
            }
            // Streams do not count as connections: two more connections are accepted, a third is not.
            for _ in 0..<2 {
                let client = try rig.client()
                client.send("GET /one HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try client.response().text == "ok")
            }
            // Released capacity can be used again.
            for stream in greedy.streams.keys where greedy.streams[stream]?.hasHead == true { greedy.reset(stream) }
            try eventually("the connections are closed") { rig.sum(.streaming) == 12 }
            #expect(try greedy.response(greedy.get("/one")).text == "ok")
        }

        @Test("after SIGTERM streams complete, a connection without any is told to go, and berth exits with 0")
        func drain() throws {
            let berth = try BerthProcess { request in
                switch request.target {
                case "/mcp": [.eventStreamHead]
                case "/slow": []
                case "/long": [.text("HTTP/1.1 200 OK\r\ncontent-length: 3000000\r\n\r\n"), .pattern(3_000_000)]
                default: [.answer("ok")]
                }
            }
            let client = HTTP2Client(try Client(berth.secure, tls: Certificates.unverified(["h2"])))
            let idle = HTTP2Client(try Client(berth.secure, tls: Certificates.unverified(["h2"])))
            #expect(try idle.response(idle.get("/one")).text == "ok")
            let slow = client.get("/slow")
            let events = client.get("/mcp", Self.listening)
            #expect(try client.head(events).status == 200)
            try eventually("the call at the replica") { berth.replica.requests.contains { $0.target == "/slow" } }
            let connection = try #require(berth.replica.requests.first { $0.target == "/slow" }).connection

            berth.signal(15)
            try idle.readToEnd()
            #expect(idle.goAways.map(\.code) == [0, 0])
            // Some clients take any GOAWAY for the end of their calls: it is not sent while there are any.
            let late = client.get("/long")
            try client.wait("the head of a call that came in the drain") { $0.streams[late]?.hasHead == true }
            #expect(client.goAways.isEmpty)
            #expect(berth.isRunning)
            berth.replica.push(.answer("late"), to: connection)

            #expect(try client.response(slow).text == "late")
            #expect(try client.response(late).received == 3_000_000)
            #expect(try client.response(events).hasEnded)
            try client.readToEnd()
            #expect(client.goAways.map(\.code) == [0, 0])
            #expect(client.goAways.map(\.lastStream) == [0x7fff_ffff, late])
            #expect(try berth.exitCode() == 0)
        }

        @Test("random opens, resets and closes leak nothing", arguments: [1, 2, 3])
        func storm(_ seed: UInt64) throws {
            let rig = try Rig.forHTTP2(answering: { request in
                switch request.target {
                case "/mcp": [.eventStreamHead, .event("first")]
                case "/big": [.text("HTTP/1.1 200 OK\r\ncontent-length: 300000\r\n\r\n"), .pattern(300_000)]
                case "/die": [.eventStreamHead, .event("first"), .reset]
                case "/never": []
                default: [.answer("ok")]
                }
            })
            var generator = SeededGenerator(seed: seed)
            for _ in 0..<12 {
                let client = try rig.http2(
                    isSecure: Bool.random(using: &generator),
                    connectionWindow: Bool.random(using: &generator) ? 65_535 : 64 << 20)
                var open: [UInt32] = []
                for _ in 0..<60 {
                    switch Int.random(in: 0..<10, using: &generator) {
                    case 0..<5:
                        let target = ["/mcp", "/big", "/die", "/never", "/one"].randomElement(using: &generator) ?? ""
                        let stream = client.get(target, Self.listening)
                        if Int.random(in: 0..<4, using: &generator) == 0 { client.stalled.insert(stream) }
                        open.append(stream)
                    case 5:
                        let stream = client.open(HTTP2Client.head("POST", "/one"), ends: false)
                        client.send(HTTP2Client.Frame.data, stream: stream, Pattern.prefix(1_000))
                        open.append(stream)
                    case 6, 7:
                        if let stream = open.randomElement(using: &generator) { client.reset(stream) }
                    case 8:
                        if let stream = open.randomElement(using: &generator), !client.isDone(stream) {
                            client.send(HTTP2Client.Frame.data, flags: 1, stream: stream)
                        }
                    default:
                        try client.readAvailable()
                    }
                }
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: client.client.close(reset: true)
                case 1: client.client.close()
                default:
                    client.send(HTTP2Client.Frame.goAway, stream: 0, [0, 0, 0, 0, 0, 0, 0, 0])
                    for stream in open { client.reset(stream) }
                }
            }

            try rig.expectIdle()
            try eventually("no clients") { rig.proxy.metrics.view.clientCount == 0 }
            let client = try rig.http2()
            #expect(try client.response(client.get("/one")).text == "ok")
        }
    }
}
