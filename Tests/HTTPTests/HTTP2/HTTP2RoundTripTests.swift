import HTTP
import TestSupport
import Testing

@Suite("HTTP/2: requests and responses")
struct HTTP2RoundTripTests {
    @Test("a request without a body is reported as an HTTP/1.1 head and gets its response")
    func bare() {
        let pair = NGHTTP2Pair()
        let id = pair.client.request("GET", "/mcp?x=1", [("accept", "text/event-stream"), ("x-custom", "a  b")])
        pair.exchange()

        let head = "GET /mcp?x=1 HTTP/1.1\r\nhost: a.example\r\naccept: text/event-stream\r\nx-custom: a  b\r\n\r\n"
        #expect(pair.server.takeEvents() == [.request(id, head, endsStream: true)])
        #expect(pair.server.respond(id, "HTTP/1.1 204 No Content\r\nX-Thing: 1\r\n\r\n", endsStream: true))
        pair.exchange()

        #expect(
            pair.client.responses[id]
                == ReceivedResponse(head: [":status: 204", "x-thing: 1"], isComplete: true, closed: 0))
        #expect(pair.server.takeEvents() == [.closed(id)])
        #expect(pair.server.streams == 0)
    }

    @Test("bodies arrive in both directions, with and without a content-length")
    func bodies() {
        let pair = NGHTTP2Pair()
        let known = pair.client.request("POST", "/mcp", [("content-length", "5")], body: latin1("hello"))
        let unknown = pair.client.request("POST", "/mcp", [], body: latin1("world"))
        pair.exchange()

        #expect(
            pair.server.takeEvents() == [
                .request(
                    known, "POST /mcp HTTP/1.1\r\nhost: a.example\r\ncontent-length: 5\r\n\r\n", endsStream: false),
                .request(
                    unknown, "POST /mcp HTTP/1.1\r\nhost: a.example\r\ntransfer-encoding: chunked\r\n\r\n",
                    endsStream: false),
                .data(known, latin1("hello")), .end(known, trailers: ""),
                .data(unknown, latin1("world")), .end(unknown, trailers: ""),
            ])
        for id in [known, unknown] {
            #expect(pair.server.respond(id, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"))
            #expect(pair.server.write(id, latin1("an")))
            #expect(pair.server.write(id, latin1("sw")))
            pair.server.endResponse(stream: id)
        }
        pair.exchange()

        for id in [known, unknown] {
            let expected = ReceivedResponse(
                head: [":status: 200", "content-length: 4"], body: latin1("answ"), isComplete: true, closed: 0)
            #expect(pair.client.responses[id] == expected)
        }
    }

    @Test("a response that is complete at once needs two frames")
    func frames() {
        let server = ServerSessionHarness()
        server.receive(RawFrame.preface + RawFrame.headers(1, plainGet).bytes)
        _ = server.send()
        server.respond(1, "HTTP/1.1 200 OK\r\n\r\n")
        server.write(1, latin1("body"))
        server.endResponse(stream: 1)

        let frames = server.sendFrames()
        #expect(frames.map(\.kind) == [RawFrame.Kind.headers, RawFrame.Kind.data])
        #expect(frames.last == .data(1, latin1("body"), endsStream: true))
        #expect(server.takeEvents().last == .closed(1))
    }

    @Test("a late end is an empty frame, and drained is reported before it")
    func lateEnd() {
        let server = ServerSessionHarness()
        server.receive(RawFrame.preface + RawFrame.headers(1, plainGet).bytes)
        server.respond(1, "HTTP/1.1 200 OK\r\n\r\n")
        server.write(1, latin1("event"))
        _ = server.send()
        #expect(server.takeEvents().last == .drained(1))
        #expect(!server.wantsWrite)

        server.endResponse(stream: 1)
        #expect(server.wantsWrite)
        #expect(server.sendFrames() == [.data(1, [], endsStream: true)])
        #expect(server.takeEvents() == [.closed(1)])
        #expect(!server.write(1, latin1("late")))
    }

    @Test("trailers arrive in both directions; those for framing or routing are dropped")
    func trailers() {
        let pair = NGHTTP2Pair()
        let id = pair.client.request(
            "POST", "/mcp", [], body: latin1("x"),
            trailers: [("x-sum", "1"), ("authorization", "stolen"), ("x-more", "2")])
        pair.exchange()

        #expect(pair.server.takeEvents().last == .end(id, trailers: "x-sum: 1\r\nx-more: 2\r\n"))
        pair.server.respond(id, "HTTP/1.1 200 OK\r\n\r\n")
        pair.server.write(id, latin1("body"))
        pair.server.endResponse(id, trailers: "X-Late: yes\r\nTransfer-Encoding: chunked\r\n")
        pair.exchange()

        let response = pair.client.responses[id]
        #expect(response?.body == latin1("body"))
        #expect(response?.trailers == ["x-late: yes"])
        #expect(response?.isComplete == true)
    }

    @Test("a response without a body may have trailers", arguments: ["X-Late: yes\r\n", "", "junk\r\n"])
    func bareTrailers(text: String) {
        let pair = NGHTTP2Pair()
        let id = pair.client.request()
        pair.exchange()
        pair.server.respond(id, "HTTP/1.1 200 OK\r\n\r\n")
        pair.exchange()
        pair.server.endResponse(id, trailers: text)
        pair.exchange()

        #expect(pair.client.responses[id]?.trailers == (text.hasPrefix("X") ? ["x-late: yes"] : []))
        #expect(pair.client.responses[id]?.isComplete == true)
        #expect(pair.client.responses[id]?.closed == 0)
    }

    @Test("interim responses come before the final one, and 101 is refused")
    func interim() {
        let pair = NGHTTP2Pair()
        let id = pair.client.request("POST", "/mcp", [("expect", "100-continue")], body: [], isLast: false)
        pair.exchange()
        #expect(!pair.server.respond(id, "HTTP/1.1 101 Switching Protocols\r\n\r\n"))
        #expect(pair.server.respond(id, "HTTP/1.1 100 Continue\r\n\r\n"))
        pair.exchange()
        pair.client.send(id, latin1("body"), isLast: true)
        pair.exchange()
        #expect(pair.server.takeEvents().suffix(2) == [.data(id, latin1("body")), .end(id, trailers: "")])
        #expect(pair.server.respond(id, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"))
        #expect(pair.server.respond(id, "HTTP/1.1 200 OK\r\n\r\n", endsStream: true))
        #expect(!pair.server.respond(id, "HTTP/1.1 200 OK\r\n\r\n", endsStream: true), "there is one final head")
        pair.exchange()

        let response = pair.client.responses[id]
        #expect(response?.interim == [[":status: 100"], [":status: 103", "link: </a>"]])
        #expect(response?.head == [":status: 200"])
        #expect(response?.isComplete == true)
    }

    @Test("connection-specific fields and white space around values are left out of a response")
    func connectionSpecific() {
        let pair = NGHTTP2Pair()
        let id = pair.client.request()
        pair.exchange()
        pair.server.respond(
            id,
            "HTTP/1.1 200 OK\r\nConnection: close, x\r\nKeep-Alive: timeout=5\r\nTransfer-Encoding: chunked\r\n"
                + "Proxy-Connection: x\r\nUpgrade: h2c\r\nSet-Cookie:  a=1; Path=/ \t\r\nEmpty:\r\nVary:x\r\n\r\n",
            endsStream: true)
        pair.exchange()

        #expect(
            pair.client.responses[id]?.head == [":status: 200", "set-cookie: a=1; Path=/", "empty: ", "vary: x"])
    }

    @Test(
        "text that is no response head is refused",
        arguments: [
            "", "HTTP/1.1 20", "HTTP/1.1  200", "HTTP/1.1 2x0 OK\r\n\r\n", "FTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 099\r\n\r\n",
        ])
    func noHead(text: String) {
        let pair = NGHTTP2Pair()
        let id = pair.client.request()
        pair.exchange()
        #expect(!pair.server.respond(id, text))
        #expect(!pair.server.wantsWrite)
        #expect(pair.server.respond(id, "HTTP/1.1 200\r\n\r\n", endsStream: true))
    }

    @Test("a session id is encoded as never indexed")
    func secret() {
        let server = ServerSessionHarness()
        server.receive(RawFrame.preface + RawFrame.headers(1, plainGet).bytes)
        _ = server.send()
        server.respond(1, "HTTP/1.1 200 OK\r\nMcp-Session-Id: \u{1}\r\n\r\n", endsStream: true)
        // `:status: 200` from the static table, then a field with a Huffman-coded name of 14 characters.
        #expect(server.sendFrames().first?.payload.prefix(2) == [0x88, 0x10])
    }

    @Test("a response before the end of its request leaves the rest to be thrown away, or declines what is too much")
    func early() {
        let patient = NGHTTP2Pair()
        let upload = patient.client.request("POST", "/mcp", [], body: latin1("begin"), isLast: false)
        patient.exchange()
        patient.server.respond(upload, "HTTP/1.1 413 Content Too Large\r\n\r\n", endsStream: true)
        patient.exchange()
        #expect(patient.client.responses[upload]?.head == [":status: 413"])
        #expect(patient.client.responses[upload]?.closed == nil)
        patient.client.send(upload, latin1("end"), isLast: true)
        patient.exchange()
        #expect(patient.client.responses[upload]?.closed == 0)
        #expect(patient.server.streams == 0)

        var limits = HTTP2Limits()
        limits.discardedBytes = -1
        let pair = NGHTTP2Pair(limits: limits)
        let id = pair.client.request("POST", "/mcp", [], body: latin1("begin"), isLast: false)
        pair.exchange()
        pair.server.respond(id, "HTTP/1.1 413 Content Too Large\r\n\r\n", endsStream: true)
        pair.exchange()

        #expect(pair.client.responses[id]?.head == [":status: 413"])
        #expect(pair.client.responses[id]?.closed == 0)
        #expect(pair.server.takeEvents().last == .closed(id))
        #expect(pair.server.streams == 0)
    }

    @Test("a response before the last, empty frame of a complete request resets nothing")
    func earlyByAFrame() {
        let pair = NGHTTP2Pair()
        let id = pair.client.request("POST", "/mcp", [("content-length", "5")], body: latin1("begin"), isLast: false)
        pair.exchange()
        pair.server.respond(id, "HTTP/1.1 202 Accepted\r\n\r\n", endsStream: true)
        pair.exchange()

        #expect(pair.client.responses[id]?.head == [":status: 202"])
        #expect(pair.client.responses[id]?.closed == nil)
        #expect(pair.server.streams == 1)
        pair.client.send(id, [], isLast: true)
        pair.exchange()
        #expect(pair.client.responses[id]?.closed == 0)
        #expect(pair.server.takeEvents().last == .closed(id))
        #expect(pair.server.streams == 0)
    }

    @Test("many streams interleave, each with its own bytes")
    func many() {
        let pair = NGHTTP2Pair()
        let count = 200
        let ids = (0..<count).map { pair.client.request("POST", "/\($0)", [], body: latin1("request \($0)")) }
        pair.exchange()
        #expect(pair.server.streams == count)
        var bodies: [Int32: [UInt8]] = [:]
        for case .data(let id, let bytes) in pair.server.takeEvents() { bodies[id, default: []] += bytes }
        for (index, id) in ids.enumerated() {
            #expect(bodies[id] == latin1("request \(index)"))
            pair.server.respond(id, "HTTP/1.1 200 OK\r\nX-Index: \(index)\r\n\r\n")
        }
        for round in 0..<5 {
            for id in ids { pair.server.write(id, latin1("\(id).\(round) ")) }
            pair.exchange()
        }
        for id in ids { pair.server.endResponse(stream: id) }
        pair.exchange()

        for (index, id) in ids.enumerated() {
            let response = pair.client.responses[id]
            #expect(response?.head == [":status: 200", "x-index: \(index)"])
            #expect(response?.body == (0..<5).flatMap { latin1("\(id).\($0) ") })
            #expect(response?.closed == 0)
        }
        #expect(pair.server.streams == 0)
    }

    @Test("a cancelled stream is reported at once and releases all its bytes")
    func cancel() {
        let pair = NGHTTP2Pair()
        let id = pair.client.request()
        pair.exchange()
        pair.server.respond(id, "HTTP/1.1 200 OK\r\n\r\n")
        pair.server.write(id, latin1("event"))
        pair.exchange()
        pair.server.write(id, latin1("unseen"))
        pair.client.cancel(id)
        _ = pair.server.takeEvents()
        pair.server.receive(pair.client.send())

        #expect(pair.server.takeEvents() == [.reset(id, code: HTTP2ErrorCode.cancel.rawValue)])
        #expect(!pair.server.write(id, latin1("late")))
        #expect(pair.server.pendingBytes(stream: id) == 0)
        #expect(pair.server.streams == 0)
        #expect(pair.server.send().isEmpty)
    }

    @Test("a stream that the proxy resets is reset at the client and has no more events")
    func reset() {
        let pair = NGHTTP2Pair()
        let id = pair.client.request("POST", "/mcp", [], body: latin1("x"), isLast: false)
        pair.exchange()
        _ = pair.server.takeEvents()
        pair.server.respond(id, "HTTP/1.1 200 OK\r\n\r\n")
        pair.server.write(id, latin1("half"))
        pair.server.reset(stream: id, code: .internalError)
        #expect(pair.server.pendingBytes(stream: id) == 0)
        #expect(!pair.server.write(id, latin1("more")))
        pair.client.send(id, latin1("more"), isLast: true)
        pair.exchange()

        #expect(pair.client.responses[id]?.closed == HTTP2ErrorCode.internalError.rawValue)
        #expect(pair.server.takeEvents().isEmpty)
        #expect(pair.server.streams == 0)
        #expect(pair.server.abuse.resets == 0)
    }

    @Test("after GOAWAY open streams complete, new ones are refused, and the session finishes")
    func goAway() {
        let pair = NGHTTP2Pair()
        let id = pair.client.request()
        pair.exchange()
        pair.server.goAway(isFinal: false)
        pair.exchange()
        #expect(pair.client.goAway == 0)
        #expect(!pair.server.isFinished)
        pair.server.goAway(isFinal: true)
        _ = pair.server.takeEvents()
        _ = pair.server.send()
        pair.server.receive(RawFrame.headers(99, plainGet))
        #expect(pair.server.takeEvents().isEmpty)

        pair.server.respond(id, "HTTP/1.1 200 OK\r\n\r\n", endsStream: true)
        pair.exchange()
        #expect(pair.client.responses[id]?.isComplete == true)
        #expect(pair.server.isFinished)
    }

    @Test("a client's GOAWAY is reported")
    func clientGoAway() {
        let pair = NGHTTP2Pair()
        pair.client.sendGoAway()
        pair.exchange()
        #expect(pair.server.takeEvents() == [.goAway])
        #expect(pair.server.isFinished)
    }
}
